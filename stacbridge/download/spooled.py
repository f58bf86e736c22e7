"""A client's answer from the spool: any part of a file, even while the rest of it is still coming."""

import asyncio
import os
from dataclasses import dataclass

from stacbridge.download.delivery import Wanted, own_headers
from stacbridge.download.entry import Entry
from stacbridge.download.gates import InThread
from stacbridge.download.pieces import Piece
from stacbridge.download.ranges import ByteRange, unsatisfiable
from stacbridge.download.spool import PIECE
from stacbridge.errors import NotStaged
from stacbridge.model import Ready

ASK_AGAIN = 30
"""Seconds of Retry-After for bytes that have not come yet."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The bytes from `first` up to `end`, which is None where only the end of the fetch tells."""

    status: int
    headers: dict[str, str]
    first: int
    end: int | None


async def slice_of(entry: Entry, ready: Ready, wanted: Wanted, patience: float) -> Slice:
    """Return status and headers for what is `wanted` of `entry`, once its first byte is there.

    Raises `RangeNotSatisfiable`; `NotStaged` for bytes that do not come within `patience` seconds; and what
    the fetch failed with.
    """
    part = wanted.range if wanted.if_range in (None, entry.etag) and not wanted.head else None
    if part is None:
        await entry.until(lambda entry: entry.begun)
        return _whole(entry, ready)
    try:
        async with asyncio.timeout(patience):
            await entry.until(lambda entry: _is_there(entry, part))
    except TimeoutError:
        of = "" if entry.size is None else f" of {entry.size}"
        raise NotStaged(
            f"The bridge has fetched {entry.written}{of} bytes of this file so far, not yet those asked for.",
            advice="Ask again later, or for all of the file.",
            retry_after=ASK_AGAIN,
        ) from None
    return _part(entry, ready, part)


def _whole(entry: Entry, ready: Ready) -> Slice:
    length = {} if entry.size is None else {"Content-Length": str(entry.size)}
    return Slice(200, _headers(entry, ready) | length, 0, entry.size)


def _part(entry: Entry, ready: Ready, part: ByteRange) -> Slice:
    total = entry.size
    bounds = (part.first or 0, part.last or 0) if total is None else part.within(total)
    if bounds is None:
        raise unsatisfiable(str(part), f"bytes */{total}")
    first, last = bounds
    told = {
        "Content-Range": f"bytes {first}-{last}/{'*' if total is None else total}",
        "Content-Length": str(last - first + 1),
    }
    return Slice(206, _headers(entry, ready) | told, first, last + 1)


def _headers(entry: Entry, ready: Ready) -> dict[str, str]:
    return own_headers(ready, ready.media_type, ranges=True) | {"ETag": entry.etag}


def _is_there(entry: Entry, part: ByteRange) -> bool:
    """Tell whether an answer can be begun: its length is known, and so is its first byte."""
    if entry.done:
        return True
    if entry.size is None:
        return part.first is not None and part.last is not None and entry.written > part.last
    bounds = part.within(entry.size)
    return bounds is None or entry.written > bounds[0]


class Reader:
    """The bytes of a slice, as far as they are there and then as they come."""

    def __init__(self, entry: Entry, part: Slice, in_thread: InThread) -> None:
        self._entry = entry
        self._at = part.first
        self._end = part.end
        self._in_thread = in_thread
        self._file = entry.open()

    async def read(self) -> Piece:
        """Return the next piece, empty at the end. Raises what the fetch failed with."""
        if self._end is not None and self._at >= self._end:
            return b""
        await self._entry.until(lambda entry: entry.done or entry.written > self._at)
        end = self._entry.written if self._end is None else min(self._end, self._entry.written)
        piece: bytes = await self._in_thread(os.pread, self._file, min(PIECE, end - self._at), self._at)
        self._at += len(piece)
        return piece

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
