"""Byte ranges (RFC 9110, section 14): what a client asked for, and whether an upstream gave exactly that."""

import re
from dataclasses import dataclass
from typing import Self

from stacbridge.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.IGNORECASE)
_UNSATISFIED = re.compile(r"bytes \*/\d{1,19}", re.IGNORECASE)


def unsatisfiable(asked: str, content_range: str | None) -> RangeNotSatisfiable:
    """Return the failure for a range that the upstream answered with 416 and `content_range`."""
    failure = RangeNotSatisfiable(f"The file has no bytes in the range {asked!r}.", parameter="Range")
    if content_range is not None and _UNSATISFIED.fullmatch(content_range):
        failure.content_range = content_range
    return failure


@dataclass(frozen=True, slots=True)
class ByteRange:
    """One range: `first` to `last` inclusive, `first` to the end, or (no `first`) the final `last` bytes."""

    first: int | None
    last: int | None

    @classmethod
    def parse(cls, header: str) -> Self | None:
        """Read a Range header; None where it holds several ranges or none, which a server may ignore."""
        match = _RANGE.fullmatch(header.replace(" ", "")) if len(header) <= 64 else None
        if match is None or match.group(1, 2) == ("", ""):
            return None
        first, last = (int(number) if number else None for number in match.groups())
        if first is not None and last is not None and last < first:
            return None
        return cls(first, last)

    def __str__(self) -> str:
        first, last = ("" if number is None else number for number in (self.first, self.last))
        return f"bytes={first}-{last}"

    def length_of(self, content_range: str | None) -> int | None:
        """Return how many bytes a 206 with this Content-Range carries; None if it is not what was asked."""
        match = _CONTENT_RANGE.fullmatch(content_range or "")
        if match is None:
            return None
        first, last = int(match[1]), int(match[2])
        total = None if match[3] == "*" else int(match[3])
        if first > last or (total is not None and last >= total):
            return None
        return last - first + 1 if self._is(first, last, total) else None

    def _is(self, first: int, last: int, total: int | None) -> bool:
        if self.first is None:
            return total is not None and last == total - 1 and last - first + 1 == min(self.last or 0, total)
        if first != self.first:
            return False
        if self.last is None:
            return total is None or last == total - 1
        return last == (self.last if total is None else min(self.last, total - 1))
