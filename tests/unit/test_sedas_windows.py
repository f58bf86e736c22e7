"""Windows of time: each step of a walk goes on, and no time is passed over or seen twice."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.dialects.sedas_windows import NARROWEST, SECOND, Window, moment, ticks

START = datetime(2020, 1, 1, tzinfo=UTC)
spans = st.builds(
    lambda seconds, newest: Window.first(START, START + timedelta(seconds=seconds), newest_first=newest),
    st.floats(0, 10**9),
    st.booleans(),
)


@given(spans, st.lists(st.floats(0, 1)))
def test_a_window_that_was_cut_becomes_narrower_and_starts_where_it_did(
    window: Window, parts: list[float]
) -> None:
    keys = [window.at + int(part * (window.end - window.at)) for part in parts]
    narrowed = window.narrowed(keys)
    assert narrowed.at == window.at
    assert window.narrowest or narrowed.end < window.end
    assert narrowed.end - narrowed.at >= min(NARROWEST, window.end - window.at)


@given(spans, st.integers(0, 200))
def test_the_next_window_starts_where_this_one_ends(window: Window, records: int) -> None:
    following = window.narrowed([]).following(records, 100)
    assert following.at == window.narrowed([]).end
    assert following.end <= window.last + 1


@given(spans, st.text())
def test_a_position_leads_back_to_where_it_was_taken(window: Window, id: str) -> None:
    for stand in (window, window.resting(window.at + 3, id)):
        resumed = window.resumed(orjson.loads(orjson.dumps(stand.position())))
        assert (resumed.at, resumed.after) == (stand.at, stand.after)
        assert 0 <= resumed.width - stand.width < SECOND


@given(spans)
def test_its_bounds_in_whole_seconds_hold_all_of_it(window: Window) -> None:
    start, stop = map(datetime.fromisoformat, window.bounds)
    times = sorted((window.at, window.end - 1), key=abs)
    first, last = sorted(moment(-time if window.newest_first else time) for time in times)
    assert start <= first
    assert last <= stop


@pytest.mark.parametrize("time", [START, datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)])
def test_times_are_counted_without_loss(time: datetime) -> None:
    assert moment(ticks(time)) == time
