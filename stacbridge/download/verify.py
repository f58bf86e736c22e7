"""A file's checksum while it streams: the last piece is let go only once the whole is known to be right."""

import asyncio
import logging
from typing import Protocol

from stacbridge.download.gates import InThread
from stacbridge.download.multihash import Checksum
from stacbridge.download.pieces import Piece
from stacbridge.errors import UpstreamError

log = logging.getLogger(__name__)


class Source(Protocol):
    """Pieces of a file, in order."""

    async def read(self) -> Piece:
        """Return the next piece, empty at the end; raises `UpstreamError` and its kin."""
        ...


class Verified:
    """The pieces of `source`, one behind: each is hashed in a thread while the one before it is sent."""

    def __init__(
        self, source: Source, checksum: Checksum, upstream: str, in_thread: InThread, *, lenient: bool = False
    ) -> None:
        """Hold `source` against `checksum`; `lenient` only logs a mismatch."""
        self._source = source
        self._checksum = checksum
        self._upstream = upstream
        self._in_thread = in_thread
        self._lenient = lenient
        self._held: Piece = b""
        self._hashing: asyncio.Future[None] | None = None

    async def read(self) -> Piece:
        """Return the next piece, empty at the end; raises `UpstreamError` where the last makes it wrong."""
        held = self._held or await self._taken()
        self._held = await self._taken() if held else b""
        if held and not self._held:
            await self._hashed()
            self._conclude()
        return held

    async def _taken(self) -> Piece:
        piece = await self._source.read()
        if piece:
            await self._hashed()
            self._hashing = asyncio.ensure_future(self._in_thread(self._checksum.update, piece))
        return piece

    async def _hashed(self) -> None:
        if self._hashing is not None:
            await self._hashing

    def _conclude(self) -> None:
        if self._checksum.matches():
            return
        failure = UpstreamError(
            "The upstream sent a file that has not the checksum that it states.", upstream=self._upstream
        )
        if not self._lenient:
            raise failure
        log.warning("%s Passed on all the same, as the settings say.", failure)
