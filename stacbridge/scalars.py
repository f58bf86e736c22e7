"""Reading single values of an upstream's types: a missing or malformed one is `None`, never a guess."""

import re
from datetime import UTC, datetime
from math import isfinite
from typing import Any

_parsed = datetime.fromisoformat


def text(value: Any) -> str | None:
    """Read a string; numbers that stand in a string's place become their text, an empty string is no
    value."""
    if type(value) is str:
        return value or None
    return str(value) if type(value) in (int, float) else None


def integer(value: Any) -> int | None:
    """Read a whole number, also from a string or a float that holds one; none beyond 64 bits, which JSON's
    readers and writers do not take."""
    if isinstance(value, str):
        found = int(value) if re.fullmatch(r"[+-]?\d{1,300}", value, re.ASCII) else None
    elif type(value) is float:
        found = int(value) if value.is_integer() else None
    else:
        found = value if type(value) is int else None
    return found if found is not None and -(2**63) <= found < 2**64 else None


def double(value: Any) -> float | None:
    """Read a finite number, also from a string that holds one."""
    if type(value) is float or type(value) is int:
        return value if isfinite(value) else None
    try:
        return double(float(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def boolean(value: Any) -> bool | None:
    """Read a boolean, also from the strings "true" and "false" in any case."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def instant(value: Any) -> datetime | None:
    """Read ISO 8601 as a UTC time; without a zone it is UTC, without a time it is midnight (CDSE's old
    forms)."""
    try:
        moment = _parsed(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def rfc3339(moment: datetime) -> str:
    """Write a UTC time as RFC 3339 with six digits of a second."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def time(value: Any) -> str | None:
    """Read a time as RFC 3339, UTC, six digits; the upstream's own text where it is that already."""
    try:
        moment = _parsed(value)
    except (TypeError, ValueError):
        return None
    if len(value) == 27 and value[26] == "Z" and value[10] == "T" and value[19] == ".":
        same: str = value
        return same
    found = instant(moment.isoformat())
    return None if found is None else rfc3339(found)
