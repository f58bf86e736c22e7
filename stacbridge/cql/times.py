"""Times in filters: instants and the ends of intervals, as texts that compare like the times they name."""

import re
from datetime import timedelta
from typing import Any

from stacbridge import scalars
from stacbridge.errors import UnsupportedFilter

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FINER = re.compile(r"\.\d{6}\d*[1-9]")


class Moment(str):
    """A time as RFC 3339 in UTC with six digits of a second, so that it compares as text."""

    __slots__ = ()


def moment(text: Any) -> Moment:
    """Return the time that a text names; what is finer than microseconds is cut off (see `is_finer`).

    Raises `UnsupportedFilter`.
    """
    found = instant(text)
    if found is None:
        raise _no_time(text, "a time")
    return found


def instant(value: Any) -> Moment | None:
    """Read a text that is a date and a time, in any zone; all else is `None`."""
    if not isinstance(value, str) or value[10:11] not in ("T", "t"):
        return None
    found = scalars.time(value)
    return None if found is None else Moment(found)


def date_or_instant(value: Any) -> Moment | None:
    """Read a text that is a date, the start of its day, or a date and a time; all else is `None`."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        found = scalars.time(value)
        return None if found is None else Moment(found)
    return instant(value)


def is_finer(text: str) -> bool:
    """Tell whether a time lies between two microseconds, where no Item's time does."""
    return _FINER.search(text) is not None


def day(text: Any) -> tuple[Moment, Moment]:
    """Return the first and the last microsecond of a day. Raises `UnsupportedFilter`."""
    start = scalars.instant(text) if isinstance(text, str) and _DATE.fullmatch(text) else None
    if start is None:
        raise _no_time(text, "a date")
    return Moment(scalars.rfc3339(start)), Moment(f"{text}T23:59:59.999999Z")


def following(last: Moment) -> Moment | None:
    """Return the moment after the last one of a day; there is none after the year 9999."""
    try:
        found = scalars.instant(last)
        return None if found is None else Moment(scalars.rfc3339(found + timedelta(microseconds=1)))
    except OverflowError:
        return None


def _no_time(text: Any, kind: str) -> UnsupportedFilter:
    return UnsupportedFilter(f"{str(text)[:80]!r} is not {kind}.", parameter="filter")
