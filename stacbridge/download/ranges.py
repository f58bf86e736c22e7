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

    def within(self, total: int) -> tuple[int, int] | None:
        """Return the offsets of the first and the last byte in a file of `total`; None where it has none."""
        if self.first is None:
            first, last = max(0, total - (self.last or 0)), total - 1
        else:
            first, last = self.first, total - 1 if self.last is None else min(self.last, total - 1)
        return None if first > last else (first, last)

    def length_of(self, content_range: str | None) -> int | None:
        """Return how many bytes a 206 with this Content-Range carries; None if it is not what was asked."""
        part = Part.parse(content_range)
        return part.last - part.first + 1 if part is not None and self._is(part) else None

    def _is(self, part: "Part") -> bool:
        if part.total is not None:
            return self.within(part.total) == (part.first, part.last)
        return self.first == part.first and self.last in (None, part.last)


@dataclass(frozen=True, slots=True)
class Part:
    """What a 206 carries: the bytes from `first` to `last` inclusive, of `total` if that is told."""

    first: int
    last: int
    total: int | None

    @classmethod
    def parse(cls, content_range: str | None) -> Self | None:
        """Read a Content-Range header; None for one that makes no sense."""
        match = _CONTENT_RANGE.fullmatch(content_range or "")
        if match is None:
            return None
        first, last = int(match[1]), int(match[2])
        total = None if match[3] == "*" else int(match[3])
        return None if first > last or (total is not None and last >= total) else cls(first, last, total)
