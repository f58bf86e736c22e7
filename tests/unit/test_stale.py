from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from stacbridge.errors import UpstreamUnavailable
from stacbridge.wire.stale import Refreshed
from tests.servers import Clock


class Source:
    """Numbers its answers, or fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False

    def __call__(self) -> int:
        self.asked += 1
        if self.down:
            raise UpstreamUnavailable("It is down.")
        return self.asked


def test_a_value_is_kept_for_a_while_and_then_made_anew() -> None:
    source, clock = Source(), Clock()
    value = Refreshed(source, 60, 5, clock=clock)
    assert [value.get(), value.get()] == [1, 1]
    clock.now += 60
    assert value.get() == 2


def test_an_old_value_serves_while_the_source_is_down_which_is_asked_now_and_then() -> None:
    source, clock = Source(), Clock()
    value = Refreshed(source, 60, 5, clock=clock)
    value.get()
    source.down = True
    clock.now += 60
    assert [value.get(), value.get(), source.asked] == [1, 1, 2]
    clock.now += 5
    assert (value.get(), source.asked) == (1, 3)
    source.down = False
    clock.now += 5
    assert value.get() == 4


def test_without_an_old_value_the_failure_is_told_and_the_source_left_alone_for_a_while() -> None:
    source, clock = Source(), Clock()
    source.down = True
    value = Refreshed(source, 60, 5, clock=clock)
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            value.get()
    assert source.asked == 1
    source.down = False
    clock.now += 5
    assert value.get() == 2


def test_an_old_value_serves_all_but_the_one_who_makes_it_anew() -> None:
    clock, started, go = Clock(), Event(), Event()
    made = iter(range(9))

    def make() -> int:
        number = next(made)
        if number:
            started.set()
            assert go.wait(10)
        return number

    value = Refreshed(make, 60, 5, clock=clock)
    assert value.get() == 0
    clock.now += 60
    with ThreadPoolExecutor(1) as other:
        renewed = other.submit(value.get)
        assert started.wait(10)
        assert value.get() == 0
        go.set()
        assert renewed.result() == 1
    assert value.get() == 1


def test_a_value_has_the_age_of_its_making_however_often_a_newer_one_could_not_be_had() -> None:
    source, clock = Source(), Clock()
    value = Refreshed(source, 60, 5, clock=clock)
    assert value.age() == 0
    value.get()
    source.down = True
    clock.now += 70
    value.get()
    assert value.age() == 70
    source.down = False
    clock.now += 5
    value.get()
    clock.now += 2
    assert value.age() == 2
