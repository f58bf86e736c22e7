"""The body of one answer, piece by piece: as many bytes as there must be, or a failure that says why not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import aiohttp

from stacbridge.download.pieces import Drain, Piece
from stacbridge.download.refusals import failed
from stacbridge.download.tap import Tap, tap
from stacbridge.download.transfers import drop, leave
from stacbridge.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow an upstream may be: `idle` seconds without a byte, `rate` bytes a second over such a span.

    `note` hears of seconds that were waited for the upstream, and how many bytes came of them.
    """

    idle: float
    rate: float
    note: Callable[[float, int], None] = lambda waited, count: None


class Body:
    """Bytes on their way: `length` is how many there must be, None where only the last chunk tells."""

    def __init__(
        self, response: aiohttp.ClientResponse, length: int | None, told: tuple[str, str], pace: Pace
    ) -> None:
        """Read `response`; `told` is who was asked, and what, for failures."""
        self.received = 0
        self._response = response
        self._length = length
        self._told = told
        self._pace = pace
        self._first = b""
        self._tap: Tap | None = None
        self._begun = False
        self._waited = 0.0
        self._meanwhile = 0
        self._slow = False

    async def begin(self, count: int) -> bytes:
        """Return the beginning, at least `count` bytes where there are so many; `read` gives them again."""
        while len(self._first) < count and (piece := await self._read()):
            self._first = b"".join((self._first, piece))
        return self._first

    async def skip(self, count: int) -> None:
        """Pass over the first `count` bytes."""
        while count > 0 and (piece := await self.read()):
            self._first = bytes(piece[count:])
            count -= len(piece) - len(self._first)

    async def read(self) -> Piece:
        """Return the next piece, empty at the end.

        Raises `UpstreamError` and its kin when the upstream breaks off, stalls, is too slow, or sends too
        much or too little.
        """
        if self._first:
            first, self._first = self._first, b""
            return first
        return await self._read()

    async def flow(self, drain: Drain) -> int:
        """Give what comes next to `drain`, which is open; return how many bytes, 0 at the end.

        Where the connection was taken over they go at once, as they come. Raises as `read` does.
        """
        if self._tap is not None and not self._first:
            taken = self._tap
            try:
                gone = await self._timed(lambda: taken.flow(drain), int)
            except asyncio.CancelledError:
                self.received += taken.passed()
                raise
            if gone:
                self.received += gone
                return gone
        piece = await self.read()
        if piece:
            drain.give(piece)
        return len(piece)

    def close(self) -> None:
        """Let go of the connection, which serves another request where all of the body has come."""
        self._tell()
        if self._tap is not None and self._tap.spent:
            self._tap.detach()
            leave(self._response)
        else:
            drop(self._response)

    async def _read(self) -> Piece:
        if not self._begun:
            self._begun, self._tap = True, tap(self._response, self._pace.idle)
        piece = self._tap.at_hand() if self._tap else b""
        piece = piece or await self._timed(self._tap.read if self._tap else self._chunk, len)
        self.received += len(piece)
        self._check(piece)
        return piece

    async def _chunk(self) -> bytes:
        async with asyncio.timeout(self._pace.idle):
            return await self._response.content.readany()

    async def _timed(self, come: Callable[[], Awaitable[T]], count: Callable[[T], int]) -> T:
        """Return what comes; that it comes too slowly is a failure only of what is asked for after it."""
        if self._slow and self.received != self._length:
            self._fail(UpstreamTimeout, f"sent less than {self._pace.rate:g} bytes a second")
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            came = await come()
        except TimeoutError:
            self._fail(UpstreamTimeout, f"sent nothing for {self._pace.idle:g} s")
        except (aiohttp.ClientError, ConnectionError) as error:
            self._fail(UpstreamUnavailable, "broke off", error)
        self._time(clock() - started, count(came))
        return came

    def _check(self, piece: Piece) -> None:
        if self._length is None:
            return
        if self.received > self._length or (not piece and self.received < self._length):
            self._fail(UpstreamError, "sent a body of the wrong length")

    def _time(self, waited: float, count: int) -> None:
        """Count only the time that the upstream took: a client that reads slowly is not its fault."""
        self._waited += waited
        self._meanwhile += count
        if self._waited >= self._pace.idle:
            self._slow = bool(count) and self._meanwhile < self._pace.rate * self._waited
            self._tell()

    def _tell(self) -> None:
        self._pace.note(self._waited, self._meanwhile)
        self._waited = self._meanwhile = 0

    def _fail(self, kind: type[UpstreamError], what: str, cause: Exception | None = None) -> NoReturn:
        expected = "" if self._length is None else f" of {self._length}"
        raise failed(kind, f"{what} after {self.received}{expected} bytes", *self._told) from cause
