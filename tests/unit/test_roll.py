"""Who holds which collection, where some catalogues come and go."""

from collections.abc import Callable, Iterator
from threading import Event

import pytest

from stacbridge.channel import Channel
from stacbridge.errors import Misconfigured, NotFound, UpstreamUnavailable
from stacbridge.memory import MemoryCatalogue
from stacbridge.roll import Roll
from stacbridge.settings import Settings
from tests.api.archive import collection
from tests.unit.discovered import PATIENCE, Discovered

Enrol = Callable[..., Roll]


@pytest.fixture
def enrol() -> Iterator[Enrol]:
    """Makes the roll of catalogues that are waited for `patience` seconds."""
    channels: list[Channel] = []

    def make(*catalogues: MemoryCatalogue, patience: float = PATIENCE) -> Roll:
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


def test_the_files_of_two_catalogues_may_not_name_one_collection(enrol: Enrol) -> None:
    with pytest.raises(Misconfigured, match="'a' is in both catalogues 'one' and 'other'") as refused:
        enrol(*(MemoryCatalogue(id, [collection("a")], []) for id in ("one", "other")))
    assert refused.value.advice is not None


def test_what_two_services_list_is_that_of_the_catalogue_named_first(
    enrol: Enrol, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = Discovered("one", "a"), Discovered("other", "a", "b", "c")
    roll = enrol(one, other)
    for _ in range(2):
        told = roll.all()
        assert (list(told.collections), told.elsewhere) == (["a", "b", "c"], {"other": {"a": "one"}})
        assert [roll.owner(id) for id in "abc"] == [one, other, other]
    assert [record.getMessage() for record in caplog.records] == [f"other: {told.remarks()['other']}"]
    assert "'a' (one)" in told.remarks()["other"]


def test_a_service_that_begins_to_list_what_another_has_takes_nothing_away(enrol: Enrol) -> None:
    one, other = Discovered("one", "a"), Discovered("other", "b")
    roll = enrol(one, other)
    other.told.append(collection("a"))
    assert roll.all().elsewhere == {"other": {"a": "one"}}
    one.told.append(collection("b"))
    assert roll.all().elsewhere == {"other": {"b": "one", "a": "one"}}
    assert [roll.owner(id) for id in "ab"] == [one, one]
    one.told.clear()
    assert roll.all().elsewhere == {}
    assert [roll.owner(id) for id in "ab"] == [other, other]


def test_what_the_files_of_a_catalogue_name_is_no_services(enrol: Enrol) -> None:
    listing, filed = Discovered("listing", "a", "b"), MemoryCatalogue("filed", [collection("a")], [])
    roll = enrol(listing, filed)
    assert [roll.owner(id) for id in "ab"] == [filed, listing]
    assert roll.known.elsewhere == {"listing": {"a": "filed"}}


def test_a_catalogue_with_collections_that_are_left_out_is_asked_for_the_others_by_name(
    enrol: Enrol,
) -> None:
    one, other, none = Discovered("one", "a"), Discovered("other", "a", "b"), Discovered("none", "a")
    roll = enrol(one, other, none)
    assert roll.parts(()) == [(one, ("a",), True), (other, ("b",), False)]
    assert roll.parts(["b"]) == [(other, ("b",), False)]
    assert roll.parts(["a"]) == [(one, ("a",), True)]


def test_all_collections_are_asked_of_those_too_who_have_told_none(enrol: Enrol) -> None:
    one, other, empty = Discovered("one", "a"), Discovered("other", "b"), Discovered("empty")
    other.down = True
    assert enrol(one, other, empty).parts(()) == [(one, ("a",), True), (other, (), True), (empty, (), True)]


def test_the_roll_of_a_catalogue_alone_leaves_out_what_others_have() -> None:
    one, other = (Channel(Discovered(id, "a", id), Settings()) for id in ("one", "other"))
    whole = Roll([one, other])
    alone = Roll([other], whole)
    assert (list(alone.all().collections), alone.known.elsewhere) == (["other"], {"other": {"a": "one"}})
    assert list(Roll([one], whole).all().collections) == ["a", "one"]
    for channel in (one, other):
        channel.close()
