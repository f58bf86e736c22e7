"""However a service pages, a walk gives every record once and ends."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.model import Json, Query
from tests.leaving import CHANCES, left
from tests.opensearch.services import BY_TIME, SORTED, Service, feature, mapping, names, turned, walked

TOTAL = 23
ALL = [feature(number) for number in reversed(range(TOTAL))]
IDS = [each["id"] for each in ALL]
INDEXED = "n={count?}&amp;at={startIndex?}"
PAGED = "n={count?}&amp;p={startPage?}"
ORDERS = {"sorted": SORTED, "own order": "", "by time": "&amp;from={t:start?}&amp;to={t:end?}"}


def cut(start: int, count: int, **more: object) -> Json:
    return {"type": "FeatureCollection", "features": ALL[max(start, 0) : max(start, 0) + count], **more}


def by_index(base: int, **told: object) -> Callable[[dict[str, str]], Json]:
    return lambda given: cut(int(given["at"]) - base, int(given["n"]), **told)


def by_page(base: int, **told: object) -> Callable[[dict[str, str]], Json]:
    return lambda given: cut((int(given["p"]) - base) * int(given["n"]), int(given["n"]), **told)


def by_link(given: dict[str, str]) -> Json:
    """Page by an opaque cursor in a link; ask for no more than eight at once."""
    start = int(given.get("cursor", "0"))
    href = f"https://search.example/find?n={given.get('n')}&cursor={start + 8}"
    rest = [{"rel": "next", "href": href}] if start + 8 < TOTAL else []
    return cut(
        start, 8, properties={"links": [{"rel": "first", "href": "https://search.example/find"}, *rest]}
    )


SERVICES: dict[str, Service] = {
    "index from 1": Service(by_index(1, totalResults=TOTAL), query=INDEXED),
    "index from 0": Service(by_index(0, totalResults=TOTAL), query=INDEXED, offsets='indexOffset="0"'),
    "no total": Service(by_index(1), query=INDEXED),
    "a total that is too high": Service(by_index(1, totalResults=TOTAL + 20), query=INDEXED),
    "total as text": Service(by_index(1, totalResults=str(TOTAL)), query=INDEXED),
    "resto's total is null": Service(
        by_index(1, properties={"totalResults": None, "exactCount": 0, "links": []}), query=INDEXED
    ),
    "page from 1": Service(by_page(1, totalResults=TOTAL), query=PAGED),
    "page from 0": Service(by_page(0), query=PAGED, offsets='pageOffset="0"'),
    "links": Service(by_link, query="n={count?}"),
    "links without count": Service(by_link, query="x=1"),
    "longer pages than asked": Service(lambda g: cut(int(g["at"]) - 1, 9, totalResults=TOTAL), query=INDEXED),
    "shorter pages than asked": Service(
        lambda g: cut(int(g["at"]) - 1, min(3, int(g["n"])), totalResults=TOTAL), query=INDEXED
    ),
}


def ordered(habit: str, order: str) -> Service:
    return replace(SERVICES[habit], query=SERVICES[habit].query + ORDERS[order], seen=[])


@pytest.mark.parametrize("limit", [1, 4, 10, 100])
@pytest.mark.parametrize("habit", SERVICES)
@pytest.mark.parametrize("order", ORDERS)
def test_every_record_comes_once(tmp_path: Path, order: str, habit: str, limit: int) -> None:
    pages = walked(ordered(habit, order), mapping(tmp_path, BY_TIME), Query(limit=limit))
    assert names(pages) == IDS
    assert all(len(page.records) <= limit for page in pages)


@settings(deadline=None)
@given(
    limits=st.lists(st.integers(1, 12), min_size=1, max_size=40),
    habit=st.sampled_from(list(SERVICES)),
    order=st.sampled_from(list(ORDERS)),
    chance=CHANCES,
)
def test_the_limit_may_change_from_page_to_page(
    tmp_path_factory: pytest.TempPathFactory,
    limits: list[int],
    habit: str,
    order: str,
    chance: Random | None,
) -> None:
    catalogue, service = mapping(tmp_path_factory.mktemp("one"), BY_TIME), ordered(habit, order)
    found: list[str] = []
    position: Json | None = None
    for number in range(60):
        limit = limits[number % len(limits)]
        page, position = left(turned(service, catalogue, Query(limit=limit, position=position)), chance)
        found += names([page])
        if position is None:
            break
    assert found == IDS


@pytest.mark.parametrize("order", ORDERS)
def test_a_service_that_answers_one_page_for_ever_is_an_error(tmp_path: Path, order: str) -> None:
    query = f"{INDEXED}{ORDERS[order]}"
    service = Service(lambda given: cut(0, 5, totalResults=TOTAL), query=query)
    with pytest.raises(UpstreamError, match="the same page again") as failed:
        walked(service, mapping(tmp_path, BY_TIME), Query(limit=5))
    assert failed.value.upstream == "one"


def test_a_service_without_an_end_of_time_is_not_paged_beyond_its_depth(tmp_path: Path) -> None:
    service = Service(by_index(1, totalResults=TOTAL), query="n={count?}&amp;at={startIndex?}")
    with pytest.raises(BadRequest, match="pages through 20 records"):
        walked(service, mapping(tmp_path, limits="depth = 20"), Query(limit=10))


def test_links_to_the_next_page_never_become_part_of_a_token(tmp_path: Path) -> None:
    page = turned(SERVICES["links"], mapping(tmp_path), Query(limit=8))
    assert page.position is not None
    (step,) = page.position["steps"].values()
    assert step["q"] == {"cursor": "8"}


def test_matches_are_counted_where_all_were_given(tmp_path: Path) -> None:
    service = Service(by_index(1), query=INDEXED)
    assert walked(service, mapping(tmp_path), Query(limit=5, count=True))[0].matched is None
    assert walked(service, mapping(tmp_path), Query(limit=100, count=True))[0].matched == TOTAL
    service = Service(by_index(1, totalResults=TOTAL), query=INDEXED)
    assert walked(service, mapping(tmp_path), Query(limit=5, count=True))[0].matched == TOTAL
