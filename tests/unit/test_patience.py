"""How long a search waits for those who are late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.errors import UpstreamUnavailable
from stacbridge.patience import AT_ONCE, REMEMBERED, Asked, Patience, Usual
from tests.servers import Clock

PATIENCE = Patience(1.2, 1, Clock())
FOR_EVER = float("inf")


def asked(usual: float | None, took: float | None = None) -> Asked:
    one = Asked(usual, took)
    if took is not None:
        one.answer.set_result(None)
    return one


@pytest.mark.parametrize(
    ("questions", "seconds"),
    [
        ([asked(10, 10), asked(5)], 12),
        ([asked(5, 5), asked(10)], 12),
        ([asked(5, 20), asked(10)], 24),
        ([asked(0.1, 0.1), asked(0.2)], 1),
        ([asked(None, 5), asked(10)], 12),
        ([asked(None, 50), asked(10)], 60),
        ([asked(5, 5), asked(None)], FOR_EVER),
    ],
)
def test_the_slowest_of_all_decides_and_nobody_is_cut_whose_time_is_not_known(
    questions: list[Asked], seconds: float
) -> None:
    assert PATIENCE.seconds(questions) == pytest.approx(seconds)


def test_a_failure_sets_no_example_of_how_long_to_wait() -> None:
    failed = Asked(2, 50)
    failed.answer.set_exception(UpstreamUnavailable("It is down."))
    assert PATIENCE.seconds([failed, asked(5)]) == pytest.approx(6)


def test_all_are_waited_for_until_the_deadline_where_nothing_is_at_hand() -> None:
    clock = Clock()
    late = asked(5)
    Patience(1.2, 1, clock).wait([late], clock.now, lambda: False)
    assert not late.answer.done()


def test_nothing_is_waited_for_once_all_have_answered() -> None:
    Patience(1.2, 1).wait([asked(5, 5), asked(None, 1)], float("inf"), lambda: False)


@given(st.lists(st.floats(AT_ONCE, 1000), min_size=1, max_size=2 * REMEMBERED))
def test_what_is_usual_covers_nineteen_of_twenty_of_the_last_answers(times: list[float]) -> None:
    usual = Usual()
    for seconds in times:
        usual.note(seconds)
    last, told = times[-REMEMBERED:], usual.seconds()
    assert told in last
    assert sum(seconds <= told for seconds in last) >= 0.95 * len(last)
    assert sum(seconds < told for seconds in last) < 0.95 * len(last)


def test_answers_from_a_memory_say_nothing_of_the_upstream() -> None:
    usual = Usual()
    usual.note(AT_ONCE / 2)
    assert usual.seconds() is None
