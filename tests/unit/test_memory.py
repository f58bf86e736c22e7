"""The catalogue in memory answers exactly: place, time, ids, order, pages, filters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.catalogue import Catalogue
from stacbridge.errors import BadRequest, NotFound, UnsupportedFilter
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Bbox, Interval, Json, Query, Ready, Request, SortKey
from tests.api.archive import collection

ROOT = "http://bridge.example"
DAY = datetime(2024, 1, 1, tzinfo=UTC)


def item(id: str, geometry: Json | None = None, **properties: Any) -> Json:
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": id,
        "collection": "made-up",
        "geometry": geometry,
        "properties": {"datetime": "2024-01-01T00:00:00Z", **properties},
        "links": [],
        "assets": {},
    }


def point(longitude: float, latitude: float) -> Json:
    return {"type": "Point", "coordinates": [longitude, latitude]}


def ids(items: list[Json], query: Query) -> list[str]:
    catalogue: Catalogue = MemoryCatalogue("made-up", [collection("made-up")], items)
    return [found["id"] for found in catalogue.search(query, ROOT).items]


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ((0, 0, 10, 10), ["near"]),
        ((5, 5, 5, 5), ["near"]),
        ((5, 0, 5, 10), ["near"]),
        ((170, -10, -170, 10), ["east", "west"]),
        ((-180, -90, 180, 90), ["east", "near", "west"]),
        ((6, 6, 10, 10), []),
    ],
)
def test_a_box_finds_what_it_touches_also_across_the_antimeridian(box: Bbox, found: list[str]) -> None:
    places = {"near": point(5, 5), "east": point(179, 0), "west": point(-179, 0), "nowhere": None}
    items = [item(id, geometry) for id, geometry in places.items()]
    assert ids(items, Query(bbox=box)) == found


def test_a_geometry_finds_what_it_touches() -> None:
    area = {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [0, 9], [0, 0]]]}
    items = [item("inside", point(1, 1)), item("beyond-the-diagonal", point(8, 8)), item("nowhere")]
    assert ids(items, Query(intersects=area)) == ["inside"]


@given(start=st.integers(-5, 5), length=st.integers(0, 5), low=st.integers(-7, 7), high=st.integers(0, 7))
def test_an_item_is_found_where_its_interval_meets_the_one_asked_for(
    start: int, length: int, low: int, high: int
) -> None:
    times = [(DAY + timedelta(days=days)).isoformat() for days in (start, start + length)]
    spanning = item("x", datetime=None, start_datetime=times[0], end_datetime=times[1])
    asked = Interval(DAY + timedelta(days=low), DAY + timedelta(days=low + high))
    meets = bool(set(range(start, start + length + 1)) & set(range(low, low + high + 1)))
    assert ids([spanning], Query(interval=asked)) == (["x"] if meets else [])


def test_open_intervals_are_open_at_one_end() -> None:
    items = [item("early", datetime="2023-01-01T00:00:00Z"), item("late", datetime="2025-01-01T00:00:00Z")]
    assert ids(items, Query(interval=Interval(DAY, None))) == ["late"]
    assert ids(items, Query(interval=Interval(None, DAY))) == ["early"]


@given(
    values=st.lists(st.integers(-3, 3) | st.none(), max_size=12),
    limit=st.integers(1, 5),
    descending=st.booleans(),
)
def test_pages_of_a_sorted_search_are_the_whole_in_order_with_the_unknown_last(
    values: list[int | None], limit: int, descending: bool
) -> None:
    items = [
        item(f"i{number:02}", None, **({} if value is None else {"gsd": value}))
        for number, value in enumerate(values)
    ]
    items.append(item("known", gsd=0))
    catalogue = MemoryCatalogue("made-up", [collection("made-up")], items)
    found: list[Json] = []
    position: Json | None = None
    while True:
        query = Query(sortby=(SortKey("gsd", descending),), limit=limit, position=position)
        page = catalogue.search(query, ROOT)
        found += page.items
        position = page.position
        if position is None:
            break
    known = [each["properties"]["gsd"] for each in found if "gsd" in each["properties"]]
    assert known == sorted(known, reverse=descending)
    assert all("gsd" not in each["properties"] for each in found[len(known) :])
    assert sorted(each["id"] for each in found) == sorted(each["id"] for each in items)


def test_what_cannot_be_sorted_by_is_refused_by_name() -> None:
    with pytest.raises(BadRequest, match="'nothing'"):
        ids([item("a")], Query(sortby=(SortKey("nothing"),)))


def matching(filter: Json) -> list[str]:
    items = [item("with", gsd=5), item("without")]
    return ids(items, Query(filter=filter))


GSD = {"property": "gsd"}
IS_FIVE: Json = {"op": "=", "args": [GSD, 5]}
IS_SIX: Json = {"op": "=", "args": [GSD, 6]}
NAMED: Json = {"op": "=", "args": [{"property": "id"}, "without"]}


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        (IS_FIVE, ["with"]),
        ({"op": "not", "args": [IS_FIVE]}, []),
        ({"op": "not", "args": [IS_SIX]}, ["with"]),
        ({"op": "<>", "args": [GSD, 6]}, ["with"]),
        ({"op": "or", "args": [IS_FIVE, NAMED]}, ["with", "without"]),
        ({"op": "and", "args": [{"op": "not", "args": [IS_SIX]}, NAMED]}, []),
        ({"op": "isNull", "args": [GSD]}, ["without"]),
        ({"op": "not", "args": [{"op": "isNull", "args": [GSD]}]}, ["with"]),
    ],
)
def test_a_missing_property_matches_neither_a_condition_nor_its_negation(
    filter: Json, found: list[str]
) -> None:
    assert matching(filter) == found


def test_an_unknown_operator_is_refused_by_name_wherever_it_is() -> None:
    unknown: Json = {"op": "sounds_like", "args": [GSD, 5]}
    for filter in (unknown, {"op": "or", "args": [IS_FIVE, {"op": "not", "args": [unknown]}]}):
        with pytest.raises(UnsupportedFilter, match="'sounds_like'"):
            matching(filter)


def test_ids_and_collections_are_exact() -> None:
    items = [item("a"), item("ab"), item("A")]
    assert ids(items, Query(ids=("a", "b"))) == ["a"]
    assert ids(items, Query(collections=("made",))) == []


def test_counting_is_told_only_when_asked() -> None:
    catalogue = MemoryCatalogue("made-up", [collection("made-up")], [item("a"), item("b")])
    assert catalogue.search(Query(limit=1), ROOT).matched is None
    assert catalogue.search(Query(limit=1, count=True), ROOT).matched == 2


def test_the_bytes_of_an_asset_are_at_its_own_href() -> None:
    image = {"href": "https://origin.example/a/b.tif?sig=1", "type": "image/tiff"}
    elsewhere = {"href": "s3://bucket/b.tif"}
    one = {**item("a"), "assets": {"image": image, "elsewhere": elsewhere}}
    catalogue = MemoryCatalogue("toy", [collection("made-up")], [one])
    assert catalogue.locate("made-up", "a", "image") == Ready(
        Request("GET", image["href"]), "b.tif", "image/tiff", ranges=True
    )
    for missing in (("made-up", "a", "elsewhere"), ("made-up", "b", "image"), ("x", "a", "image")):
        with pytest.raises(NotFound):
            catalogue.locate(*missing)
    found = catalogue.search(Query(), ROOT).items[0]
    assert found["assets"]["image"]["href"] == f"{ROOT}/assets/toy/made-up/a/image/b.tif"
    assert found["assets"]["elsewhere"] == elsewhere


def test_queryables_say_what_items_hold() -> None:
    catalogue = MemoryCatalogue(
        "toy", [collection("made-up")], [item("a", gsd=10), item("b", gsd=2.5, bands=["x"])]
    )
    properties = catalogue.queryables("made-up")["properties"]
    assert properties["gsd"] == {"type": "number"}
    assert properties["bands"] == {"type": "array"}
    assert "bands" not in catalogue.sortables("made-up")["properties"]
