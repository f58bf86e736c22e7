"""The end of a bridge that is told to stop: what it sends is finished first, and nothing new is begun."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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

    def begin(self) -> None:
        """Begin nothing new from now on."""
        if self._since is None:
            self._since = self._clock()

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
