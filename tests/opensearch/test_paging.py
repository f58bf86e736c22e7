"""However a service pages, a walk gives every record once and ends."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.model import Json, Query
from tests.opensearch.services import Service, feature, mapping, names, turned, walked

TOTAL = 23
ALL = [feature(number) for number in range(TOTAL)]
IDS = [each["id"] for each in ALL]
PAGED = "n={count?}&amp;p={startPage?}"


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
    "index from 1": Service(by_index(1, totalResults=TOTAL)),
    "index from 0": Service(by_index(0, totalResults=TOTAL), offsets='indexOffset="0"'),
    "no total": Service(by_index(1)),
    "a total that is too high": Service(by_index(1, totalResults=TOTAL + 20)),
    "total as text": Service(by_index(1, totalResults=str(TOTAL))),
    "resto's total is null": Service(
        by_index(1, properties={"totalResults": None, "exactCount": 0, "links": []})
    ),
    "page from 1": Service(by_page(1, totalResults=TOTAL), query=PAGED),
    "page from 0": Service(by_page(0), query=PAGED, offsets='pageOffset="0"'),
    "links": Service(by_link, query="n={count?}"),
    "links without count": Service(by_link, query="x=1"),
    "longer pages than asked": Service(lambda g: cut(int(g["at"]) - 1, 9, totalResults=TOTAL)),
    "shorter pages than asked": Service(
        lambda g: cut(int(g["at"]) - 1, min(3, int(g["n"])), totalResults=TOTAL)
    ),
}


@pytest.mark.parametrize("limit", [1, 4, 10, 100])
@pytest.mark.parametrize("habit", SERVICES)
def test_every_record_comes_once(tmp_path: Path, habit: str, limit: int) -> None:
    pages = walked(SERVICES[habit], mapping(tmp_path), Query(limit=limit))
    assert names(pages) == IDS
    assert all(len(page.records) <= limit for page in pages)


@settings(deadline=None)
@given(limits=st.lists(st.integers(1, 12), min_size=1, max_size=40), habit=st.sampled_from(list(SERVICES)))
def test_the_limit_may_change_from_page_to_page(
    tmp_path_factory: pytest.TempPathFactory, limits: list[int], habit: str
) -> None:
    catalogue = mapping(tmp_path_factory.mktemp("one"))
    found: list[str] = []
    position: Json | None = None
    for number in range(60):
        limit = limits[number % len(limits)]
        page = turned(SERVICES[habit], catalogue, Query(limit=limit, position=position))
        found += names([page])
        position = page.position
        if position is None:
            break
    assert found == IDS


def test_a_service_that_answers_one_page_for_ever_is_an_error(tmp_path: Path) -> None:
    service = Service(lambda given: cut(0, 5, totalResults=TOTAL))
    with pytest.raises(UpstreamError, match="the same page again") as failed:
        walked(service, mapping(tmp_path), Query(limit=5))
    assert failed.value.upstream == "one"


def test_a_service_without_an_end_of_time_is_not_paged_beyond_its_depth(tmp_path: Path) -> None:
    service = Service(by_index(1, totalResults=TOTAL), query="n={count?}&amp;at={startIndex?}")
    with pytest.raises(BadRequest, match="pages through 20 records"):
        walked(service, mapping(tmp_path, limits="depth = 20"), Query(limit=10))


def test_links_to_the_next_page_never_become_part_of_a_token(tmp_path: Path) -> None:
    page = turned(SERVICES["links"], mapping(tmp_path), Query(limit=8))
    assert page.position is not None
    assert page.position["q"] == {"cursor": "8"}


def test_matches_are_counted_where_all_were_given(tmp_path: Path) -> None:
    service = Service(by_index(1))
    assert walked(service, mapping(tmp_path), Query(limit=100, count=True))[0].matched is None
    service = Service(by_index(1, totalResults=TOTAL))
    assert walked(service, mapping(tmp_path), Query(limit=5, count=True))[0].matched == TOTAL
