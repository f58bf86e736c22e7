"""What time it is, as something a test can hold in its hand."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since 1970-01-01T00:00:00Z."""

    def now(self) -> float:
        """Return the current time in seconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return the current time in seconds."""
        return time.time()


class ManualClock:
    """A clock that moves only when told to; safe to move from another thread than the servers'."""

    def __init__(self, start: float = 1_780_000_000.0) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time the clock was last moved to, in seconds."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`."""
        with self._lock:
            self._now += seconds
