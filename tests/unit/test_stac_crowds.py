"""A STAC API that does not sort, and has more items of one instant than are read for one window."""

from dataclasses import replace
from random import Random
from typing import Any

import numpy
import orjson
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import mapping as geojson
from shapely.geometry import shape

from stacbridge import geometry, scalars
from stacbridge.access.flows import drive
from stacbridge.dialects import stac_answers
from stacbridge.dialects.stac import StacApi
from stacbridge.errors import SearchTooWide
from stacbridge.model import Bbox, Interval, Json, Query, Reply, Request
from tests.leaving import CHANCES, left
from tests.unit.stac_apis import api

AT = "2024-05-01T00:00:00.000000Z"
DAY = Interval(scalars.instant("2024-05-01T00:00:00Z"), scalars.instant("2024-05-02T00:00:00Z"))
CROWD = stac_answers.PAGES * 2 + 30
"""More items than the pages of one window hold."""


class Unsorted:
    """Answers by time and box, a page at a time, in an order of its own."""

    def __init__(self, held: list[Json], *, counts: bool = True) -> None:
        self.held = sorted(held, key=lambda item: str(item["id"])[::-1])
        self.places = [item["geometry"] and shape(item["geometry"]) for item in self.held]
        self.counts = counts
        self.asked = 0

    def __call__(self, request: Request) -> Reply:
        self.asked += 1
        given = dict(request.params)
        fits = self._fitting(given)
        found = [item for item, fit in zip(self.held, fits, strict=True) if fit]
        first, count = int(given.get("first", 0)), int(given["limit"])
        document: Json = {"type": "FeatureCollection", "features": found[first : first + count]}
        if first + count < len(found):
            document["links"] = [{"rel": "next", "href": f"{request.url}?first={first + count}"}]
        if self.counts:
            document["numberMatched"] = len(found)
        return Reply(200, {}, orjson.dumps(document), request.url)

    def _fitting(self, given: dict[str, Any]) -> list[bool]:
        since, _, until = str(given.get("datetime", "../..")).partition("/")
        areas = [shapely.box(*map(float, given["bbox"].split(",")))] if "bbox" in given else []
        areas += [shape(orjson.loads(given["intersects"]))] if "intersects" in given else []
        here = numpy.logical_and.reduce([shapely.intersects(area, self.places) for area in areas] or [True])
        times = [item["properties"]["datetime"] for item in self.held]
        during = [(since == ".." or time >= since) and (until == ".." or time <= until) for time in times]
        return [bool(each) for each in here & numpy.array(during)]


def item(number: int, place: Json | None, time: str = AT) -> Json:
    return {"type": "Feature", "id": f"i{number:04}", "geometry": place, "properties": {"datetime": time}}


def square(west: float, south: float, size: float) -> Json:
    return dict(geojson(shapely.box(west, south, west + size, south + size)))


def walked(dialect: StacApi, upstream: Unsorted, chance: Random | None = None, **asked: Any) -> list[str]:
    found: list[str] = []
    query = Query(limit=20, interval=DAY, **asked)
    for _ in range(400):
        page, at = left(drive(dialect.walk(query), upstream), chance)
        found += [record["id"] for record in page.records]
        if at is None:
            return found
        query = replace(query, position=at)
    raise AssertionError("the walk does not end")


@pytest.fixture(scope="module")
def dialect(tmp_path_factory: pytest.TempPathFactory) -> StacApi:
    return api(tmp_path_factory.mktemp("catalogues"), sortables="[]", limits="page = 2")


PLACES = st.lists(
    st.tuples(st.integers(-170, 169), st.integers(-80, 79), st.sampled_from([0.01, 3, 10])),
    min_size=CROWD,
    max_size=CROWD + 40,
)


@settings(max_examples=15)
@given(PLACES, CHANCES)
def test_each_item_of_a_crowded_instant_comes_once(
    dialect: StacApi, places: list[tuple[int, int, float]], chance: Random | None
) -> None:
    held = [item(number, square(*place)) for number, place in enumerate(dict.fromkeys(places))]
    assert sorted(walked(dialect, Unsorted(held), chance)) == sorted(each["id"] for each in held)


@pytest.mark.parametrize(
    "area",
    [(-20.0, -40.0, 60.0, 70.0), (150.0, -50.0, -150.0, 50.0)],
    ids=["one box", "across the antimeridian"],
)
def test_a_crowd_is_walked_within_an_area(dialect: StacApi, area: Bbox) -> None:
    held = [item(number, square(number % 36 * 9.9 - 180, number // 36 * 7 - 90, 5)) for number in range(900)]
    wanted = shape(geometry.box(area))
    asked = {"bbox": area} if area[0] < area[2] else {"intersects": dict(geojson(wanted))}
    found = walked(dialect, Unsorted(held), **asked)
    assert sorted(found) == [each["id"] for each in held if wanted.intersects(shape(each["geometry"]))]


@pytest.mark.parametrize("counts", [True, False], ids=["one without a place", "no counts"])
def test_a_crowd_is_not_split_where_that_could_lose_an_item(dialect: StacApi, counts: bool) -> None:
    held = [item(number, square(number % 300 - 150, 0, 1)) for number in range(CROWD)]
    held.append(item(CROWD, None if counts else square(0, 0, 1)))
    with pytest.raises(SearchTooWide, match="does not sort, and has more records"):
        walked(dialect, Unsorted(held, counts=counts))
