"""What is still to come of a file whose transfer broke off, and where an answer has it."""

from collections.abc import Mapping
from dataclasses import dataclass

from stacbridge.download.ranges import ByteRange, Part
from stacbridge.download.version import Version


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rest stands in a body of `length` bytes (None: only its end tells), `before` bytes in."""

    before: int
    length: int | None


@dataclass(frozen=True, slots=True)
class Rest:
    """The bytes of `version` from `offset` on, to `last` inclusive (None: to its end)."""

    offset: int
    last: int | None
    version: Version

    @property
    def range(self) -> ByteRange:
        """The range that asks for it."""
        return ByteRange(self.offset, self.last)

    def found(self, status: int, headers: Mapping[str, str]) -> Place | None:
        """Return where a 200 or 206 (headers in a mapping that ignores case) has the rest of this version.

        None for another version, one that cannot be told to be the same, and another part. An upstream may
        send more than was asked for: a part that begins earlier, or all of the file.
        """
        part = self._part(status, headers)
        if part is None or not self.version.is_also(Version.of(headers, part.total)):
            return None
        last = self.last if self.last is not None else part.total and part.total - 1
        if part.first > self.offset or (last is not None and part.last != last and status == 206):
            return None
        if self.last is not None and part.last != self.last:
            return None
        return Place(self.offset - part.first, part.last - part.first + 1)

    @staticmethod
    def _part(status: int, headers: Mapping[str, str]) -> Part | None:
        if status == 206:
            return Part.parse(headers.get("Content-Range"))
        length = headers.get("Content-Length", "")
        return Part(0, int(length) - 1, int(length)) if length.isdecimal() and int(length) else None
