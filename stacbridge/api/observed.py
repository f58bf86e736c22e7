"""Every request under an id, in the log and in the figures, as plain ASGI outside of everything else."""

import logging
import time
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stacbridge import metrics
from stacbridge.exchange import HEADER, LENT, ZERO_COPY, Exchange, answering
from stacbridge.hrefs import catalogue_of
from stacbridge.logs import FIELDS

NO_ROUTE = "(none)"
"""Route of paths that nothing is at: such a path is the client's own words, of which there is no end."""

log = logging.getLogger("stacbridge.requests")


class Observed:
    """Gives each request its id, tells it to the client, and notes when the answer has ended.

    The query is never noted: signatures and credentials come in it. `prefix` is the path of the public URL.
    """

    def __init__(
        self, app: ASGIApp, prefix: str = "", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app, self._prefix, self._clock = app, prefix, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and note it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = Exchange.named(Headers(scope=scope).get(HEADER, ""))
        scope["stacbridge.exchange"] = exchange
        sending = Sending(exchange.id, send)
        method, path, start = scope["method"], scope["path"], self._clock()
        with answering(exchange):
            try:
                await self.app(scope, receive, sending)
            finally:
                seconds, route = self._clock() - start, exchange.route or NO_ROUTE
                metrics.answered(method, route, sending.status, seconds, sending.sent)
                if log.isEnabledFor(logging.INFO):
                    self._log(scope, method, path, seconds, sending)

    def _log(self, scope: Scope, method: str, path: str, seconds: float, sending: "Sending") -> None:
        exchange: Exchange = scope["stacbridge.exchange"]
        principal = scope.get("stacbridge.principal")
        fields: dict[str, Any] = {
            "method": method,
            "path": path,
            "status": sending.status,
            "whole": sending.whole,
            "bytes": sending.sent,
            "seconds": round(seconds, 4),
            "principal": None if principal is None else principal.id,
            "catalogue": catalogue_of(path.removeprefix(self._prefix)),
            "upstream": {id: round(took, 4) for id, took in exchange.upstream.items()} or None,
        }
        log.info("request", extra={FIELDS: fields})


class Sending:
    """Passes an answer on, and keeps in mind what of it went out. `status` is 0 while nothing did."""

    def __init__(self, id: str, send: Send) -> None:
        self.status, self.sent, self.whole = 0, 0, False
        self._header, self._send = (HEADER.lower().encode(), id.encode()), send

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], self._header]}
        await self._send(message)
        if message["type"] == "http.response.body":
            self.sent += len(message.get("body", b""))
            self.whole = not message.get("more_body", False)
        elif message["type"] in (ZERO_COPY, LENT):
            self.sent += message["count"]


class Routed:
    """Notes which route a request came to. To be mounted right around the routes; `prefix` leads to them."""

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        self.app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and see which route took it."""
        try:
            await self.app(scope, receive, send)
        finally:
            route = scope.get("route")
            if route is not None and "stacbridge.exchange" in scope:
                scope["stacbridge.exchange"].route = f"{self._prefix}{route.path}"
