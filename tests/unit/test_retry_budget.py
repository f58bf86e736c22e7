"""The retries of an account: within their share in any order of downloads, failures and time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.download.budget import RetryBudget
from stacbridge.download.window import PARTS
from stacbridge.errors import UpstreamTimeout, UpstreamUnavailable
from stacbridge.settings import Settings
from tests.servers import Clock

WINDOW = 60.0
steps = st.lists(st.tuples(st.sampled_from(["first", "retry"]), st.floats(0, 20)), max_size=60)


def budget(clock: Clock, share: float, floor: int) -> RetryBudget:
    settings = Settings(download_retry_share=share, download_retry_floor=floor, download_retry_window=WINDOW)
    return RetryBudget("cdse", settings, clock)


def taken(made: RetryBudget) -> bool:
    try:
        made.take(UpstreamUnavailable("It is down."))
    except UpstreamUnavailable:
        return False
    return True


@given(steps, st.sampled_from([0, 0.1, 0.5]), st.integers(0, 3))
def test_no_retry_makes_those_in_a_window_more_than_their_share_of_the_downloads_that_began(
    script: list[tuple[str, float]], share: float, floor: int
) -> None:
    clock = Clock()
    made, firsts, retries = budget(clock, share, floor), list[float](), list[float]()
    for kind, pause in script:
        clock.sleep(pause)
        if kind == "first":
            made.began()
            firsts.append(clock())
        elif taken(made):
            retries.append(clock())
            recent = [at for at in retries if clock() - at < WINDOW]
            began = [at for at in firsts if clock() - at <= WINDOW * (1 + 1 / PARTS) + 1e-6]
            assert len(recent) <= max(floor, share * len(began) + 1e-6)


def test_a_download_alone_may_go_on_as_often_as_the_floor_says() -> None:
    made = budget(Clock(), share=0.1, floor=3)
    made.began()
    assert [taken(made) for _ in range(5)] == [True] * 3 + [False] * 2
    assert made.standing() == {"made": 3, "left": 0}


def test_many_downloads_earn_more() -> None:
    made = budget(Clock(), share=0.1, floor=3)
    for _ in range(100):
        made.began()
    assert [taken(made) for _ in range(11)] == [True] * 10 + [False]


def test_the_failure_that_is_passed_on_says_so_and_when_to_come_back() -> None:
    clock = Clock(0)
    made = budget(clock, share=0, floor=1)
    assert taken(made)
    clock.sleep(20)
    with pytest.raises(
        UpstreamTimeout, match=r"It is late\. .*retries for this account are used up: 1 in 60 s"
    ) as told:
        made.take(UpstreamTimeout("It is late.", upstream="cdse"))
    assert told.value.upstream == "cdse"
    assert told.value.retry_after == 46
    clock.sleep(46)
    assert taken(made)


def test_an_upstream_that_asked_for_more_time_is_given_it() -> None:
    made = budget(Clock(), share=0, floor=0)
    with pytest.raises(UpstreamUnavailable) as told:
        made.take(UpstreamUnavailable("It is down.", retry_after=700))
    assert told.value.retry_after == 700
