"""Calendar periods: every time is in just one, and they follow each other without gaps."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.periods import END, PERIODS, edges, finest
from stacbridge.scalars import rfc3339

TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2060, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("period", "starts"),
    [
        ("hour", ["2024-02-28T22:00:00.000000Z", "2024-02-28T23:00:00.000000Z"]),
        ("day", ["2024-02-28T00:00:00.000000Z", "2024-02-29T00:00:00.000000Z"]),
        ("week", ["2024-02-26T00:00:00.000000Z", "2024-03-04T00:00:00.000000Z"]),
        ("month", ["2024-02-01T00:00:00.000000Z", "2024-03-01T00:00:00.000000Z"]),
        ("year", ["2024-01-01T00:00:00.000000Z", "2025-01-01T00:00:00.000000Z"]),
    ],
)
def test_a_time_is_in_the_period_that_the_calendar_says(period: str, starts: list[str]) -> None:
    at = datetime(2024, 2, 28, 22, 13, 5, 7, tzinfo=UTC)
    assert edges(at, at, period, 1) == starts


@given(first=TIMES, last=TIMES, period=st.sampled_from(list(PERIODS)))
def test_periods_cover_the_time_in_order_or_are_too_many(
    first: datetime, last: datetime, period: str
) -> None:
    first, last = min(first, last), max(first, last)
    found = edges(first, last, period, 50)
    if found is not None:
        assert found[0] <= rfc3339(first) < found[1]
        assert found[-2] <= rfc3339(last) < found[-1]
        assert found == sorted(set(found))
        assert len(found) <= 51
    else:
        more = edges(first, last, period, 500)
        assert more is None or len(more) > 51


@given(first=TIMES, last=TIMES)
def test_the_finest_period_is_the_first_that_is_not_too_many(first: datetime, last: datetime) -> None:
    first, last = min(first, last), max(first, last)
    chosen = list(PERIODS).index(finest(first, last, 100))
    for finer in list(PERIODS)[:chosen]:
        assert edges(first, last, finer, 100) is None


def test_periods_stop_at_the_end_of_the_calendar() -> None:
    last = datetime(9999, 12, 31, tzinfo=UTC)
    assert edges(last, last, "year", 1) == ["9999-01-01T00:00:00.000000Z", END]
