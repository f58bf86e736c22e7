"""That few threads compute at once, and none waits for ever."""

from contextlib import suppress
from threading import Event, Thread

from stacbridge.turns import Turns


def test_a_thread_computes_once_one_of_those_before_it_has_finished() -> None:
    turns, begun, done = Turns(at_once=2, patience=60), Event(), Event()

    def compute() -> None:
        begun.set()
        with turns.take():
            done.set()

    third = Thread(target=compute)
    with turns.take():
        with turns.take():
            third.start()
            begun.wait()
            third.join(0.05)
            assert not done.is_set()
        third.join()
        assert done.is_set()


def test_a_turn_that_does_not_come_is_not_waited_for_and_gives_nobody_else_one() -> None:
    turns = Turns(at_once=1, patience=0)
    with turns.take(), turns.take(), turns.take():
        pass
    with turns.take():
        pass


def test_a_failure_gives_the_turn_back() -> None:
    turns = Turns(at_once=1, patience=60)
    for _ in range(2):
        with suppress(ValueError), turns.take():
            raise ValueError
