"""Searches over several catalogues, some of which fail: nothing is lost, and nothing comes twice."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.catalogue import Catalogue
from stacbridge.errors import (
    BadRequest,
    Misconfigured,
    StacbridgeError,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.federation import Federation, Results
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query, SortKey
from stacbridge.ordering import place
from stacbridge.settings import Settings
from tests.api.archive import collection
from tests.servers import Clock

ROOT = "http://bridge.example"
Script = Sequence[Exception | None]
DOWN = UpstreamUnavailable("It is down.", retry_after=7)


def item(catalogue: str, number: int, day: int, gsd: int | None) -> Json:
    properties: Json = {"datetime": f"2024-01-{day:02}T00:00:00Z"}
    return {
        "type": "Feature",
        "id": f"{catalogue}-{number}",
        "collection": catalogue,
        "geometry": None,
        "properties": properties if gsd is None else {**properties, "gsd": gsd},
        "links": [],
        "assets": {},
    }


class Scripted(MemoryCatalogue):
    """A catalogue that fails when its script says so, and then answers; keeps what it was asked."""

    def __init__(self, id: str, items: list[Json], script: Script | None = None) -> None:
        # One Item that no search here matches has every property, so that all can be sorted by.
        super().__init__(id, [collection(id)], [*items, item(id, 999, 1, 1) | {"id": "never"}])
        self.script: list[Exception | None] = list(script or [])
        self.asked: list[Query] = []

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        self.asked.append(query)
        failure = self.script.pop(0) if self.script else None
        if failure is not None:
            raise failure
        return super().search(query, root, ready=ready)


@contextmanager
def served(*catalogues: Catalogue, clock: Any = None, **given: object) -> Iterator[Federation]:
    """The federation of these catalogues, with threads that end."""
    chosen = Settings.model_validate({"breaker_failures": 1000, "search_threads": 4, **given})
    made = Federation(catalogues, chosen, **({} if clock is None else {"clock": clock}))
    try:
        yield made
    finally:
        made.close()


KNOWN: Json = {"op": "<>", "args": [{"property": "id"}, "never"]}


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


def two(failure: StacbridgeError) -> tuple[Scripted, Scripted]:
    """Return a catalogue that answers and one that fails once; the second has the newer Items."""
    return Scripted("up", [item("up", n, 1, n) for n in range(3)]), Scripted(
        "down", [item("down", n, 2, n) for n in range(3)], [failure]
    )


def test_a_catalogue_that_is_down_is_named_and_its_items_come_with_the_next_page() -> None:
    with served(*two(DOWN)) as federation:
        first = federation.search(Query(limit=2, count=True, filter=KNOWN), None, ROOT)
        assert [each["id"] for each in first.items] == ["up-0", "up-1"]
        assert (first.missing, first.matched) == ({"down": DOWN}, None)
        second = federation.search(Query(limit=9, filter=KNOWN), first.token, ROOT)
    assert [each["id"] for each in second.items] == ["down-0", "down-1", "down-2", "up-2"]
    assert (second.missing, second.token) == ({}, None)


@pytest.mark.parametrize(
    ("failure", "kind", "status"),
    [
        (DOWN, UpstreamError, 502),
        (UpstreamError("Rubbish."), UpstreamError, 502),
        (UpstreamTimeout("It is late."), UpstreamTimeout, 504),
        (Misconfigured("No password."), UpstreamError, 502),
    ],
)
def test_a_strict_search_fails_rather_than_lack_somebody(
    failure: StacbridgeError, kind: type[StacbridgeError], status: int
) -> None:
    with served(*two(failure)) as federation, pytest.raises(kind) as caught:
        federation.search(Query(filter=KNOWN), None, ROOT, strict=True)
    assert (caught.value.status, caught.value.description) == (status, failure.description)
    assert caught.value.retry_after == failure.retry_after


@pytest.mark.parametrize(
    ("failures", "status"),
    [
        ([UpstreamUnavailable("Down."), UpstreamError("Rubbish.")], 503),
        ([UpstreamError("Rubbish."), UpstreamUnavailable("Down.")], 503),
        ([UpstreamTimeout("Late."), UpstreamError("Rubbish.")], 504),
        ([UpstreamError("Rubbish."), UpstreamError("Rubbish.")], 502),
    ],
)
def test_without_any_item_the_most_telling_failure_is_raised_and_when_to_come_back(
    failures: list[StacbridgeError], status: int
) -> None:
    catalogues = [Scripted(f"c{n}", [item(f"c{n}", 0, 1, 1)], [each]) for n, each in enumerate(failures)]
    with served(*catalogues) as federation, pytest.raises(StacbridgeError) as caught:
        federation.search(Query(), None, ROOT)
    assert caught.value.status == status
    assert (caught.value.retry_after is not None) == (status != 502)


def test_a_last_page_never_is_an_empty_one_that_asks_to_come_back() -> None:
    up, down = two(DOWN)
    down.script = [DOWN, DOWN]
    with served(up, down) as federation:
        query = Query(limit=9, filter=KNOWN)
        first = federation.search(query, None, ROOT)
        assert len(first.items) == 3
        with pytest.raises(UpstreamUnavailable):
            federation.search(query, first.token, ROOT)
        second = federation.search(query, first.token, ROOT)
    assert [each["id"] for each in second.items] == ["down-0", "down-1", "down-2"]
    assert len(up.asked) == 1


def test_words_that_a_catalogue_refuses_are_the_callers() -> None:
    refusing = two(BadRequest("No such thing.", parameter="filter"))
    with served(*refusing) as federation, pytest.raises(BadRequest, match="No such thing"):
        federation.search(Query(), None, ROOT)


def test_a_fault_that_nobody_foresaw_in_one_catalogue_takes_nothing_from_the_others() -> None:
    up, odd = two(DOWN)
    odd.script = [RuntimeError("a dialect's own mistake"), RuntimeError("again")]
    with served(up, odd) as federation:
        page = federation.search(Query(filter=KNOWN), None, ROOT)
        assert (len(page.items), list(page.missing), page.missing["down"].status) == (3, ["down"], 502)
        with pytest.raises(RuntimeError):
            federation.search(Query(collections=("down",)), None, ROOT)


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


class Hidden(Scripted):
    """A catalogue that cannot tell its collections until it is `up`."""

    up = False

    def collections(self) -> list[Json]:
        if not self.up:
            raise DOWN
        return super().collections()

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        if not self.up:
            raise DOWN
        return super().search(query, root, ready=ready)


def test_a_collection_that_a_silent_catalogue_may_hold_is_missing_and_not_nowhere() -> None:
    hidden = Hidden("hidden", [item("hidden", 0, 1, 1)])
    with served(Scripted("one", [item("one", 0, 1, 1)]), hidden) as federation:
        query = Query(collections=("one", "hidden"), filter=KNOWN)
        first = federation.search(query, None, ROOT)
        assert ([each["id"] for each in first.items], list(first.missing)) == (["one-0"], ["hidden"])
        assert set(federation.told().silent) == {"hidden"}
        hidden.up = True
        second = federation.search(query, first.token, ROOT)
        assert [each["id"] for each in second.items] == ["hidden-0"]
        assert federation.told().silent == {}


def test_a_catalogue_that_keeps_failing_is_left_alone_until_a_probe_succeeds() -> None:
    clock = Clock()
    down = Scripted("down", [item("down", 0, 1, 1)], [DOWN, DOWN])
    with served(down, clock=clock, breaker_failures=2, breaker_seconds=30) as federation:
        for _ in range(2):
            with pytest.raises(UpstreamUnavailable, match="It is down"):
                federation.search(Query(), None, ROOT)
        with pytest.raises(UpstreamUnavailable, match="not asked for now") as caught:
            federation.search(Query(), None, ROOT)
        assert (caught.value.retry_after, len(down.asked)) == (30, 2)
        clock.now += 30
        assert federation.search(Query(), None, ROOT).items
        assert len(down.asked) == 3


@pytest.mark.parametrize("failure", [BadRequest("No."), UpstreamRejected("No."), Misconfigured("No.")])
def test_words_that_a_catalogue_does_not_take_leave_it_open_to_others(failure: StacbridgeError) -> None:
    catalogue = Scripted("one", [item("one", 0, 1, 1)], [failure] * 9)
    with served(catalogue, breaker_failures=2) as federation:
        for _ in range(9):
            with pytest.raises(type(failure)):
                federation.search(Query(), None, ROOT)
        assert federation.search(Query(), None, ROOT).items


class Held(Scripted):
    """A catalogue that answers once it is let go."""

    def __init__(self, id: str, items: list[Json]) -> None:
        super().__init__(id, items)
        self.go = Event()

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        assert self.go.wait(10)
        return super().search(query, root, ready=ready)


def test_a_hard_deadline_ends_the_wait_for_a_catalogue_that_never_answered() -> None:
    held = Held("held", [item("held", 0, 1, 1)])
    with served(Scripted("one", [item("one", 0, 1, 1)]), held, catalogue_deadline=0.05) as federation:
        first = federation.search(Query(filter=KNOWN), None, ROOT)
        assert ([each["id"] for each in first.items], list(first.missing)) == (["one-0"], ["held"])
        assert isinstance(first.missing["held"], UpstreamTimeout)
        held.go.set()
        second = federation.search(Query(filter=KNOWN), first.token, ROOT)
    assert [each["id"] for each in second.items] == ["held-0"]


def test_hung_catalogues_take_no_threads_from_the_others() -> None:
    held, other = Held("held", []), Scripted("other", [item("other", 0, 1, 1)])
    with (
        served(held, other, search_threads=2, catalogue_deadline=0.05) as federation,
        ThreadPoolExecutor(6) as pool,
    ):
        asked = [pool.submit(federation.search, Query(filter=KNOWN), None, ROOT) for _ in range(6)]
        assert all(list(each.result(10).missing) == ["held"] for each in asked)
        held.go.set()


def test_the_order_of_a_page_and_its_times_are_told() -> None:
    with served(*two(DOWN)) as federation:
        page = federation.search(Query(), None, ROOT)
    assert set(page.seconds) == {"up", "down"}
    assert replace(page, seconds={}).merging >= 0
