"""HTTP as uvicorn speaks it, with bounds on how long and how large the head of a request may be."""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stacbridge.commands.zerocopy import introduce

HEAD_BYTES = 64 * 1024
"""Bytes of a request's head at most, its URL among them."""
HEADERS = 100
"""Headers of a request at most."""


class BoundedHead(HttpToolsProtocol):
    """Closes connections on which no head of a request is complete within `seconds` of its beginning.

    uvicorn itself waits for ever: a client that sends a byte a minute would hold a connection each.
    """

    seconds = 10.0

    _timer: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request soon."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._settle()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Expect the rest of the head soon."""
        super().on_message_begin()
        self._size = 0
        if self._timer is None:
            self._expect()

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL. Raises `HttpParserError` where it makes the head too large."""
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. Raises `HttpParserError` for one too many, or too large."""
        self._grow(len(name) + len(value))
        if len(self.headers) >= HEADERS:
            raise httptools.HttpParserError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Be content with the head."""
        self._settle()
        super().on_headers_complete()
        if self.cycle is not None:
            introduce(self.scope, self.transport, self.cycle)

    def _grow(self, count: int) -> None:
        self._size += count
        if self._size > HEAD_BYTES:
            raise httptools.HttpParserError("the head is too large")

    def _expect(self) -> None:
        self._timer = self.loop.call_later(self.seconds, self._give_up)

    def _settle(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        self.transport.abort()


def bounded(seconds: float) -> Any:
    """Return the protocol class for uvicorn's `http` that waits for a head so long."""
    return type("BoundedHead", (BoundedHead,), {"seconds": seconds})
