"""Services that do not sort are walked by windows of time, in order; limited depth is split."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge import scalars
from stacbridge.errors import SearchTooWide
from stacbridge.model import Interval, Json, Query, SortKey
from stacbridge.simulators.opensearch import OpenSearchSimulator
from tests.leaving import CHANCES
from tests.opensearch.services import Service, feature, mapping, names, walked, walked_meanwhile
from tests.opensearch.terrascope import KEYS, TOC, VGT, expected, opened
from tests.walks import Walks

START = datetime(2024, 1, 1, tzinfo=UTC)
BY_TIME = "n={count?}&amp;at={startIndex?}&amp;from={t:start?}&amp;to={t:end?}"
BY_AREA = f"{BY_TIME}&amp;box={{g:box?}}"


def lasting(number: int, hour: int, hours: int) -> Json:
    start = START + timedelta(hours=hour)
    date = f"{scalars.rfc3339(start)}/{scalars.rfc3339(start + timedelta(hours=hours))}"
    return {**feature(number % 20), "id": f"f{number:03}", "properties": {"date": date}}


class Unsorted(Service):
    """Answers what overlaps the time asked for, in no order of time."""

    def __init__(self, held: list[Json], query: str = BY_TIME) -> None:
        super().__init__(self._found, query=query)
        self.held = sorted(held, key=lambda each: each["id"][::-1])

    def _found(self, given: dict[str, str]) -> Json:
        since, until = (scalars.instant(given.get(name)) for name in ("from", "to"))
        found = [each for each in self.held if overlaps(each, Interval(since, until))]
        if "box" in given:
            west, south, east, north = map(float, given["box"].split(","))
            points = [
                (each, *(each["geometry"] or {"coordinates": (999, 0)})["coordinates"]) for each in found
            ]
            found = [each for each, x, y in points if west <= x <= east and south <= y <= north]
        at = int(given["at"]) - 1
        return {"features": found[at : at + int(given["n"])], "totalResults": len(found)}


def times(each: Json) -> tuple[datetime, datetime]:
    return parsed(each["properties"]["date"])


@cache
def parsed(date: str) -> tuple[datetime, datetime]:
    start, _, end = date.partition("/")
    first, last = scalars.instant(start), scalars.instant(end)
    assert first is not None
    assert last is not None
    return first, last


def overlaps(each: Json, interval: Interval) -> bool:
    start, end = times(each)
    return (interval.end is None or start <= interval.end) and (
        interval.start is None or end >= interval.start
    )


HELD = st.lists(
    st.tuples(st.one_of(st.integers(0, 5000), st.just(7)), st.sampled_from([0, 1, 30, 4000])),
    min_size=100,
    max_size=260,
)


@settings(deadline=None, max_examples=12)
@given(
    held=HELD,
    limit=st.sampled_from([3, 10, 50]),
    descending=st.booleans(),
    since=st.one_of(st.none(), st.integers(0, 5000)),
    chance=CHANCES,
)
def test_a_service_that_does_not_sort_is_given_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    held: list[tuple[int, int]],
    limit: int,
    descending: bool,
    since: int | None,
    chance: Random | None,
) -> None:
    features = [lasting(number, *each) for number, each in enumerate(held)]
    interval = None if since is None else Interval(START + timedelta(hours=since), None)
    query = Query(limit=limit, interval=interval, sortby=(SortKey("datetime", descending),))
    catalogue = mapping(tmp_path_factory.mktemp("one"), limits="requests = 60")
    pages = walked(Unsorted(features), catalogue, query, 1000, chance)
    right = [each for each in features if interval is None or overlaps(each, interval)]
    assert sorted(names(pages)) == sorted(each["id"] for each in right)
    starts = [scalars.instant(record["ContentDate"]["Start"]) for page in pages for record in page.records]
    assert starts == sorted((times(each)[0] for each in right), reverse=descending)


def crowded(number: int, millisecond: int, lasts: int = 0) -> Json:
    """A record of its own place, which starts within seconds of the beginning."""
    start = START + timedelta(milliseconds=millisecond)
    date = f"{scalars.rfc3339(start)}/{scalars.rfc3339(start + timedelta(hours=lasts))}"
    point = {"type": "Point", "coordinates": [number % 30 * 12 - 175, number // 30 * 7 - 85]}
    return {**feature(0), "id": f"f{number:03}", "geometry": point, "properties": {"date": date}}


LASTING = 40
"""Records that last for an hour at most: more than can be read at once are in all its seconds, and each of
those is walked cell by cell (see decision 17)."""


@settings(deadline=None, max_examples=8)
@given(
    starts=st.lists(st.sampled_from([0, 0, 0, 250, 1000, 7000]), min_size=60, max_size=260),
    lasting=st.integers(0, LASTING),
    limit=st.sampled_from([30, 100]),
    descending=st.booleans(),
    since=st.sampled_from([None, 0, 1, 1800]),
    chance=CHANCES,
)
def test_more_at_one_moment_than_can_be_read_at_once_are_walked_cell_by_cell(
    tmp_path_factory: pytest.TempPathFactory,
    starts: list[int],
    lasting: int,
    limit: int,
    descending: bool,
    since: int | None,
    chance: Random | None,
) -> None:
    features = [crowded(number, start, number < lasting) for number, start in enumerate(starts)]
    interval = None if since is None else Interval(START + timedelta(seconds=since), None)
    query = Query(limit=limit, interval=interval, sortby=(SortKey("datetime", descending),))
    catalogue = mapping(tmp_path_factory.mktemp("one"), limits="requests = 4")
    pages = walked(Unsorted(features, BY_AREA), catalogue, query, 1000, chance)
    right = [each for each in features if interval is None or overlaps(each, interval)]
    assert sorted(names(pages)) == sorted(each["id"] for each in right)
    found = [scalars.instant(record["ContentDate"]["Start"]) for page in pages for record in page.records]
    assert found == sorted((times(each)[0] for each in right), reverse=descending)


def test_a_straggler_behind_a_crowd_that_the_first_answer_does_not_show_comes_in_its_place(
    tmp_path: Path,
) -> None:
    starts = [0] * 200
    starts[10], starts[199] = 1000, 250
    features = [crowded(number, start) for number, start in enumerate(starts)]
    shown = [each["id"] for each in Unsorted(features).held][:40]
    assert "f010" in shown and "f199" not in shown
    query = Query(limit=30, sortby=(SortKey("datetime"),))
    pages = walked(Unsorted(features, BY_AREA), mapping(tmp_path, limits="requests = 4"), query, 1000)
    given = [record["Name"] for page in pages for record in page.records]
    assert given[-2:] == ["f199", "f010"]
    assert sorted(given) == [each["id"] for each in features]


def test_records_that_come_in_while_a_crowd_is_walked_make_nothing_lost(tmp_path: Path) -> None:
    features = [crowded(number, 0) for number in range(400)]
    service = Unsorted(features[::2], BY_AREA)
    catalogue = mapping(tmp_path, limits="requests = 4")
    found = walked_meanwhile(service, catalogue, Query(limit=20), service.held, features[1::2], 5)
    assert {each["id"] for each in features[::2]} <= found


def refused(held: list[Json], query: str, folder: Path) -> None:
    with pytest.raises(SearchTooWide, match=r"start from 202[34]-(12-31T23|01-01T00)") as failure:
        walked(Unsorted(held, query), mapping(folder, limits="requests = 20"), Query(limit=10))
    assert failure.value.advice is not None


def test_more_at_one_moment_of_which_an_area_does_not_find_all_is_an_error(tmp_path: Path) -> None:
    placeless = {**crowded(3, 0), "geometry": None}
    refused([*[crowded(number, 0) for number in range(400)], placeless], BY_AREA, tmp_path)


def test_more_at_one_moment_and_place_than_can_be_sorted_is_an_error(tmp_path: Path) -> None:
    refused(
        [{**crowded(number, 0), "geometry": crowded(0, 0)["geometry"]} for number in range(400)],
        BY_AREA,
        tmp_path,
    )


def test_more_at_one_moment_than_can_be_sorted_is_an_error_that_says_when(tmp_path: Path) -> None:
    service = Unsorted([lasting(number, 7, 0) for number in range(400)])
    with pytest.raises(SearchTooWide, match=r"start from 2024-01-01T0[67]:"):
        walked(service, mapping(tmp_path, limits="requests = 30"), Query(limit=10))


def test_a_record_without_a_time_is_told_once(tmp_path: Path) -> None:
    timeless = {**feature(0), "id": "never", "properties": {}}
    features = [lasting(number, number, 0) for number in range(30)]
    service = Service(lambda given: {"features": [timeless, *features], "totalResults": 31}, query=BY_TIME)
    pages = walked(service, mapping(tmp_path, limits="requests = 60"), Query(limit=10))
    assert names(pages).count("never") == 1
    assert len(names(pages)) == 31


@pytest.fixture(scope="module")
def shallow() -> Iterator[OpenSearchSimulator]:
    with OpenSearchSimulator(size=400, depth=40) as simulator:
        yield simulator


@settings(deadline=None, max_examples=5)
@given(limit=st.integers(15, 60), descending=st.booleans(), all_of_them=st.booleans())
def test_a_walk_goes_beyond_the_depth_of_the_service_in_order(
    shallow: OpenSearchSimulator, limit: int, descending: bool, all_of_them: bool
) -> None:
    walks = opened(shallow, depth=40)
    collections = () if all_of_them else (TOC, VGT)
    query = Query(collections, limit=limit, sortby=(SortKey("datetime", descending),))
    items = walks.items(query)
    assert sorted(item["id"] for item in items) == sorted(expected(shallow, query))
    starts = [item["properties"]["datetime"] for item in items]
    assert starts == sorted(starts, reverse=descending)


def test_products_that_come_in_during_a_walk_make_nothing_lost() -> None:
    with OpenSearchSimulator(size=120) as simulator:
        walks = opened(simulator)
        before = expected(simulator, Query())
        found = _growing(walks, simulator, Query(limit=20))
    assert set(before) <= set(found)


def _growing(walks: Walks, simulator: OpenSearchSimulator, query: Query) -> list[str]:
    """Return the ids of a walk during which each collection gets a new product between pages."""
    found: list[str] = []
    position: Json | None = None
    for _ in range(60):
        page = walks.page(Query(limit=query.limit, position=position))
        found += [record["Name"] for record in page.records]
        position = page.position
        if position is None:
            return found
        for key in KEYS.values():
            products = simulator.holdings.products[key]
            if products:
                products.append(type(products[0])(products[0].holding, len(products)))
    raise AssertionError("the walk does not end")
