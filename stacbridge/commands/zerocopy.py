"""The ASGI extension `http.response.zerocopysend`, for uvicorn: bytes of a body that stay in the kernel.

An application that finds it in a scope's `extensions` may send `{"type": ZERO_COPY, "file": …, "count": …}`,
`file` being the reading end of a pipe that holds `count` bytes of the body, which is not complete with them.

One that finds `LENT` there may call its `write` with a piece of the body. That sends what goes at once, and
forgets the piece when it returns, where uvicorn would keep it until all of it is sent. The messages
`{"type": LENT, "count": …}` say afterwards how many bytes of the body went this way.
"""

import asyncio
import os
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stacbridge import splicing
from stacbridge.descriptors import writable
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
        sender = Sender(transport, cycle, send)
        offered = {ZERO_COPY: {}, LENT: {"write": sender.write}}
        scope["extensions"] = {**scope.get("extensions", {}), **offered}
        try:
            await app(scope, receive, sender)
        finally:
            sender.close()

    return serving


class Sender:
    """Sends by uvicorn what is bytes, and itself what is in a pipe or lent."""

    def __init__(self, transport: asyncio.Transport, cycle: Cycle, send: Send) -> None:
        self._transport = transport
        self._cycle = cycle
        self._send = send
        self._socket: int | None = None

    async def __call__(self, message: Message) -> None:
        """Send one message; return once the client's connection has taken what is in a pipe."""
        if message["type"] == ZERO_COPY:
            await self._flushed()
            self._cycle.expected_content_length -= message["count"]
            try:
                await self._splice(message["file"].fileno(), message["count"])
            except ConnectionError:
                self._transport.abort()  # as with bytes, who left is told by `receive`, not by an error
        elif message["type"] != LENT:
            await self._send(message)

    def write(self, piece: bytes | memoryview) -> int:
        """Send what goes at once of a piece; return how many bytes, none while uvicorn still sends."""
        if self._transport.get_write_buffer_size():
            return 0
        try:
            count = os.write(self._client(), piece)
        except BlockingIOError:
            return 0
        except ConnectionError:
            self._transport.abort()
            return 0
        self._cycle.expected_content_length -= count
        return count

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

    def _client(self) -> int:
        if self._socket is None:
            self._socket = os.dup(self._transport.get_extra_info("socket").fileno())
        return self._socket

    async def _splice(self, pipe: int, count: int) -> None:
        socket = self._client()
        while count:
            try:
                count -= os.splice(pipe, socket, count, flags=splicing.FLAGS)
            except BlockingIOError:
                await writable(socket)
