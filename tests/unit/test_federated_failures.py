"""Catalogues that are down, late, refusing or hidden: what a search over several tells of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest

from stacbridge.errors import (
    BadRequest,
    Misconfigured,
    StacbridgeError,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.model import Found, Json, Query
from tests.servers import Clock
from tests.unit.scripted import DOWN, KNOWN, ROOT, Scripted, item, served


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
