"""Who holds which collection, where some catalogues come and go."""

from collections.abc import Callable, Iterator
from threading import Event

import pytest

from stacbridge.channel import Channel
from stacbridge.errors import Misconfigured, NotFound, UpstreamUnavailable
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json
from stacbridge.roll import Roll
from stacbridge.settings import Settings
from tests.api.archive import collection

PATIENCE = 10


class Discovered(MemoryCatalogue):
    """A catalogue whose service lists its collections, unless it is down; `slow` is waited for."""

    def __init__(self, id: str, *collections: str) -> None:
        super().__init__(id, [], [])
        self.told = [collection(each) for each in collections]
        self.down = False
        self.slow: Event | None = None

    def collections(self) -> list[Json]:
        if self.slow is not None:
            self.slow.wait(PATIENCE)
        if self.down:
            raise UpstreamUnavailable(f"{self.id} is down.", retry_after=60)
        return self.told


Enrol = Callable[..., Roll]


@pytest.fixture
def enrol() -> Iterator[Enrol]:
    """Makes the roll of catalogues that are waited for `patience` seconds."""
    channels: list[Channel] = []

    def make(*catalogues: Discovered, patience: float = PATIENCE) -> Roll:
        asked = [Channel(each, Settings(connect_timeout=patience)) for each in catalogues]
        channels.extend(asked)
        return Roll(asked)

    yield make
    for channel in channels:
        channel.close()


def test_a_catalogue_that_is_down_takes_nothing_from_the_others(enrol: Enrol) -> None:
    one, other = Discovered("one", "a"), Discovered("other", "b")
    other.down = True
    roll = enrol(one, other)
    assert list(roll.all().collections) == ["a"]
    assert roll.owner("a") is one


def test_what_a_catalogue_that_is_down_may_have_is_not_said_to_be_nowhere(enrol: Enrol) -> None:
    one, other = Discovered("one", "a"), Discovered("other", "b")
    other.down = True
    roll = enrol(one, other)
    with pytest.raises(UpstreamUnavailable, match="other is down"):
        roll.collection("b")
    assert roll.parts(["a", "b"]) == [(one, ("a",), True), (other, ("b",), False)]
    assert roll.parts(["a"]) == [(one, ("a",), True)]


def test_a_catalogue_that_comes_back_is_heard_of(enrol: Enrol) -> None:
    one, other = Discovered("one", "a"), Discovered("other", "b", "c")
    other.down = True
    roll = enrol(one, other)
    other.down = False
    assert roll.owner("b") is other
    assert roll.parts(["c", "a", "nowhere", "c"]) == [(one, ("a",), True), (other, ("c",), False)]


def test_a_collection_that_is_new_at_a_service_is_found(enrol: Enrol) -> None:
    one = Discovered("one", "a")
    roll = enrol(one)
    with pytest.raises(NotFound):
        roll.collection("b")
    one.told.append(collection("b"))
    assert roll.collection("b")["id"] == "b"


def test_a_slow_catalogue_does_not_hold_up_the_start(enrol: Enrol) -> None:
    one, slow = Discovered("one", "a"), Discovered("slow", "b")
    slow.slow = Event()
    roll = enrol(one, slow, patience=0.01)
    assert roll.collection("a")["id"] == "a"
    assert set(roll.all().silent) == {"slow"}
    slow.slow.set()
    roll = enrol(one, slow)
    assert roll.collection("b")["id"] == "b"


def test_a_catalogue_that_went_down_keeps_the_collections_that_it_told(enrol: Enrol) -> None:
    one, other = Discovered("one", "a"), Discovered("other", "b")
    roll = enrol(one, other)
    other.down = True
    told = roll.all()
    assert (list(told.collections), told.silent) == (["a", "b"], {})


def test_two_catalogues_may_not_claim_one_collection(enrol: Enrol) -> None:
    with pytest.raises(Misconfigured, match="'a' is in both catalogues 'one' and 'other'"):
        enrol(Discovered("one", "a"), Discovered("other", "a"))
