"""The `datetime` parameter."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.api import intervals
from stacbridge.errors import BadRequest
from stacbridge.model import Interval

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=ZONES)


@given(TIMES)
def test_an_instant_is_read_to_the_microsecond_in_any_zone(time: datetime) -> None:
    read = intervals.parse(time.isoformat())
    assert read.start == read.end == time


@given(TIMES, TIMES)
def test_an_interval_is_read_with_both_ends(one: datetime, other: datetime) -> None:
    start, end = sorted((one, other))
    assert intervals.parse(f"{start.isoformat()}/{end.isoformat()}") == Interval(start, end)


@pytest.mark.parametrize("open_end", ["", ".."])
def test_an_open_end_is_nothing_or_two_dots(open_end: str) -> None:
    day = datetime(2024, 1, 1, tzinfo=UTC)
    assert intervals.parse(f"2024-01-01T00:00:00Z/{open_end}") == Interval(day, None)
    assert intervals.parse(f"{open_end}/2024-01-01T00:00:00Z") == Interval(None, day)


def test_a_leap_second_belongs_to_its_minute() -> None:
    read = intervals.parse("1990-12-31T23:59:60Z")
    assert read.start == datetime(1990, 12, 31, 23, 59, 59, 999999, UTC)


FIRST, LAST = datetime(1000, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0001-01-01T00:00:00Z/9999-12-31T23:59:60Z", Interval(None, None)),
        ("1000-01-01T00:00:00.000001Z/9999-12-29T23:59:59Z", None),
        ("../0001-01-01T00:00:00Z", Interval(None, FIRST)),
        ("0500-01-01T00:00:00Z", Interval(None, FIRST)),
        ("9999-12-31T23:59:59.999999Z/..", Interval(LAST, None)),
        ("9999-12-31T23:59:59.999999Z", Interval(LAST, None)),
    ],
)
def test_an_end_beyond_what_can_be_computed_with_is_open(text: str, read: Interval | None) -> None:
    exact = Interval(*map(datetime.fromisoformat, text.split("/"))) if read is None else read
    assert intervals.parse(text) == exact


@given(st.text())
def test_other_text_is_refused_and_never_a_fault(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        intervals.parse(f"{text}!")
    assert refused.value.parameter == "datetime"


@pytest.mark.parametrize(
    "text", ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2024-01-01T24:00:01Z"]
)
def test_instants_that_python_cannot_hold_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        intervals.parse(text)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("2024-01-01T00:00:00.000", "2024-01-01T00:00:00.000Z"),
        ("2024-01-01T00:00:00/..", "2024-01-01T00:00:00Z/.."),
        ("../2024-01-01T00:00:00", "../2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00Z/2024-01-02T00:00:00+01:00", "2024-01-01T00:00:00Z/2024-01-02T00:00:00+01:00"),
    ],
)
def test_instants_without_a_zone_become_utc_and_others_stay(sent: str, meant: str) -> None:
    assert intervals.assume_utc(sent) == meant
