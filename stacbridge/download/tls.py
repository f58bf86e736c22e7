"""TLS on the socket itself: OpenSSL reads from the kernel, with no buffer in memory between them.

The event loops put two buffers there, and copy everything once more for each; they are built for connections
that are no sockets, too. What that costs is in docs/decisions/0018-moving-bytes.md.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Any, Self

from stacbridge.descriptors import readable, writable
from stacbridge.download.origin import Origin
from stacbridge.download.records import RECORD, fill, reading

ENDS = (ssl.SSLZeroReturnError, ssl.SSLEOFError)
"""Both ways to end a connection; whether a body is whole is told by its length."""
SCRATCH = memoryview(bytearray(4 * RECORD))
"""What is read for protocols that lend no buffer; all connections are on one event loop."""


class TlsTransport(asyncio.Transport):
    """A client's connection over TLS. It asks nobody to pause writing, since requests are small."""

    def __init__(self, connection: ssl.SSLSocket, protocol: asyncio.BaseProtocol, origin: Origin) -> None:
        """Carry what `protocol` says over `connection`, whose handshake with `origin` is done."""
        super().__init__(
            {"socket": connection, "sslcontext": connection.context, "peername": connection.getpeername()}
        )
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._origin = origin
        self._descriptor = connection.fileno()
        self._outgoing = bytearray()
        self._paused = self._writing = self._closing = self._lost = False
        self.set_protocol(protocol)
        protocol.connection_made(self)
        self._loop.add_reader(self._descriptor, self._readable)

    @classmethod
    async def over(cls, connection: ssl.SSLSocket, protocol: asyncio.BaseProtocol, origin: Origin) -> Self:
        """Shake hands over `connection`, which does not block. Raises `OSError`; it is closed then."""
        try:
            await shaken(connection)
            return cls(connection, protocol, origin)
        except BaseException:
            connection.close()
            raise

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give what comes from now on to `protocol`."""
        self._protocol: Any = protocol
        self._buffered = isinstance(protocol, asyncio.BufferedProtocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return who hears of this connection."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def is_closing(self) -> bool:
        """Return whether it is closed, or will be when all is sent."""
        return self._closing

    def is_reading(self) -> bool:
        """Return whether what comes is read."""
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        """Read nothing until `resume_reading`."""
        if self.is_reading():
            self._paused = True
            self._loop.remove_reader(self._descriptor)

    def resume_reading(self) -> None:
        """Read again."""
        if self._paused and not self._closing:
            self._paused = False
            self._loop.add_reader(self._descriptor, self._readable)
            self._see_rest()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`, at once or as soon as that goes."""
        if not self._closing:
            self._outgoing += data
            if not self._writing:
                self._flush()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes are not sent yet."""
        return len(self._outgoing)

    def can_write_eof(self) -> bool:
        """Return that one direction cannot be closed alone."""
        return False

    def park(self) -> None:
        """Let the connection wait for another request to its server."""
        if not self._closing:
            self._origin.park(self)

    def close(self) -> None:
        """Close once all is sent, with TLS' farewell, for whose answer nobody waits."""
        if not self._closing:
            self._stop_reading()
            self._closing = True
            if not self._outgoing:
                self._end()

    def abort(self) -> None:
        """Close at once."""
        self._lose(None)

    def _end(self) -> None:
        self._keep_session()
        with suppress(OSError):
            self._connection.unwrap()
        self._lose(None)

    def _readable(self) -> None:
        """Read what has come; keep what ends the connection until that was handed on."""
        buffer = self._protocol.get_buffer(-1) if self._buffered else SCRATCH
        count, more, failure = self._fill(buffer)
        if count and self._buffered:
            self._protocol.buffer_updated(count)
        elif count:
            self._protocol.data_received(bytes(buffer[:count]))
        if failure is not None:
            self._lose(failure)
        elif not more:
            self._protocol.eof_received()
            self._lose(None)
        else:
            if self._outgoing and not self._writing:
                self._flush()
            self._see_rest()

    def _fill(self, buffer: memoryview) -> tuple[int, bool, OSError | None]:
        """Decipher into `buffer`; return how many bytes, whether more may come, and what failed then."""
        count, ended = fill(reading(self._connection), buffer)
        if isinstance(ended, ssl.SSLWantWriteError):
            self._watch_writing()
        if ended is None or isinstance(ended, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            return count, True, None
        return count, False, None if isinstance(ended, ENDS) else ended

    def _see_rest(self) -> None:
        if not self._lost and self._connection.pending():
            self._loop.call_soon(self._rest)

    def _rest(self) -> None:
        if self.is_reading():
            self._readable()

    def _writable(self) -> None:
        self._writing = False
        self._loop.remove_writer(self._descriptor)
        self._flush()
        self._rest()

    def _flush(self) -> None:
        try:
            while self._outgoing:
                del self._outgoing[: self._connection.send(self._outgoing)]
        except ssl.SSLWantReadError:
            pass  # it goes on when something has come
        except ssl.SSLWantWriteError:
            self._watch_writing()
        except OSError as failure:
            self._lose(failure)
        else:
            if self._closing:
                self._end()

    def _watch_writing(self) -> None:
        self._writing = True
        self._loop.add_writer(self._descriptor, self._writable)

    def _stop_reading(self) -> None:
        if self.is_reading():
            self._loop.remove_reader(self._descriptor)

    def _keep_session(self) -> None:
        """Keep what a full handshake led to, once: a copy takes as long as what it saves the next time."""
        session = None if self._connection.session_reused else self._connection.session
        if session is not None:
            self._origin.session = session

    def _lose(self, failure: Exception | None) -> None:
        if not self._lost:
            self._stop_reading()
            self._lost = self._closing = True
            self._loop.remove_writer(self._descriptor)
            self._keep_session()
            self._connection.close()
            self._loop.call_soon(self._protocol.connection_lost, failure)


async def shaken(connection: ssl.SSLSocket) -> None:
    """Return when the handshake is done. Raises `OSError`, of which `ssl.SSLError` is a kind."""
    while True:
        try:
            connection.do_handshake()
            return
        except ssl.SSLWantReadError:
            await readable(connection.fileno())
        except ssl.SSLWantWriteError:
            await writable(connection.fileno())
