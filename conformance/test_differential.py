"""What a search answers is what CQL2 says of the items, for filters of every class, pushed or checked here.

The simulator parses the `$filter` with a library of others and evaluates it on its own archive; here the
filter is evaluated by the book on every item. `STACBRIDGE_EXAMPLES=2000` draws more of them than the few that
suffice from day to day.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon
from shapely import box as shapely_box
from shapely.geometry import mapping, shape

from stacbridge.model import Interval, Json, Query, SortKey
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators import CdseSimulator
from stacbridge.upstream import Upstream, load
from tests.unit.cql_oracle import truth
from tests.unit.cql_trees import one_of, trees

SIZE = 1000
EXAMPLES = int(os.environ.get("STACBRIDGE_EXAMPLES", "40"))
SOME, MOST = 12, 150
"""Values of a property that are tested with, and items of an answer that are walked, at most."""


class World:
    """One small archive, and all the items that it has."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.items = list(walk(upstream, Query(limit=1000)))
        assert len({item["id"] for item in self.items}) == len(self.items) > SIZE * 0.9

    def of(self, collections: tuple[str, ...]) -> list[Json]:
        """Return the items of some collections, or of all."""
        return [item for item in self.items if not collections or item["collection"] in collections]

    def values(self, collections: tuple[str, ...]) -> dict[str, list[Any]]:
        """Return a few of the values that items have of each property, but for objects."""
        found: dict[str, list[Any]] = {}
        for item in self.of(collections):
            for name, value in item["properties"].items():
                known = found.setdefault(name, [])
                if value not in known and len(known) < SOME:
                    known.append(value)
        return {name: values for name, values in found.items() if not isinstance(values[0], dict)}


def walk(upstream: Upstream, query: Query) -> Iterator[Json]:
    while True:
        found = upstream.search(query, "http://bridge")
        yield from found.items
        if found.position is None:
            return
        assert found.items
        assert found.places[-1] == found.position
        query = replace(query, position=found.position)


@st.composite
def questions(draw: st.DrawFn, world: World) -> tuple[tuple[str, ...], Json]:
    """Draw collections, or all of them, and a filter on properties that they have."""
    populated = sorted({item["collection"] for item in world.items})
    collections = tuple(draw(st.lists(st.sampled_from(populated), max_size=3, unique=True)))
    ids = [item["id"] for item in world.of(collections)]
    places = boxes().map(lambda bbox: {"bbox": list(bbox)}) | boxes().map(lambda bbox: box(*bbox))
    return collections, draw(trees(world.values(collections), ids, places))


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
            max_upstream_pages=100,
        )
        upstream = load("cdse", configured)
        yield World(upstream)
        upstream.close()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_a_filter_finds_exactly_what_cql2_says(world: World, data: st.DataObject) -> None:
    collections, filter = data.draw(questions(world))
    query = Query(collections=collections, filter=filter, limit=data.draw(st.sampled_from([30, 1000])))
    found = [item["id"] for item in islice(walk(world.upstream, query), MOST)]
    expected = {item["id"] for item in world.of(collections) if truth(filter, item) is True}
    assert len(found) == len(set(found)) == min(len(expected), MOST)
    assert set(found) <= expected


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
