"""Windows of time part a search: each moment belongs to exactly one, whichever way they are walked."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stacbridge.dialects.opensearch.windows import Window
from stacbridge.model import Interval

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
WHOLES = st.tuples(st.none() | MOMENTS, st.none() | MOMENTS).map(
    lambda ends: Interval(*sorted(ends)) if None not in ends else Interval(*ends)  # type: ignore[type-var]
)


@given(WHOLES, st.booleans(), st.integers(0, 30), st.lists(MOMENTS, max_size=20))
def test_every_moment_is_in_exactly_one_window(
    whole: Interval, descending: bool, halvings: int, moments: list[datetime]
) -> None:
    windows: list[Window] = []
    window: Window | None = Window()
    while window is not None:
        for _ in range(0 if windows else halvings):
            window = window.halved(whole, descending) or window
        windows.append(window)
        window = window.following(whole, descending)
        assert len(windows) < 200
    edge = timedelta(microseconds=1)
    probes = [*moments, *(w.start for w in windows if w.start), *(w.end - edge for w in windows if w.end)]
    assert all(sum(each.holds(probe) for each in windows) == 1 for probe in probes)


def test_a_window_too_short_to_halve_says_so() -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    whole = Interval(start, start + timedelta(seconds=1))
    assert Window().halved(whole, descending=True) is None


@given(WHOLES, st.booleans(), st.lists(MOMENTS, min_size=1, max_size=20))
def test_a_window_without_times_in_which_nothing_starts_holds_the_same(
    whole: Interval, descending: bool, starts: list[datetime]
) -> None:
    window = Window(whole.start, whole.end)
    held = [start for start in starts if window.holds(start)]
    first = max(starts) if descending else min(starts)
    left = window.begun(first, descending)
    assert held == [start for start in starts if left is not None and left.holds(start)]
    assert left is None or not descending or left.end is not None
