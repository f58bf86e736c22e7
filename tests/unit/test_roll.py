"""Who holds which collection, where some catalogues come and go."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import Event

import pytest

from stacbridge.app import health
from stacbridge.errors import Misconfigured, NotFound, UpstreamUnavailable
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json
from stacbridge.roll import Roll
from tests.api.archive import collection

PATIENCE = 10


class Discovered(MemoryCatalogue):
    """A catalogue whose service lists its collections, unless it is down; `slow` is waited for."""

    def __init__(self, id: str, *collections: str) -> None:
        super().__init__(id, [], [])
        self.told = [collection(each) for each in collections]
        self.down = False
        self.slow: Event | None = None
        self.worries: list[str] = []

    def collections(self) -> list[Json]:
        if self.slow is not None:
            self.slow.wait(PATIENCE)
        if self.down:
            raise UpstreamUnavailable(f"{self.id} is down.", retry_after=60)
        return self.told

    def warnings(self) -> list[str]:
        return self.worries


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_a_catalogue_that_is_down_takes_nothing_from_the_others(threads: Executor) -> None:
    one, other = Discovered("one", "a"), Discovered("other", "b")
    other.down = True
    roll = Roll([one, other], threads, PATIENCE)
    assert list(roll.all()) == ["a"]
    assert roll.owner("a") is one


def test_what_a_catalogue_that_is_down_may_have_is_not_said_to_be_nowhere(threads: Executor) -> None:
    one, other = Discovered("one", "a"), Discovered("other", "b")
    other.down = True
    roll = Roll([one, other], threads, PATIENCE)
    with pytest.raises(UpstreamUnavailable, match="other is down"):
        roll.collection("b")
    with pytest.raises(UpstreamUnavailable, match="other is down"):
        roll.parts(["a", "b"])
    assert roll.parts(["a"]) == [(one, ("a",), True)]


def test_a_catalogue_that_comes_back_is_heard_of(threads: Executor) -> None:
    one, other = Discovered("one", "a"), Discovered("other", "b", "c")
    other.down = True
    roll = Roll([one, other], threads, PATIENCE)
    other.down = False
    assert roll.owner("b") is other
    assert roll.parts(["c", "a", "nowhere", "c"]) == [(one, ("a",), True), (other, ("c",), False)]


def test_a_collection_that_is_new_at_a_service_is_found(threads: Executor) -> None:
    one = Discovered("one", "a")
    roll = Roll([one], threads, PATIENCE)
    with pytest.raises(NotFound):
        roll.collection("b")
    one.told.append(collection("b"))
    assert roll.collection("b")["id"] == "b"


def test_a_slow_catalogue_does_not_hold_up_the_start(threads: Executor) -> None:
    one, slow = Discovered("one", "a"), Discovered("slow", "b")
    slow.slow = Event()
    roll = Roll([one, slow], threads, 0.01)
    assert roll.collection("a")["id"] == "a"
    slow.slow.set()
    assert roll.collection("b")["id"] == "b"


def test_two_catalogues_may_not_claim_one_collection(threads: Executor) -> None:
    with pytest.raises(Misconfigured, match="'a' is in both catalogues 'one' and 'other'"):
        Roll([Discovered("one", "a"), Discovered("other", "a")], threads, PATIENCE)


def test_the_health_answer_warns_of_accounts_that_are_about_to_end() -> None:
    one, other = Discovered("one"), Discovered("other")
    assert health([one, other]) == {"status": "ok"}
    other.worries = ["The refresh token ends in 3 days."]
    assert health([one, other])["warnings"] == {"other": ["The refresh token ends in 3 days."]}
