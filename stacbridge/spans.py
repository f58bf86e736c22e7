"""Spans of time that every upstream can be asked for.

Python's calendar ends with the year 9999, and some services add to what they are asked for; OData readers may
take no years of fewer than four digits.
"""

from datetime import UTC, datetime

from stacbridge.model import Interval

FIRST = datetime(1000, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 30, tzinfo=UTC)
"""Between which times can be computed with; what an archive holds is well within."""


def bounded(start: datetime | None, end: datetime | None) -> Interval:
    """Return the interval between two times, or a wider one: an end at or beyond the edges is open."""
    return Interval(
        None if start is None or start <= FIRST else min(start, LAST),
        None if end is None or end >= LAST else max(end, FIRST),
    )
