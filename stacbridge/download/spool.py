"""Files on disk that their upstream cannot send in parts: fetched once, read by many, whole or gone."""

import asyncio
import logging
import os
import secrets
import shutil
import sys
from collections.abc import Awaitable, Callable
from hashlib import sha256
from io import RawIOBase
from pathlib import Path
from tempfile import TemporaryFile
from time import time

from stacbridge.download.entry import Entry, found
from stacbridge.download.gates import InThread
from stacbridge.download.pieces import Piece
from stacbridge.download.refusals import ASK_AGAIN
from stacbridge.download.verify import Source
from stacbridge.errors import Misconfigured, NotStaged
from stacbridge.model import Json

PIECE = 64 * 1024
"""Bytes read from the disk at once; a client that takes nothing costs two such pieces of memory."""
SPARE = 64 * 1024 * 1024
"""Bytes of the disk that are left to others."""

log = logging.getLogger(__name__)


class Spool:
    """A bounded folder of files. One process has it; everything but file access is on its event loop."""

    def __init__(
        self,
        folder: Path,
        limit: int,
        seconds: float,
        linger: float,
        in_thread: InThread,
        wall: Callable[[], float] = time,
    ) -> None:
        """Keep at most `limit` bytes in `folder`, each file for `seconds`.

        A fetch goes on for `linger` seconds after its last reader left. What an earlier process left there
        whole is used again; what it did not finish is removed. Raises `Misconfigured` for a folder that
        cannot be used, or that another bridge uses.
        """
        self._folder = folder
        self._limit = limit
        self._seconds = seconds
        self._linger = linger
        self._in_thread = in_thread
        self._wall = wall
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _lock(folder)
            self._entries = {entry.key: entry for path in folder.iterdir() if (entry := found(path))}
        except OSError as error:
            raise Misconfigured(
                f"spool_folder: {folder} cannot be used.",
                answered=error.strerror,
                advice="See who may write there, or name another folder.",
            ) from error

    @property
    def whole(self) -> frozenset[str]:
        """The names of the files that are there whole."""
        return frozenset(entry.name for entry in self._entries.values() if entry.done)

    def standing(self) -> Json:
        """Return how many files and bytes there are."""
        held = sum(entry.held for entry in self._entries.values())
        return {"files": len(self._entries), "bytes": held, "most_bytes": self._limit}

    def check(self) -> None:
        """Raise `NotStaged` where the disk is full, or cannot be written. Blocks."""
        try:
            with TemporaryFile(dir=self._folder) as file:
                file.write(b"x")
                file.flush()
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise NotStaged(f"The spool folder cannot be written: {error.strerror}.") from error
        if free < SPARE:
            raise NotStaged("The disk of the spool folder is full.")

    def find(self, key: str) -> Entry | None:
        """Return the file that is there, or on its way, under `key`."""
        self._expire()
        entry = self._entries.get(key)
        if entry is not None and entry.done and not entry.path.exists():  # somebody else freed the disk
            self._remove(entry)
            return None
        if entry is not None:
            entry.used = self._wall()
        return entry

    def has_room(self, count: int) -> bool:
        """Make room for `count` bytes more, by removing what nobody reads; tell whether there is enough."""
        self._expire()
        idle = sorted((e for e in self._entries.values() if e.done and not e.readers), key=lambda e: e.used)
        while not self._fits(count) and idle:
            self._remove(idle.pop(0))
        return self._fits(count)

    def fetch(self, key: str, fill: Callable[[Entry], Awaitable[None]]) -> Entry:
        """Start a file whose bytes `fill` writes, in a task of its own, and return it."""
        version = secrets.token_hex(8)
        entry = Entry(key, version, self._folder / f"{key}.{version}.part", used=self._wall())
        self._entries[key] = entry
        entry.task = asyncio.create_task(self._fetch(entry, fill))
        return entry

    async def store(self, entry: Entry, source: Source, size: int | None) -> None:
        """Write what `source` gives to a new file of `size` bytes. Raises `NotStaged` without room."""
        entry.size = size
        if not self.has_room(0):
            entry.full = True
            raise _full()
        with await self._in_thread(entry.path.open, "x+b", 0) as file:
            entry.file, entry.begun = file, True
            entry.move()
            while piece := await source.read():
                if size is None and not self.has_room(len(piece)):
                    entry.full = True
                    raise _full()
                await self._in_thread(_write, file, piece)
                entry.written += len(piece)
                entry.move()
            await self._in_thread(os.fsync, file.fileno())
            entry.path = await self._in_thread(self._keep, entry.path)
            entry.file = None
            entry.size, entry.made, entry.done = entry.written, self._wall(), True
            entry.move()

    def enter(self, entry: Entry) -> None:
        """Note that one more reads `entry`."""
        entry.readers += 1

    def leave(self, entry: Entry) -> None:
        """Note that one reads it no more; a fetch that nobody waits for ends after a while."""
        entry.readers -= 1
        entry.used = self._wall()
        if not entry.readers and not entry.done:
            asyncio.get_running_loop().call_later(self._linger, self._give_up, entry)

    async def close(self) -> None:
        """End the fetches; their files are removed."""
        tasks = [entry.task for entry in self._entries.values() if entry.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        os.close(self._lock)

    async def _fetch(self, entry: Entry, fill: Callable[[Entry], Awaitable[None]]) -> None:
        try:
            await fill(entry)
        except OSError as error:
            log.error("The spool cannot write to %s.", self._folder, exc_info=error)
            entry.full, entry.failure = True, _full()
        except Exception as failure:
            entry.failure = failure
        except asyncio.CancelledError:
            entry.failure = NotStaged("The fetch of this file was given up.", retry_after=ASK_AGAIN)
            raise
        finally:
            entry.task = entry.file = None
            if entry.failure is not None:
                self._remove(entry)
            entry.move()

    def _keep(self, path: Path) -> Path:
        whole = path.rename(path.with_suffix(".file"))
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return whole

    def _fits(self, count: int) -> bool:
        held = sum(entry.held for entry in self._entries.values())
        coming = sum(entry.held - entry.written for entry in self._entries.values())
        free = shutil.disk_usage(self._folder).free - SPARE
        return held + count <= self._limit and coming + count <= free

    def _give_up(self, entry: Entry) -> None:
        if not entry.readers and entry.task is not None:
            entry.task.cancel()

    def _expire(self) -> None:
        now = self._wall()
        for entry in list(self._entries.values()):
            if entry.done and not entry.readers and now - entry.made > self._seconds:
                self._remove(entry)

    def _remove(self, entry: Entry) -> None:
        if self._entries.get(entry.key) is entry:
            del self._entries[entry.key]
        entry.path.unlink(missing_ok=True)


def key_of(*parts: str) -> str:
    """Return the name under which the file that `parts` stand for is kept."""
    return sha256("\0".join(parts).encode()).hexdigest()[:40]


def _lock(folder: Path) -> int:
    """Keep every other process out of `folder`, until this one ends, however it does."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise Misconfigured(
                "spool_folder: another bridge uses this folder.",
                advice="Give each bridge a folder of its own.",
            ) from None
    return lock


def _write(file: RawIOBase, piece: Piece) -> None:
    left = memoryview(piece)
    while left:
        left = left[file.write(left) or 0 :]


def _full() -> NotStaged:
    return NotStaged(
        "The bridge has no room to keep this file.",
        advice="Ask for all of it at once, without a range, or ask again later.",
        retry_after=ASK_AGAIN,
    )
