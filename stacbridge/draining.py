"""The end of a bridge that is told to stop: what it sends is finished first, and nothing new is begun."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stacbridge.errors import NotStaged

RETRY_AFTER = 5
"""Seconds after which another process, or the next one, is there to ask."""


class Drain:
    """Counts downloads, and tells when the bridge may stop. Used on one event loop, and in signal handlers.

    Once begun it lasts `notice` seconds at least, for load balancers to see it, and while there are downloads
    up to `seconds`.
    """

    def __init__(
        self, seconds: float, notice: float = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.under_way = 0
        self._seconds = max(seconds, notice)
        self._notice = notice
        self._clock = clock
        self._since: float | None = None

    @property
    def begun(self) -> bool:
        """Whether nothing new is begun any more."""
        return self._since is not None

    @property
    def over(self) -> bool:
        """Whether there is nothing left to wait for, or no time."""
        if self._since is None:
            return False
        waited = self._clock() - self._since
        return waited >= self._notice if not self.under_way else waited >= self._seconds

    @property
    def left(self) -> float:
        """The seconds that what is under way may still take."""
        return self._seconds if self._since is None else max(0, self._since + self._seconds - self._clock())

    def begin(self) -> None:
        """Begin nothing new from now on."""
        if self._since is None:
            self._since = self._clock()

    def end(self) -> None:
        """Wait for nothing any more."""
        self._seconds = self._notice = 0

    def refusal(self) -> NotStaged:
        """Return what a download is answered that comes too late."""
        return NotStaged(
            "The bridge is being stopped, and begins no downloads.",
            advice="Ask again: another one takes its place.",
            retry_after=RETRY_AFTER,
        )

    @contextmanager
    def download(self) -> Iterator[None]:
        """Be one of the downloads that are waited for."""
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1


class Farewell:
    """Ends each connection with the answer that goes over it once `drain` has begun.

    A client that keeps its connection would come back to this bridge, however often it asks again.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app, self._drain = app, drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._drain.begun:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive, last)
