"""The ASGI extension `http.response.zerocopysend`, for uvicorn: bytes of a body that stay in the kernel.

An application that finds it in a scope's `extensions` may send `{"type": ZERO_COPY, "file": …, "count": …}`,
`file` being the reading end of a pipe that holds `count` bytes of the body, which is not complete with them.
`{"type": LENT, "body": …, "count": …}` sends from a buffer that is read into again at once: uvicorn would keep
it until all of it is sent.
"""

import asyncio
import os
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stacbridge import splicing
from stacbridge.exchange import LENT, ZERO_COPY

CLIENT = "stacbridge.client"


class Cycle(Protocol):
    """uvicorn's count of what a body must still have; a test fails where it counts otherwise."""

    expected_content_length: int


def introduce(scope: Any, transport: asyncio.Transport, cycle: Cycle) -> None:
    """Tell `zero_copy` to whom the answer of `scope` goes, where that connection can do it."""
    if splicing.works() and transport.get_extra_info("sslcontext") is None:
        scope[CLIENT] = (transport, cycle)


def zero_copy(app: ASGIApp) -> ASGIApp:
    """Return `app` with the extension, for requests whose client was introduced."""

    async def serving(scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.pop(CLIENT, None)
        if client is None:
            await app(scope, receive, send)
            return
        transport, cycle = client
        scope["extensions"] = {**scope.get("extensions", {}), ZERO_COPY: {}, LENT: {}}
        sender = Sender(transport, cycle, send)
        try:
            await app(scope, receive, sender)
        finally:
            sender.close()

    return serving


class Sender:
    """Sends by uvicorn what is bytes, and itself what is in a pipe or a buffer that is lent."""

    def __init__(self, transport: asyncio.Transport, cycle: Cycle, send: Send) -> None:
        self._transport = transport
        self._cycle = cycle
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._socket: int | None = None

    async def __call__(self, message: Message) -> None:
        """Send one message; return once the client's connection has taken what uvicorn does not send."""
        if message["type"] not in (ZERO_COPY, LENT):
            await self._send(message)
            return
        if self._socket is None:
            self._socket = os.dup(self._transport.get_extra_info("socket").fileno())
        self._cycle.expected_content_length -= message["count"]
        try:
            if message["type"] == LENT:
                await self._write(self._socket, message["body"])
            else:
                await self._flushed()
                await self._splice(self._socket, message["file"].fileno(), message["count"])
        except ConnectionError:
            self._transport.abort()  # as with bytes, who left is told by `receive`, not by an error

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            os.close(self._socket)
            self._socket = None

    async def _flushed(self) -> None:
        """Wait until uvicorn has sent what it was given before."""
        if self._transport.get_write_buffer_size():
            self._transport.set_write_buffer_limits(0)
            await self._send({"type": "http.response.body", "body": b"", "more_body": True})
            self._transport.set_write_buffer_limits()

    async def _write(self, socket: int, piece: bytes | memoryview) -> None:
        """Send what goes without waiting, and a copy of the rest."""
        sent = 0 if self._transport.get_write_buffer_size() else _written(socket, piece)
        if sent < len(piece):
            rest = memoryview(bytes(piece[sent:]))
            await self._flushed()
            while rest:
                await self._writable(socket)
                rest = rest[_written(socket, rest) :]

    async def _splice(self, socket: int, pipe: int, count: int) -> None:
        while count:
            try:
                count -= os.splice(pipe, socket, count, flags=splicing.FLAGS)
            except BlockingIOError:
                await self._writable(socket)

    async def _writable(self, socket: int) -> None:
        ready: Any = self._loop.create_future()
        self._loop.add_writer(socket, lambda: ready.done() or ready.set_result(None))
        try:
            await ready
        finally:
            self._loop.remove_writer(socket)


def _written(socket: int, piece: bytes | memoryview) -> int:
    """Return how many bytes the connection takes without waiting."""
    try:
        return os.write(socket, piece)
    except BlockingIOError:
        return 0
