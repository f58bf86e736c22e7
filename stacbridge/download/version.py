"""Which version of a file an answer holds, so that two of them are never put together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Version:
    """What an answer says of its file: strong ETag, Last-Modified, length; None where it does not."""

    etag: str | None = None
    modified: str | None = None
    total: int | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], total: int | None) -> Self:
        """Read the headers (in a mapping that ignores case) of an answer about a file of `total` bytes.

        A weak ETag stands for files that mean the same, not for the same bytes (RFC 9110, section 8.8.1).
        """
        etag = headers.get("ETag")
        return cls(
            None if etag is None or etag.startswith("W/") else etag, headers.get("Last-Modified"), total
        )

    @property
    def known(self) -> bool:
        """Whether another answer can be told to hold the same version."""
        return self.etag is not None or (self.modified is not None and self.total is not None)

    def is_also(self, other: Self) -> bool:
        """Tell whether `other` surely is the same version."""
        pairs = [(self.etag, other.etag), (self.modified, other.modified), (self.total, other.total)]
        if any(mine != theirs for mine, theirs in pairs if None not in (mine, theirs)):
            return False
        etag, modified, total = (None not in pair for pair in pairs)
        return etag or (modified and total)


UNKNOWN = Version()
"""What an answer is that says nothing of its file."""
