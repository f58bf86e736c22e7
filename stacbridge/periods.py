"""Calendar periods: hours, days, weeks from Monday, months and years, in UTC."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from stacbridge.scalars import rfc3339

END = "9999-12-30T00:00:00.000000Z"
"""Where periods stop that would go beyond the calendar."""


def _next_month(start: datetime) -> datetime:
    return (start + timedelta(days=31)).replace(day=1)


def _next_year(start: datetime) -> datetime:
    return start.replace(year=start.year + 1)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


Step = Callable[[datetime], datetime]
PERIODS: dict[str, tuple[Step, Step]] = {
    "hour": (lambda at: at.replace(minute=0, second=0, microsecond=0), lambda at: at + timedelta(hours=1)),
    "day": (_midnight, lambda at: at + timedelta(days=1)),
    "week": (lambda at: _midnight(at) - timedelta(days=at.weekday()), lambda at: at + timedelta(days=7)),
    "month": (lambda at: _midnight(at).replace(day=1), _next_month),
    "year": (lambda at: _midnight(at).replace(month=1, day=1), _next_year),
}
"""Period -> the start of the one that a time is in, and the start of the one that follows a start."""


def edges(first: datetime, last: datetime, period: str, most: int) -> list[str] | None:
    """Return the starts of all periods from `first` to `last` and the end of the last, as RFC 3339.

    `None` where there are more than `most` periods.
    """
    found = list(islice(_edges(first, last, period), most + 2))
    return found if len(found) <= most + 1 else None


def finest(first: datetime, last: datetime, most: int) -> str:
    """Return the shortest period of which at most `most` cover the time; years where none does."""
    return next((period for period in PERIODS if edges(first, last, period, most)), "year")


def _edges(first: datetime, last: datetime, period: str) -> Iterator[str]:
    floor, following = PERIODS[period]
    start = floor(first.astimezone(UTC))
    while start <= last:
        yield rfc3339(start)
        try:
            start = following(start)
        except (OverflowError, ValueError):
            yield END
            return
    yield rfc3339(start)
