"""One file of the spool: what is known of it, and how those who read it hear of more.

    <key>.<version>.part     on its way; locked by nobody after a crash, and then removed at the next start
    <key>.<version>.file     whole: written to the disk before it got this name

The key is made of what was asked for, and for whom; the version is new with each fetch, and is the ETag.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path


@dataclass(eq=False, slots=True)
class Entry:
    """A file in the spool. `size` is None until it is known; `written` bytes can be read.

    It is `done` since `made`, and was asked for last when `used` says (Unix times).
    """

    key: str
    version: str
    path: Path
    size: int | None = None
    written: int = 0
    used: float = 0
    made: float = 0
    done: bool = False
    begun: bool = False
    full: bool = False
    failure: Exception | None = None
    readers: int = 0
    task: asyncio.Task[None] | None = None
    file: RawIOBase | None = None
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """The name of this very copy."""
        return f"{self.key}.{self.version}"

    @property
    def etag(self) -> str:
        """The ETag of this very copy."""
        return f'"{self.version}"'

    @property
    def held(self) -> int:
        """Bytes of the disk that are its own: all that it will have, where that is known."""
        return max(self.written, self.size or 0)

    def open(self) -> int:
        """Return a descriptor to read from, good for as long as it is open, whatever becomes of the file."""
        return os.open(self.path, os.O_RDONLY) if self.file is None else os.dup(self.file.fileno())

    def move(self) -> None:
        """Tell those who wait that there is news."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def until(self, condition: Callable[["Entry"], bool]) -> None:
        """Wait for news until `condition` holds. Raises what the fetch failed with."""
        while not condition(self):
            if self.failure is not None:
                raise self.failure
            await self._moved.wait()


def found(path: Path) -> Entry | None:
    """Return the whole file that an earlier process left at `path`; remove what it did not finish."""
    key, _, rest = path.name.partition(".")
    version, _, kind = rest.partition(".")
    if kind == "part":
        path.unlink()
    if kind != "file":
        return None
    told = path.stat()
    return Entry(
        key, version, path, told.st_size, told.st_size, told.st_mtime, told.st_mtime, done=True, begun=True
    )
