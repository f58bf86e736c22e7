"""The client's side of a download: what it asks for, what goes to it, and whether it is still there."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from stacbridge.download.delivery import Wanted
from stacbridge.download.ranges import ByteRange
from stacbridge.errors import StacbridgeError
from stacbridge.exchange import LENT, ZERO_COPY, identified

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Write = Callable[[bytes | memoryview], int]

METHODS = ("GET", "HEAD", "OPTIONS")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Link, Location, "
        "Retry-After, X-Request-ID"
    ),
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": ", ".join(METHODS),
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Range, Range",
    "Access-Control-Max-Age": "86400",
    "Allow": ", ".join(METHODS),
}

log = logging.getLogger(__name__)


class Answer:
    """What goes to the client. Once it has started, a failure can only cut the connection.

    `whole` tells that all of it went out. `pipes` tells whether it takes `ZERO_COPY`; `write` sends what goes
    at once of a piece of the body, and returns how many bytes: none where the server does not offer `LENT`.
    """

    def __init__(self, scope: Scope, send: Send) -> None:
        self.started = self.whole = False
        extensions = scope.get("extensions", {})
        self.pipes = ZERO_COPY in extensions
        self.write: Write = extensions.get(LENT, {}).get("write", _nothing)
        self._head = scope["method"] == "HEAD"
        self._send = send

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        await self._send(message)
        self.whole = message["type"] != "http.response.start" and not message.get("more_body", False)

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send status and headers."""
        encoded = [
            (name.lower().encode(), value.encode("utf-8", "surrogateescape"))
            for name, value in (_CORS | dict(headers)).items()
        ]
        self.started = True
        if "Content-Length" not in headers:  # what goes past the server would be no chunk
            self.pipes, self.write = False, _nothing
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})

    async def end(self, body: bytes = b"") -> None:
        """Send `body` as the last of the body."""
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    async def fail(self, failure: Exception, link: str | None = None) -> None:
        """Say what went wrong; `link` is where the client can see how its order stands."""
        if not isinstance(failure, StacbridgeError):
            log.error("An asset request failed.", exc_info=failure)
            failure = StacbridgeError("The bridge itself failed; its log says how.")
        elif failure.status >= 500:
            log.warning("%s: %s", failure.code, failure)
        status = {} if link is None else {"status": link}
        body = orjson.dumps(identified(failure.body()) | status)
        told = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
        }
        if link is not None:
            told["Link"] = f'<{link}>; rel="status"'
        await self.start(failure.status, failure.headers() | told)
        await self.end(b"" if self._head else body)


def _nothing(piece: bytes | memoryview) -> int:
    return 0


def wanted_of(scope: Scope) -> Wanted:
    """Return what of the file a request asks for."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    return Wanted(
        scope["method"] == "HEAD", ByteRange.parse(headers.get(b"range", "")), headers.get(b"if-range")
    )


@asynccontextmanager
async def until_disconnect(receive: Receive) -> AsyncIterator[None]:
    """Cancel what runs inside as soon as the client hangs up, wherever it waits, and leave quietly.

    Watches from the first moment on, since servers do not cancel an application whose client has left.
    """
    task = asyncio.current_task()
    assert task is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError as cancelled:
        if not gone:
            raise
        task.uncancel()
        cancelled.__traceback__ = None  # which holds all that was under way, in a circle on Python 3.13
    finally:
        watcher.cancel()
