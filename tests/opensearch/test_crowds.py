"""More records of one instant than a service pages through are told apart by area, or by what else it can be
asked: each comes once, in order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import mapping as geojson
from shapely.geometry import shape

from stacbridge import scalars
from stacbridge.errors import SearchTooWide
from stacbridge.model import Bbox, Json, Query, Reply, Request, SortKey
from tests.leaving import CHANCES
from tests.opensearch.services import BY_TIME, HOME, Service, mapping, names, turned, walked, walked_meanwhile

DEPTH = 6
LIMITS = f"depth = {DEPTH}\nrequests = 60"
START = datetime(2024, 1, 1, tzinfo=UTC)
TEMPLATE = (
    "n={count?}&amp;at={startIndex?}&amp;from={t:start?}&amp;to={t:end?}&amp;box={g:box?}"
    "&amp;way={e:orbitDirection?}&amp;sort={s:sortKeys?}"
)
WAYS = ("ASCENDING", "DESCENDING")
OPTIONS = (
    '<p:Parameter xmlns:p="http://a9.com/-/spec/opensearch/extensions/parameters/1.0/" name="way" '
    f'value="{{e:orbitDirection}}">{"".join(f"""<p:Option value="{way}"/>""" for way in WAYS)}</p:Parameter>'
)


def record(number: int, millisecond: int, place: Json | None, way: str | None = None) -> Json:
    time = scalars.rfc3339(START + timedelta(milliseconds=millisecond))
    acquired = {} if way is None else {"orbitDirection": way}
    return {
        "type": "Feature",
        "id": f"f{number:03}",
        "geometry": place,
        "properties": {
            "date": f"{time}/{time}",
            "acquisitionInformation": [{"acquisitionParameters": acquired}],
        },
    }


class Sorting(Service):
    """Sorts by time, and then in an order of its own; answers by box and time, as far as its depth."""

    def __init__(self, held: list[Json], *, template: str = TEMPLATE) -> None:
        super().__init__(self._found, query=template)
        self.held = held

    def send(self, request: Request) -> Reply:
        reply = super().send(request)
        if request.url != HOME:
            return reply
        described = reply.body.replace(b'"/>\n</Open', f'">{OPTIONS}</Url>\n</Open'.encode())
        return Reply(200, {}, described, HOME)

    def _found(self, given: dict[str, str]) -> Json:
        first, count = int(given["at"]), int(given["n"])
        assert first + count - 1 <= DEPTH, "the service refuses this"
        found = [each for each in self.held if _fits(each, given)]
        found.sort(key=lambda each: each["id"][::-1])
        found.sort(key=_start, reverse=given.get("sort", "").endswith("0"))
        return {"features": found[first - 1 : first - 1 + count], "totalResults": len(found)}


def _start(each: Json) -> str:
    return str(each["properties"]["date"].partition("/")[0])


def _fits(each: Json, given: dict[str, str]) -> bool:
    time = scalars.instant(_start(each))
    since, until = (scalars.instant(given.get(name)) for name in ("from", "to"))
    assert time is not None
    way = each["properties"]["acquisitionInformation"][0]["acquisitionParameters"].get("orbitDirection")
    return (
        (since is None or time >= since)
        and (until is None or time <= until)
        and given.get("way") in (None, way)
        and ("box" not in given or _meets(each, [float(each) for each in given["box"].split(",")]))
    )


def _meets(each: Json, box: Any) -> bool:
    return each["geometry"] is not None and shape(each["geometry"]).intersects(shapely.box(*box))


def square(west: float, south: float, side: float) -> Json:
    return dict(geojson(shapely.box(west, south, min(west + side, 180), min(south + side, 90))))


def spread(numbers: int) -> list[Json]:
    """So many small squares, apart from each other."""
    return [square(-170 + 17 * (number % 20), -80 + 11 * (number // 20), 1) for number in range(numbers)]


SQUARES = st.builds(
    square,
    st.integers(-180, 179).map(float),
    st.integers(-90, 89).map(float),
    st.sampled_from([0.5, 1, 7, 45]),
)
POINTS = st.builds(
    lambda x, y: {"type": "Point", "coordinates": [x, y]},
    st.sampled_from([-180.0, -90.0, 0.0, 12.25, 180.0]),
    st.sampled_from([-90.0, 0.0, 45.0, 50.5, 90.0]),
)
PLACES = st.lists(
    st.tuples(st.one_of(SQUARES, POINTS), st.sampled_from([0, 0, 0, 250, 1000, 90_000])),
    max_size=40,
    unique_by=str,
)


def _crowded(found: list[Json]) -> bool:
    """Whether more records than the depth reach to one point, where no area tells them apart."""
    boxes = [shape(each["geometry"]).bounds for each in found]
    points = [(west, south) for west, *_ in boxes for _, south, *_ in boxes]
    return any(
        sum(west <= x <= east and south <= y <= north for west, south, east, north in boxes) > DEPTH
        for x, y in points
    )


@settings(deadline=None, max_examples=60)
@given(
    places=PLACES,
    limit=st.sampled_from([1, 4, 30]),
    descending=st.booleans(),
    chance=CHANCES,
    bbox=st.none() | st.sampled_from([(-20.0, -20.0, 60.0, 70.0), (170.0, -90.0, -60.0, 90.0)]),
)
def test_each_record_comes_once_in_order_however_many_share_an_instant(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[tuple[Json, int]],
    limit: int,
    descending: bool,
    chance: Random | None,
    bbox: Bbox | None,
) -> None:
    held = [record(number, at, place) for number, (place, at) in enumerate(places)]
    query = Query(limit=limit, bbox=bbox, sortby=(SortKey("datetime", descending),))
    service, catalogue = Sorting(held), mapping(tmp_path_factory.mktemp("one"), BY_TIME, LIMITS)
    try:
        pages = walked(service, catalogue, query, 1000, chance)
    except SearchTooWide:
        assert _crowded(held)
        return
    halves = [bbox] if bbox and bbox[0] <= bbox[2] else []
    halves += [(bbox[0], bbox[1], 180.0, bbox[3]), (-180.0, *bbox[1:])] if bbox and not halves else []
    right = [each for each in held if bbox is None or any(_meets(each, half) for half in halves)]
    assert sorted(names(pages)) == sorted(each["id"] for each in right)
    starts = [found["ContentDate"]["Start"] for page in pages for found in page.records]
    assert starts == sorted(starts, reverse=descending)


def test_a_crowd_of_one_instant_is_walked_with_a_request_or_two_a_page_once_it_is_split(
    tmp_path: Path,
) -> None:
    held = [record(number, 0, place) for number, place in enumerate(spread(120))]
    service, catalogue = Sorting(held), mapping(tmp_path, BY_TIME, LIMITS)
    first = turned(service, catalogue, Query(limit=3))
    service.seen.clear()
    second = turned(service, catalogue, Query(limit=3, position=first.position))
    assert len(first.records) == len(second.records) == 3
    assert len(service.seen) <= 3


def test_records_that_come_in_during_a_walk_make_nothing_lost(tmp_path: Path) -> None:
    places = spread(160)
    held = [record(number, 0, place) for number, place in enumerate(places[:100])]
    coming = [record(number, 0, place) for number, place in enumerate(places[100:], 100)]
    service, catalogue = Sorting(list(held)), mapping(tmp_path, BY_TIME, LIMITS)
    found = walked_meanwhile(service, catalogue, Query(limit=4), service.held, coming, 2)
    assert {each["id"] for each in held} <= found


def test_the_matches_of_a_crowd_are_counted(tmp_path: Path) -> None:
    held = [record(number, 0, place) for number, place in enumerate(spread(40))]
    page = turned(Sorting(held), mapping(tmp_path, BY_TIME, LIMITS), Query(limit=3, count=True))
    assert page.matched == 40


def test_records_in_one_place_are_told_apart_by_a_parameter_with_a_closed_set_of_values(
    tmp_path: Path,
) -> None:
    held = [record(number, 0, square(10, 10, 1), WAYS[number % 2]) for number in range(2 * DEPTH)]
    found = names(walked(Sorting(held), mapping(tmp_path, BY_TIME, LIMITS), Query(limit=5)))
    assert sorted(found) == [each["id"] for each in held]


def without_place(number: int) -> Json | None:
    return None if number == 7 else square(-170 + 20 * number, 10, 1)


@pytest.mark.parametrize(
    ("places", "ways"),
    [
        (lambda number: square(10, 10, 1), lambda number: "ASCENDING"),
        (lambda number: square(10, 10, 1), lambda number: None if number == 7 else WAYS[number % 2]),
        (without_place, lambda number: "ASCENDING"),
    ],
    ids=["all alike", "one without the parameter", "one without a place"],
)
def test_a_crowd_that_nothing_tells_apart_is_refused_rather_than_lost(
    tmp_path: Path, places: Callable[[int], Json | None], ways: Callable[[int], str | None]
) -> None:
    held = [record(number, 0, places(number), ways(number)) for number in range(2 * DEPTH)]
    with pytest.raises(SearchTooWide, match="neither time nor area tells apart") as failure:
        walked(Sorting(held), mapping(tmp_path, BY_TIME, LIMITS), Query(limit=5))
    assert failure.value.advice is not None


def test_records_without_a_place_are_found_where_another_parameter_tells_them_apart(tmp_path: Path) -> None:
    held = [record(number, 0, without_place(number), WAYS[number % 2]) for number in range(2 * DEPTH)]
    found = names(walked(Sorting(held), mapping(tmp_path, BY_TIME, LIMITS), Query(limit=5)))
    assert sorted(found) == [each["id"] for each in held]


def test_a_service_without_times_is_told_apart_by_area(tmp_path: Path) -> None:
    held = [record(number, 0, place) for number, place in enumerate(spread(40))]
    service = Sorting(held, template="n={count?}&amp;at={startIndex?}&amp;box={g:box?}")
    assert sorted(names(walked(service, mapping(tmp_path, limits=LIMITS), Query(limit=5)))) == [
        each["id"] for each in held
    ]
