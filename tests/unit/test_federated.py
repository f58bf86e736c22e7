"""Searches over several catalogues: nothing is lost, and nothing comes twice, whoever fails when."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.errors import BadRequest, UpstreamError, UpstreamTimeout
from stacbridge.federation import Federation, Results
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Query, SortKey
from stacbridge.ordering import place
from tests.api.archive import collection
from tests.unit.scripted import DOWN, KNOWN, ROOT, Script, Scripted, item, served


def walk(federation: Federation, query: Query, failures: int) -> list[Results]:
    """Return the pages of a search, asking again where one has nothing to give."""
    pages: list[Results] = []
    token = None
    while True:
        try:
            page = federation.search(query, token, ROOT)
        except UpstreamError:
            failures -= 1
            assert failures >= 0, "it failed more often than the catalogues did"
            continue
        pages.append(page)
        token = page.token
        assert page.items or (token is None and not page.missing)
        if token is None:
            return pages


ITEMS = st.lists(st.tuples(st.integers(1, 6), st.none() | st.integers(0, 3)), max_size=9)
ORDERS = st.sampled_from(
    [
        (),
        (SortKey("datetime"),),
        (SortKey("gsd"),),
        (SortKey("gsd", descending=True), SortKey("datetime")),
        (SortKey("id", descending=True),),
    ]
)


@settings(deadline=None)
@given(archives=st.lists(ITEMS, min_size=1, max_size=4), order=ORDERS, limit=st.integers(1, 7))
def test_a_walk_over_catalogues_is_their_sorted_union(
    archives: list[list[tuple[int, int | None]]], order: tuple[SortKey, ...], limit: int
) -> None:
    archive = {f"c{n}": [item(f"c{n}", k, *each) for k, each in enumerate(a)] for n, a in enumerate(archives)}
    with served(*(Scripted(id, items) for id, items in archive.items())) as federation:
        pages = walk(federation, Query(sortby=order, limit=limit, filter=KNOWN), 0)
    found = [each for page in pages for each in page.items]
    places = [place(each, order) for each in found]
    assert places == sorted(places)
    assert sorted(each["id"] for each in found) == sorted(each["id"] for a in archive.values() for each in a)
    assert all(len(page.items) == limit for page in pages[:-1])


ENDS = st.sampled_from([None, None, DOWN, UpstreamTimeout("It is late."), UpstreamError("Rubbish.")])
ARCHIVES = st.lists(st.tuples(ITEMS, st.lists(ENDS)), min_size=1, max_size=4)


@settings(deadline=None)
@given(archives=ARCHIVES, order=ORDERS, limit=st.integers(1, 7))
def test_nothing_is_lost_and_nothing_comes_twice_whoever_fails_when(
    archives: list[tuple[list[tuple[int, int | None]], Script]], order: tuple[SortKey, ...], limit: int
) -> None:
    catalogues = [
        Scripted(f"c{n}", [item(f"c{n}", k, *each) for k, each in enumerate(items)], script)
        for n, (items, script) in enumerate(archives)
    ]
    failures = sum(each is not None for _, script in archives for each in script)
    with served(*catalogues) as federation:
        pages = walk(federation, Query(sortby=order, limit=limit, filter=KNOWN), failures)
    found = [each["id"] for page in pages for each in page.items]
    assert sorted(found) == sorted(
        f"c{n}-{k}" for n, (items, _) in enumerate(archives) for k in range(len(items))
    )
    for page in pages:
        places = [place(each, order) for each in page.items]
        assert places == sorted(places)


@settings(deadline=None)
@given(
    days=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    new=st.lists(st.integers(1, 9), max_size=12),
    limit=st.integers(1, 4),
)
def test_items_that_come_during_a_walk_hide_none_of_those_that_were_there(
    days: list[int], new: list[int], limit: int
) -> None:
    catalogues = [Scripted("c0", [item("c0", k, day, 1) for k, day in enumerate(days)]), Scripted("c1", [])]
    query = Query(limit=limit, filter=KNOWN)
    found: list[str] = []
    with served(*catalogues) as federation:
        page = federation.search(query, None, ROOT)
        found += [each["id"] for each in page.items]
        while page.token:
            if new:
                catalogues[len(new) % 2].add(item(f"c{len(new) % 2}", 100 + len(new), new.pop(), 1))
            page = federation.search(query, page.token, ROOT)
            found += [each["id"] for each in page.items]
    assert len(found) == len(set(found))
    assert {f"c0-{k}" for k in range(len(days))} <= set(found)


def test_a_sort_key_that_one_catalogue_lacks_is_refused_by_its_name() -> None:
    one, other = Scripted("one", []), MemoryCatalogue("other", [collection("other")], [])
    with served(one, other) as federation:
        with pytest.raises(BadRequest, match="catalogue 'other' cannot be sorted by 'gsd'") as refused:
            federation.search(Query(sortby=(SortKey("gsd"),)), None, ROOT)
        assert refused.value.parameter == "sortby"
        assert federation.search(Query(collections=("one",), sortby=(SortKey("gsd"),)), None, ROOT).items


class Choosy(Scripted):
    """A catalogue whose ids have a form."""

    def may_hold(self, id: str) -> bool:
        return id.startswith(self.id)


def test_ids_are_asked_for_only_where_they_can_be() -> None:
    one, other = Choosy("one", [item("one", 0, 1, 1)]), Choosy("other", [item("other", 0, 1, 1)])
    anywhere = Scripted("anywhere", [])
    with served(one, other, anywhere) as federation:
        found = federation.search(Query(ids=("one-0", "one-1"), count=True), None, ROOT)
    assert ([each["id"] for each in found.items], found.matched) == (["one-0"], 1)
    assert (
        [query.ids for query in one.asked] == [("one-0", "one-1")] == [query.ids for query in anywhere.asked]
    )
    assert other.asked == []
