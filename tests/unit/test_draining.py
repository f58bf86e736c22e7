from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from stacbridge.draining import Drain


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bridge_that_nobody_stops_has_no_end() -> None:
    clock = Clock()
    drain = Drain(5, clock=clock)
    clock.now += 1e6
    assert (drain.begun, drain.over) == (False, False)


def test_without_downloads_there_is_nothing_to_wait_for() -> None:
    drain = Drain(60, clock=Clock())
    drain.begin()
    assert drain.over


def test_downloads_are_waited_for_until_the_last_has_ended() -> None:
    drain = Drain(60, clock=Clock())
    with drain.download():
        drain.begin()
        assert not drain.over
    assert drain.over


def test_downloads_are_not_waited_for_longer_than_is_set() -> None:
    clock = Clock()
    drain = Drain(60, clock=clock)
    with drain.download():
        drain.begin()
        clock.now += 59.9
        assert not drain.over
        clock.now += 0.1
        assert drain.over


def test_it_tells_how_long_what_is_under_way_may_take() -> None:
    clock = Clock()
    drain = Drain(60, clock=clock)
    assert drain.left == 60
    drain.begin()
    clock.now += 20
    assert drain.left == 40
    clock.now += 60
    assert drain.left == 0


def test_once_it_is_ended_nothing_is_waited_for() -> None:
    drain = Drain(60, notice=10, clock=Clock())
    with drain.download():
        drain.begin()
        drain.end()
        assert (drain.over, drain.left) == (True, 0)


def test_a_load_balancer_has_its_time_to_notice() -> None:
    clock = Clock()
    drain = Drain(1, notice=10, clock=clock)
    drain.begin()
    assert not drain.over
    clock.now += 10
    assert drain.over


def test_to_begin_again_makes_it_no_longer() -> None:
    clock = Clock()
    drain = Drain(60, clock=clock)
    with drain.download():
        drain.begin()
        clock.now += 60
        drain.begin()
        assert drain.over


@given(st.integers(0, 50))
def test_every_download_is_counted_while_it_lasts(number: int) -> None:
    drain = Drain(60)
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(drain.download())
        assert drain.under_way == number
    assert drain.under_way == 0
