"""What the archive answers to a pushed filter is what CQL2 says of the items, for every pushed operator.

The simulator parses the `$filter` with a library of others and evaluates it on its own archive; here the
same condition is evaluated by the cql2 library on the items, one test at a time, and joined in three-valued
logic.
"""

import string
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import cql2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon
from shapely import box as shapely_box
from shapely.geometry import mapping, shape

from stacbridge.errors import UnsupportedFilter
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.mapping.rows import Row
from stacbridge.model import Interval, Json, Query, SortKey
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators import CdseSimulator
from stacbridge.upstream import Upstream, load

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
SIZE = 4000
T = TypeVar("T")


class World:
    """One small archive, and all the items that it has."""

    def __init__(self, upstream: Upstream, mapping: Mapping) -> None:
        self.upstream, self.mapping = upstream, mapping
        self.items = list(walk(upstream, Query(limit=1000)))
        assert len({item["id"] for item in self.items}) == len(self.items) > SIZE * 0.9

    def matching(self, collections: tuple[str, ...], filter: Json) -> set[str]:
        """Evaluate a filter on every item of some collections."""
        return {
            item["id"]
            for item in self.items
            if (not collections or item["collection"] in collections) and truth(filter, item)
        }

    def values(self, collection: str, name: str) -> list[Any]:
        """Return what the items of a collection say of a property."""
        found = [i["properties"].get(name) for i in self.items if i["collection"] == collection]
        return [value for value in found if value is not None]


def walk(upstream: Upstream, query: Query) -> Iterator[Json]:
    while True:
        found = upstream.search(query, "http://bridge")
        yield from found.items
        if found.position is None:
            return
        assert found.items
        query = replace(query, position=found.position)


def truth(filter: Json, item: Json) -> bool | None:
    """Evaluate a filter on an item: true, false, or unknown where a property is missing."""
    op, args = filter["op"], filter["args"]
    if op == "not":
        inner = truth(args[0], item)
        return None if inner is None else not inner
    if op in ("and", "or"):
        parts = [truth(part, item) for part in args]
        decisive = op == "or"
        return decisive if decisive in parts else None if None in parts else not decisive
    if op in ("between", "in"):  # the library compares no times within these
        return truth(spelt_out(op, args), item)
    if named(args[0]) != "id" and named(args[0]) not in item["properties"]:
        return None
    return bool(cql2.Expr(filter).matches(item))


def spelt_out(op: str, args: list[Any]) -> Json:
    """Say BETWEEN and IN with comparisons, as CQL2 defines them."""
    if op == "in":
        return {"op": "or", "args": [{"op": "=", "args": [args[0], one]} for one in args[1]]}
    bounds = zip((">=", "<="), args[1:], strict=True)
    return {"op": "and", "args": [{"op": each, "args": [args[0], bound]} for each, bound in bounds]}


def named(node: Json) -> str:
    return str(node["property"] if "property" in node else named(node["args"][0]))


def one_of(things: Sequence[T]) -> st.SearchStrategy[T]:
    """Draw one of many things, which are too many to print."""
    return st.integers(0, len(things) - 1).map(lambda index: things[index])


def literal(row: Row, value: Any) -> Any:
    return {"timestamp": value} if row.type == "DateTimeOffset" else value


@st.composite
def conditions_on(draw: st.DrawFn, row: Row, values: list[Any]) -> Json:
    """Draw one condition on a property, of the kinds that its row lets be pushed."""
    node = {"property": row.stac}
    scalars = [value for value in values if not isinstance(value, list | dict)]
    if not scalars:
        some = draw(st.lists(st.sampled_from(sorted({one for value in values for one in value})), min_size=1))
        return {
            "op": draw(st.sampled_from(["a_contains", "a_containedBy", "a_overlaps", "a_equals"])),
            "args": [node, some],
        }
    value = one_of(scalars).map(lambda one: literal(row, one))
    kinds = (
        ["compare", "in"] + (["between"] if row.push == "order" else []) + (["like"] if row.values else [])
    )
    kind = draw(st.sampled_from(kinds))
    if kind == "in":
        return {"op": "in", "args": [node, draw(st.lists(value, min_size=1, max_size=3))]}
    if kind == "between":
        return {"op": "between", "args": [node, draw(value), draw(value)]}
    if kind == "like" and isinstance(scalars[0], str):
        return {"op": "like", "args": [node, draw(one_of(scalars).flatmap(patterns))]}
    ops = COMPARISONS if row.push == "order" else ("=", "<>") if row.values else ("=",)
    return {"op": draw(st.sampled_from(ops)), "args": [node, draw(value)]}


@st.composite
def patterns(draw: st.DrawFn, text: str) -> str:
    start = draw(st.integers(0, len(text)))
    cut = text[start : draw(st.integers(start, len(text)))]
    return draw(st.sampled_from([f"%{text[start:]}", f"{text[:start]}%", f"%{cut}%", text]))


