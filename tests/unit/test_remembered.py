import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.wire.remembered import Remembered
from tests.servers import Clock


def counting() -> tuple[list[int], Callable[[], int]]:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    return made, make


def test_a_value_is_made_once_until_it_is_too_old() -> None:
    clock = Clock()
    memory: Remembered[int] = Remembered(300, 10, clock=clock)
    made, make = counting()
    assert [memory.get("a", make), memory.get("a", make)] == [0, 0]
    clock.now += 300
    assert memory.get("a", make) == 1
    assert made == [0, 1]


def test_the_least_recently_used_goes_first() -> None:
    memory: Remembered[int] = Remembered(300, 2, clock=Clock())
    _, make = counting()
    memory.get("a", make)
    memory.get("b", make)
    memory.get("a", make)
    memory.get("c", make)
    assert memory.get("a", make) == 0
    assert memory.get("b", make) == 3


def test_what_is_not_worth_keeping_is_not_kept() -> None:
    memory: Remembered[int] = Remembered(300, 2, keep=lambda value: value > 0, clock=Clock())
    _, make = counting()
    assert [memory.get("a", make) for _ in range(3)] == [0, 1, 1]


def test_what_is_known_is_told_without_making_anything() -> None:
    clock = Clock()
    memory: Remembered[int] = Remembered(300, 2, clock=clock)
    _, make = counting()
    assert memory.known("a") is None
    assert (memory.get("a", make), memory.known("a")) == (0, 0)
    memory.get("b", make)
    assert memory.known("a") == 0
    memory.get("c", make)
    assert (memory.known("a"), memory.known("b")) == (0, None)
    clock.now += 300
    assert memory.known("a") is None


def test_who_asks_for_what_is_known_does_not_wait_for_who_makes_it() -> None:
    memory: Remembered[int] = Remembered(300, 2, clock=Clock())
    making, go_on = threading.Event(), threading.Event()

    def make() -> int:
        making.set()
        assert go_on.wait(10)
        return 1

    with ThreadPoolExecutor(1) as threads:
        made = threads.submit(memory.get, "a", make)
        assert making.wait(10)
        assert memory.known("a") is None
        go_on.set()
        assert made.result() == 1
    assert memory.known("a") == 1


@given(st.lists(st.integers(0, 9)), st.integers(1, 4))
def test_it_never_grows_beyond_its_size(keys: list[int], size: int) -> None:
    memory: Remembered[int] = Remembered(300, size, clock=Clock())
    for key in keys:
        memory.get(key, lambda: 0)
        assert len(memory) <= size


def test_threads_that_miss_at_once_share_one_making() -> None:
    memory: Remembered[int] = Remembered(300, 2, clock=Clock())
    made, make = counting()
    entered, release = threading.Event(), threading.Event()

    def slow() -> int:
        entered.set()
        release.wait(10)
        return make()

    with ThreadPoolExecutor(9) as threads:
        leader = threads.submit(memory.get, "a", slow)
        entered.wait(10)
        others = [threads.submit(memory.get, "a", make) for _ in range(8)]
        release.set()
        assert [leader.result(), *(other.result() for other in others)] == [0] * 9
    assert made == [0]


def test_a_failure_is_raised_and_forgotten() -> None:
    memory: Remembered[int] = Remembered(300, 2, clock=Clock())
    _, make = counting()

    def fail() -> int:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        memory.get("a", fail)
    assert memory.get("a", make) == 0


def test_a_forgotten_value_is_made_anew_and_the_others_stay() -> None:
    memory: Remembered[int] = Remembered(300, 3, clock=Clock())
    _, make = counting()
    assert [memory.get(key, make) for key in "ab"] == [0, 1]
    memory.forget("a")
    memory.forget("never there")
    assert [memory.get(key, make) for key in "ab"] == [2, 1]
