"""The rest of a long body, straight from its connection: fewer copies, and over TLS a fifth less CPU time.

An HTTP client hands a body out in the pieces that its parser cuts, each copied several times. Where the
length is known there is nothing left to parse after the headers, so the connection's transport is taken over,
and reads go into one buffer. The connection cannot be used again, which is nothing beside a long body.
"""

import asyncio
from collections import deque
from typing import ClassVar

import aiohttp

from stacbridge.download.duct import Duct
from stacbridge.download.pieces import SMALLEST, Buffers, Drain, Piece

LONG = 1024 * 1024
"""Bytes from which on a body is worth a connection of its own."""
HELD = 2
"""Pieces held before the upstream is asked to pause."""
TAIL = SMALLEST // 2
"""Bytes at the end of a body that are read in any case, with what follows if there is too much: one piece."""
SPAN = 4 * 1024 * 1024
"""Bytes that pass at most before whoever waits for them is woken, which costs as much as reading a piece."""
TURN = 0.1
"""Seconds from which on whoever waits is woken for any piece."""
LOOKS = 8
"""How often it is looked whether an upstream stalls within the time that it may; late by one such part."""


class Tap(asyncio.BufferedProtocol):
    """What follows on a transport, in pieces of at most `PIECE` bytes, until `length` bytes have come.

    All taps of a process are on one event loop; `open` counts those whose connection has not ended.
    """

    open = 0
    buffers: ClassVar[Buffers] = Buffers()

    def __init__(self, transport: asyncio.Transport, first: bytes, length: int, idle: float) -> None:
        """Take `transport` over, of whose body `first` has been read; it may be silent for `idle` seconds."""
        self._transport: asyncio.Transport | None = transport
        self._pieces: deque[Piece] = deque([first] if first else [])
        self._left = length - len(first)
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._filling: memoryview | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._since = 0.0
        self._drain: Drain | None = None
        self._gone = 0
        self._duct: Duct | None = None
        self._divertible = True
        self._paused = self._ended = False
        self._timer = self._loop.call_later(idle / LOOKS, self._look)
        Tap.open += 1
        transport.set_protocol(self)

    @property
    def spent(self) -> bool:
        """Whether all of the body was read, and the connection is still there for another."""
        return self._left == 0 and not self._pieces and not self._ended

    async def read(self) -> Piece:
        """Return the next piece, empty at the end.

        Raises `ConnectionError` if the connection ends before, `TimeoutError` where nothing comes.
        """
        while not self._pieces and self._left > 0:
            await self._more()
        return self.at_hand()

    async def flow(self, drain: Drain) -> int:
        """Let what comes next go into `drain` at once; return how many bytes went.

        None do where there is something at hand, or nothing left to come. Raises as `read` does.
        """
        if self._left > TAIL and (duct := self._diverted(drain)):
            return await self._piped(duct, drain)
        self._rejoin()
        while not self._gone and not self._pieces and self._left > 0:
            self._drain = drain
            try:
                await self._more()
            finally:
                self._drain = None
        return self.passed()

    def passed(self) -> int:
        """Return how many bytes went that were not told yet."""
        gone, self._gone = self._gone, 0
        return gone

    async def _more(self) -> None:
        if self._ended:
            raise self._early()
        self._waiter, self._since = self._loop.create_future(), self._loop.time()
        await self._waiter

    def _diverted(self, drain: Drain) -> Duct | None:
        """Return the duct through which goes what comes next, if any, once nothing that was read is left."""
        clear = drain.pipes and not self._pieces and not self._gone
        if self._divertible and clear and self._transport is not None:
            self._divertible = False
            self._duct = Duct.of(self._transport)
            if self._duct is not None:
                self._paused = True
                self._transport.pause_reading()
        return self._duct

    async def _piped(self, duct: Duct, drain: Drain) -> int:
        while (count := duct.fill(self._left - TAIL)) is None:
            duct.watch(self._wake)
            try:
                await self._more()
            finally:
                duct.unwatch()
            if self._ended:
                raise self._early()
        if not count:
            raise self._early()
        self._left -= count
        drain.give_pipe(duct.end, count)
        return count

    def _rejoin(self) -> None:
        """Read again what follows, the end of the body among it."""
        if self._duct is not None:
            self._close_duct()
            self._resume()

    def _close_duct(self) -> None:
        if self._duct is not None:
            self._duct.close()
            self._duct = None

    def _resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def _early(self) -> ConnectionError:
        return ConnectionError(f"The connection ended {self._left} bytes too early.")

    def at_hand(self) -> Piece:
        """Return the next piece if it has come, empty if not."""
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self._resume()
        return piece

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the buffer that the next bytes go to, until they have come."""
        if self._filling is None:
            self._filling = self.buffers.lend(among=Tap.open)
        return self._filling

    def buffer_updated(self, nbytes: int) -> None:
        """Take what has come into the buffer."""
        assert self._filling is not None
        piece = self._filling[:nbytes]
        drain, self._left = self._drain, self._left - nbytes
        if drain is not None and drain.open and not self._pieces and self._left >= 0:
            drain.give(piece)
            self._gone += nbytes
            going_on = drain.open and self._left and self._gone < SPAN and not self._lasted(TURN)
        else:
            self._hold(bytes(piece))
            going_on = False
        self._give_back()
        if not going_on:
            self._wake()

    def eof_received(self) -> None:
        """Note that nothing more comes."""
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing more can come."""
        self.detach()
        self._wake()

    def detach(self) -> None:
        """Have nothing more to do with the connection."""
        if self._transport is None:
            return
        Tap.open -= 1
        self._timer.cancel()
        self._give_back()
        self._close_duct()
        self._ended = True
        self._transport = None  # a cycle otherwise, which keeps what TLS holds until it is collected

    def _hold(self, piece: Piece) -> None:
        self._pieces.append(piece)
        if len(self._pieces) >= HELD and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _give_back(self) -> None:
        if self._filling is not None:
            self.buffers.take_back(self._filling)
            self._filling = None

    def _look(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done() and not self._gone and self._lasted(self._idle):
            waiter.set_exception(TimeoutError())
            return
        self._timer = self._loop.call_later(self._idle / LOOKS, self._look)
        if self._gone:
            self._wake()

    def _lasted(self, seconds: float) -> bool:
        """Return whether what is waited for has been waited for so long."""
        return self._loop.time() - self._since >= seconds

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def tap(response: aiohttp.ClientResponse, idle: float) -> Tap | None:
    """Take over the connection of a long body of known length; None for every other body."""
    length = response.content_length
    if (
        response.connection is None
        or length is None
        or length < LONG
        or "Transfer-Encoding" in response.headers
    ):
        return None
    first = b"".join(iter(response.content.read_nowait, b""))
    transport = None if response.connection is None else response.connection.transport
    return None if transport is None else Tap(transport, first, length, idle)
