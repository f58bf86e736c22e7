"""The ASGI extension `http.response.zerocopysend`, for uvicorn: bytes of a body that stay in the kernel.

An application that finds it in a scope's `extensions` may send `{"type": ZERO_COPY, "file": …, "count": …}`,
`file` being the reading end of a pipe that holds `count` bytes of the body, which is not complete with them.
"""

import asyncio
import os
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stacbridge import splicing
from stacbridge.exchange import ZERO_COPY

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
        scope["extensions"] = {**scope.get("extensions", {}), ZERO_COPY: {}}
        sender = Sender(transport, cycle, send)
        try:
            await app(scope, receive, sender)
        finally:
            sender.close()

    return serving


class Sender:
    """Sends by uvicorn what is bytes, and itself what is in a pipe."""

    def __init__(self, transport: asyncio.Transport, cycle: Cycle, send: Send) -> None:
        self._transport = transport
        self._cycle = cycle
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._socket: int | None = None

    async def __call__(self, message: Message) -> None:
        """Send one message; return once the client's connection has taken what is in a pipe."""
        if message["type"] != ZERO_COPY:
            await self._send(message)
            return
        await self._flushed()
        self._cycle.expected_content_length -= message["count"]
        try:
            await self._splice(message["file"].fileno(), message["count"])
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

    async def _splice(self, pipe: int, count: int) -> None:
        if self._socket is None:
            self._socket = os.dup(self._transport.get_extra_info("socket").fileno())
        while count:
            try:
                count -= os.splice(pipe, self._socket, count, flags=splicing.FLAGS)
            except BlockingIOError:
                await self._writable(self._socket)

    async def _writable(self, socket: int) -> None:
        ready: Any = self._loop.create_future()
        self._loop.add_writer(socket, lambda: ready.done() or ready.set_result(None))
        try:
            await ready
        finally:
            self._loop.remove_writer(socket)