@st.composite
def questions(draw: st.DrawFn, world: World) -> tuple[tuple[str, ...], Json]:
    """Draw collections, and a filter on properties that they have."""
    populated = sorted({item["collection"] for item in world.items})
    collections = tuple(draw(st.lists(st.sampled_from(populated), min_size=1, max_size=3, unique=True)))
    choices = [
        (row, values)
        for name in collections
        for row in world.mapping.specs[name].rows.values()
        if row.filterable and not row.members and (values := world.values(name, row.stac))
    ]
    ids = [item["id"] for item in world.items if item["collection"] in collections]
    leaf = one_of(choices).flatmap(lambda choice: conditions_on(*choice)) | one_of(ids).flatmap(patterns).map(
        lambda pattern: {"op": "like", "args": [{"property": "id"}, pattern]}
    )
    filters = st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, min_size=2, max_size=3).flatmap(
                lambda parts: st.sampled_from([{"op": op, "args": parts} for op in ("and", "or")])
            )
            | inner.map(lambda part: {"op": "not", "args": [part]})
        ),
        max_leaves=4,
    )
    return collections, draw(filters)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with CdseSimulator(size=SIZE) as simulator:
        configured = Settings(
            endpoints={
                "cdse": {
                    "catalogue": simulator.catalogue_url,
                    "download": simulator.download_url,
                    "token": simulator.token_url,
                }
            },
            credentials={"cdse": Credentials(username=simulator.username)},
        )
        upstream = load("cdse", configured)
        yield World(upstream, load_mapping("cdse", configured))
        upstream.close()


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_a_pushed_filter_finds_exactly_what_cql2_says(world: World, data: st.DataObject) -> None:
    collections, filter = data.draw(questions(world))
    query = Query(collections=collections, filter=filter, limit=data.draw(st.sampled_from([7, 100, 1000])))
    try:
        found = [item["id"] for item in walk(world.upstream, query)]
    except UnsupportedFilter as refused:
        assert refused.parameter == "filter"
        assert any(mark in str(refused) for mark in string.ascii_letters)
        return
    assert len(found) == len(set(found))
    assert set(found) == world.matching(collections, filter)


def touches(item: Json, area: Json) -> bool:
    geometry = item["geometry"]
    return geometry is not None and bool(shape(geometry).intersects(shape(area)))


def box(west: float, south: float, east: float, north: float) -> Json:
    """Return a bounding box as GeoJSON, in two parts across the antimeridian."""
    spans = [(west, east)] if west <= east else [(west, 180), (-180, east)]
    return dict(mapping(MultiPolygon([shapely_box(w, south, e, north) for w, e in spans])))


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """Draw a box, wherever it is: a third of them cross the antimeridian."""
    west = draw(st.floats(-180, 180))
    east = west + draw(st.floats(0.1, 90))
    south = draw(st.floats(-90, 89))
    return (west, south, east - 360 if east > 180 else east, min(90.0, south + draw(st.floats(0.1, 40))))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bbox=boxes(), limit=st.sampled_from([50, 1000]))
def test_a_box_finds_exactly_the_items_that_touch_it(
    world: World, bbox: tuple[float, float, float, float], limit: int
) -> None:
    found = {item["id"] for item in walk(world.upstream, Query(bbox=bbox, limit=limit))}
    assert found == {item["id"] for item in world.items if touches(item, box(*bbox))}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_span_of_time_finds_exactly_the_items_whose_interval_touches_it(
    world: World, data: st.DataObject
) -> None:
    edges = [item["properties"][name] for item in world.items for name in ("start_datetime", "end_datetime")]
    start, end = sorted(datetime.fromisoformat(data.draw(one_of(edges))) for _ in range(2))
    interval = Interval(data.draw(st.sampled_from([start, None])), data.draw(st.sampled_from([end, None])))
    found = {item["id"] for item in walk(world.upstream, Query(interval=interval, limit=1000))}
    assert found == {item["id"] for item in world.items if during(item, interval)}


def during(item: Json, interval: Interval) -> bool:
    first, last = (
        datetime.fromisoformat(item["properties"][name]) for name in ("start_datetime", "end_datetime")
    )
    return (interval.end is None or first <= interval.end) and (
        interval.start is None or last >= interval.start
    )


@pytest.mark.parametrize("name", ["datetime", "end_datetime", "updated", "published"])
@pytest.mark.parametrize("descending", [True, False])
def test_a_sorted_walk_is_in_order_and_whole(world: World, name: str, descending: bool) -> None:
    query = Query(sortby=(SortKey(name, descending),), limit=300)
    found = list(walk(world.upstream, query))
    having = [item["properties"][name] for item in found if name in item["properties"]]
    assert having == sorted(having, reverse=descending)
    assert all(name not in item["properties"] for item in found[len(having) :]), (
        "items that lack it come last"
    )
    assert {item["id"] for item in found} == {item["id"] for item in world.items}
