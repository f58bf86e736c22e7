"""A bound on every single wait of a loop, for a fraction of what a timer for each would cost."""

import asyncio
from types import TracebackType
from typing import Self

PARTS = 8
"""How often the watch is looked at within its bound; it may be late by one such part."""


class Watch:
    """Ends the task that made it when it waits for longer than `seconds` between `start` and `stop`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._since: float | None = None
        self._expired = False
        self._timer = self._loop.call_later(seconds / PARTS, self._look)

    def start(self) -> None:
        """Begin to wait."""
        self._since = self._loop.time()

    def stop(self) -> None:
        """Have waited long enough."""
        self._since = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop watching; raises `TimeoutError` in place of the end that it caused itself."""
        self._timer.cancel()
        if self._expired and kind is asyncio.CancelledError and self._task is not None:
            self._task.uncancel()
            raise TimeoutError

    def _look(self) -> None:
        if self._since is not None and self._loop.time() - self._since >= self._seconds:
            self._expired = True
            if self._task is not None:
                self._task.cancel()
        else:
            self._timer = self._loop.call_later(self._seconds / PARTS, self._look)
