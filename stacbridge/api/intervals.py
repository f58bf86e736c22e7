"""The `datetime` parameter: RFC 3339 instants and intervals."""

import re
from datetime import UTC, datetime

from stacbridge.errors import BadRequest
from stacbridge.model import Interval
from stacbridge.spans import bounded

# Second 60 (a leap second), which Python does not know, is read as the last microsecond of its minute.
INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
UNZONED = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?)(?=/|$)", re.ASCII)
OPEN = ("", "..")


def parse(text: str) -> Interval:
    """Return the closed interval that `text` states: `a`, `a/b`, `a/..` or `../b`, with time zones.

    Where it ends beyond what can be computed with, it is open (see `spans`). Raises `BadRequest` naming
    `datetime`.
    """
    parts = text.strip().split("/")
    if len(parts) == 1:
        at = _instant(parts[0])
        return bounded(at, at)
    if len(parts) > 2:
        raise _refused(text, "it has more than one slash")
    start, end = (None if part in OPEN else _instant(part) for part in parts)
    if start is None and end is None:
        raise _refused(text, "both ends are open")
    if start is not None and end is not None and start > end:
        raise _refused(text, "it ends before it starts")
    return bounded(start, end)


def assume_utc(text: str) -> str:
    """Return `text` with `Z` after each instant that has no time zone, as QGIS sends them."""
    return UNZONED.sub(r"\1Z", text)


def _instant(text: str) -> datetime:
    found = INSTANT.fullmatch(text)
    if found is None:
        raise _refused(text, "an instant is written as 2024-05-01T00:00:00Z, with a time zone")
    day, minute, second, fraction, zone = found.groups()
    if second == "60":
        second, fraction = "59", "999999"
    micros = (fraction or "")[:6].ljust(6, "0")
    offset = "+00:00" if zone in "Zz" else zone
    try:
        return datetime.fromisoformat(f"{day}T{minute}:{second}.{micros}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refused(text, str(error)) from None


def _refused(text: str, reason: str) -> BadRequest:
    return BadRequest(f"datetime {text[:80]!r} cannot be read: {reason}.", parameter="datetime")
