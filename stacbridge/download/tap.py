"""The rest of a long body, straight from its connection: fewer copies, and over TLS a fifth less CPU time.

An HTTP client hands a body out in the pieces that its parser cuts, each copied several times. Where the
length is known there is nothing left to parse after the headers, so the connection's transport is taken over,
and reads go into one buffer. The connection cannot be used again, which is nothing beside a long body.
"""

import asyncio
from collections import deque

import aiohttp

LONG = 1024 * 1024
"""Bytes from which on a body is worth a connection of its own."""
PIECE = 256 * 1024
"""Bytes taken from the connection at once at most, while there are few."""
SMALLEST = 16 * 1024
"""Bytes taken at once at most, however many there are."""
HELD = 2
"""Pieces held before the upstream is asked to pause."""
KEPT = 4
"""Buffers kept for filling again: those held, one that is being sent and one that is being filled."""
BUDGET = 32 * 1024 * 1024
"""Bytes of buffers from which on new ones are smaller, so that a thousand readers who stop take little."""

Piece = bytes | memoryview
"""Some bytes of a body; a view is good until it is let go of."""


class Tap(asyncio.BufferedProtocol):
    """What follows on a transport, in pieces of at most `PIECE` bytes, until `length` bytes have come.

    All taps of a process are on one event loop; `open` counts those whose connection has not ended.

    Pieces are views of buffers that are filled again once nobody holds a view of them any more: warm memory,
    and no copy between the connections.
    """

    open = 0

    def __init__(self, transport: asyncio.Transport, first: bytes, length: int) -> None:
        """Take `transport` over, of whose body `first` has been read already."""
        self._transport = transport
        self._pieces: deque[Piece] = deque([first] if first else [])
        self._left = length - len(first)
        self._buffers: list[bytearray] = []
        self._filling = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._paused = self._ended = False
        Tap.open += 1
        transport.set_protocol(self)

    async def read(self) -> Piece:
        """Return the next piece, empty at the end. Raises `ConnectionError` if the connection ends before."""
        while not self._pieces and self._left > 0:
            if self._ended:
                raise ConnectionError(f"The connection ended {self._left} bytes too early.")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self.at_hand()

    def at_hand(self) -> Piece:
        """Return the next piece if it has come, empty if not."""
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return piece

    def get_buffer(self, sizehint: int) -> bytearray:
        """Lend the buffer that the next bytes go to."""
        size = _size(Tap.open)
        self._buffers = [buffer for buffer in self._buffers if len(buffer) == size or not _is_free(buffer)]
        self._filling = next(filter(_is_free, self._buffers), None) or self._another(size)
        return self._filling

    def buffer_updated(self, nbytes: int) -> None:
        """Take what has come into the buffer."""
        self._pieces.append(memoryview(self._filling)[:nbytes])
        self._left -= nbytes
        if len(self._pieces) >= HELD and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def _another(self, size: int) -> bytearray:
        buffer = bytearray(size)
        if len(self._buffers) < KEPT:
            self._buffers.append(buffer)
        return buffer

    def eof_received(self) -> None:
        """Note that nothing more comes."""
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing more can come."""
        Tap.open -= 1
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _size(taps: int) -> int:
    """Return the size of new buffers among so many taps: `PIECE`, halved until all are within `BUDGET`."""
    size = PIECE
    while size > SMALLEST and taps * KEPT * size > BUDGET:
        size //= 2
    return size


def _is_free(buffer: bytearray) -> bool:
    """Tell whether nobody holds a view of `buffer`: only then can its size change."""
    try:
        buffer.append(0)
    except BufferError:
        return False
    buffer.pop()
    return True


def tap(response: aiohttp.ClientResponse) -> Tap | None:
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
    return None if transport is None else Tap(transport, first, length)
