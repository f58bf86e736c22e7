"""Pages are filled up with what matches, in order, each once, from wherever an upstream cuts its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.errors import SearchTooWide, UpstreamError
from stacbridge.model import Found, Json, Page, Query, Skipped
from stacbridge.sieve import Bounds, fill

CHECKED = ("'a' isnull",)
EVEN = {"op": "even"}


@dataclass
class Archive:
    """Records are numbers; pages start at a number, and are no longer than `cut`. Negative numbers cannot be
    Items. A page can be left behind any record, unless it is `whole`. Keeps what it was asked, and tells a
    second for each."""

    records: list[int]
    cut: int = 1000
    checked: tuple[str, ...] = CHECKED
    whole: bool = False
    asked: list[Query] = field(default_factory=list)

    def ask(self, query: Query) -> Page:
        self.asked.append(query)
        start = int((query.position or {"n": 0})["n"])
        end = start + min(query.limit, self.cut)
        following = {"n": end} if end < len(self.records) else None
        matched = len(self.records) if query.count and not self.checked else None
        found = [{"n": n} for n in self.records[start:end]]

        def after(count: int) -> Json:
            assert 0 < count < len(found), "the page has an end, and it is elsewhere"
            return {"n": start + count}

        return Page(found, following, matched, self.checked, after=None if self.whole else after)

    def now(self) -> float:
        return float(len(self.asked))

    def fill(self, query: Query, pages: int = 10_000, seconds: float = 1e9) -> Found:
        return fill(query, self.ask, translate, is_even, Bounds(pages, seconds, self.now), "toy")

    def walk(self, query: Query) -> Iterator[Found]:
        while True:
            found = self.fill(query)
            yield found
            if found.position is None:
                return
            query = replace(query, position=found.position)


def translate(records: list[Json]) -> tuple[list[Json], list[Skipped]]:
    return (
        [record for record in records if record["n"] >= 0],
        [Skipped(str(each["n"]), "negative", number) for number, each in enumerate(records) if each["n"] < 0],
    )


def is_even(item: Json) -> bool:
    return bool(item["n"] % 2 == 0)


def numbers(found: Found) -> list[int]:
    return [item["n"] for item in found.items]


RECORDS = st.lists(st.integers(-3, 9), max_size=40)


@given(RECORDS, st.integers(1, 7), st.integers(1, 50), st.booleans(), st.booleans())
def test_a_walk_gives_what_matches_in_order_and_each_once(
    records: list[int], cut: int, limit: int, exact: bool, whole: bool
) -> None:
    archive = Archive(records, cut, () if exact else CHECKED, whole)
    pages = list(archive.walk(Query(limit=limit, filter=EVEN)))
    expected = [n for n in records if n >= 0 and (exact or n % 2 == 0)]
    assert [n for page in pages for n in numbers(page)] == expected
    assert all(page.items for page in pages if page.position is not None)
    assert all(len(page.items) <= limit for page in pages)
    assert [s.record for page in pages for s in page.skipped] == [
        str(n) for n in records if n < 0
    ] or not exact


@given(RECORDS, st.integers(1, 7), st.integers(1, 50), st.booleans(), st.data())
def test_a_search_goes_on_behind_any_item(
    records: list[int], cut: int, limit: int, whole: bool, data: st.DataObject
) -> None:
    archive = Archive(records, cut, whole=whole)
    expected = [n for n in records if n >= 0 and n % 2 == 0]
    given_up: list[int] = []
    query = Query(limit=limit, filter=EVEN)
    while True:
        found = archive.fill(query)
        assert len(found.places) == len(found.items)
        assert not found.places or found.places[-1] == found.position
        if not found.items:
            break
        taken = data.draw(st.integers(1, len(found.items)))
        given_up += numbers(found)[:taken]
        place = found.places[taken - 1]
        if place is None:
            break
        query = replace(query, position=place, limit=data.draw(st.integers(1, 50)))
    assert given_up == expected


def test_a_page_that_is_left_behind_a_record_is_not_asked_for_again() -> None:
    archive = Archive([0, -1, *range(2, 60)], checked=())
    query, found = Query(limit=4), list[int]()
    while len(found) < 30:
        page = archive.fill(query)
        found += numbers(page)[:3]
        query = replace(query, position=page.places[2])
    assert found == [n for n in archive.records if n >= 0][:30]
    assert {asked.limit for asked in archive.asked} == {4}
    assert [(asked.position or {"n": 0})["n"] for asked in archive.asked] == [0, *range(4, 31, 3)]


def test_a_position_within_a_page_is_read_though_the_page_could_be_left_behind_a_record() -> None:
    archive = Archive([-1, *range(20)], checked=())
    found = archive.fill(Query(limit=3, position={"p": {"n": 5}, "k": 2}))
    assert (numbers(found), found.places[0]) == ([6, 7, 8], {"p": {"n": 8}})


def test_a_search_that_needs_no_check_asks_for_what_is_missing_once() -> None:
    archive = Archive([1, -1, 3, 4], checked=())
    found = archive.fill(Query(limit=3, count=True))
    assert numbers(found) == [1, 3]
    assert found.matched == 4
    assert [query.limit for query in archive.asked] == [3]


def test_pages_grow_where_few_items_match_and_only_the_first_is_counted() -> None:
    archive = Archive([1] * 5000 + [2] * 30)
    found = archive.fill(Query(limit=10, count=True))
    assert numbers(found) == [2] * 10
    assert found.matched is None
    assert [query.limit for query in archive.asked] == [10, 1000, 1000, 1000, 1000, 1000]
    assert [query.count for query in archive.asked] == [True, *[False] * 5]


@pytest.mark.parametrize("bound", [{"pages": 2}, {"seconds": 2.0}])
def test_at_a_bound_a_page_is_short_and_says_where_it_goes_on(bound: dict[str, int]) -> None:
    archive = Archive([2] + [1] * 3000 + [4])
    found = archive.fill(Query(limit=10, filter=EVEN), **bound)
    assert numbers(found) == [2]
    assert len(archive.asked) == 2
    assert found.position is not None
    rest = archive.fill(Query(limit=10, filter=EVEN, position=found.position))
    assert numbers(rest) == [4]


@pytest.mark.parametrize("bound", [{"pages": 2}, {"seconds": 2.0}])
def test_a_bound_before_anything_is_found_is_an_error_that_names_what_was_checked(
    bound: dict[str, int],
) -> None:
    with pytest.raises(SearchTooWide, match=r"None of the first 1010 items .*'a' isnull.*pushed") as failure:
        Archive([1] * 3000).fill(Query(limit=10, filter=EVEN), **bound)
    assert failure.value.parameter == "filter"
    assert failure.value.upstream == "toy"


def test_a_bound_before_any_record_that_can_be_an_item_says_so() -> None:
    with pytest.raises(UpstreamError, match=r"without one record .* 4 records; the first: negative"):
        Archive([-1] * 9, cut=2, checked=()).fill(Query(), pages=2)


def test_nothing_at_the_end_is_an_empty_page() -> None:
    found = Archive([1, 3]).fill(Query(filter=EVEN), pages=1)
    assert (found.items, found.position, len(found.places)) == ([], None, 0)
