"""A circuit breaker: who fails again and again is left alone for a while, then tried with one request."""

import time
from collections.abc import Callable
from itertools import count
from threading import Lock


class Breaker:
    """Counts how the attempts at one thing end.

    closed     attempts are let through; after `failures` failed ones in a row it opens
    open       none is, for `seconds`
    half-open  then exactly one is, the probe: its success closes the breaker, its failure opens it again

    An attempt that has not ended after `patience` seconds has failed, whatever becomes of it. What ends while
    the breaker is open, but for the probe, says nothing new. Safe to share between threads.
    """

    def __init__(
        self,
        failures: int,
        seconds: float,
        patience: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._seconds = seconds
        self._patience = patience
        self._clock = clock
        self._lock = Lock()
        self._numbers = count()
        self._attempts: dict[int, float] = {}
        self._failed = 0
        self._until: float | None = None
        self._probe: int | None = None

    def admit(self) -> int | None:
        """Return the number of a new attempt, `None` where none is let through."""
        with self._lock:
            now = self._clock()
            self._give_up(now)
            if self._until is not None and (now < self._until or self._probe is not None):
                return None
            number = next(self._numbers)
            self._attempts[number] = now
            if self._until is not None:
                self._probe = number
            return number

    def state(self) -> str:
        """Return "closed", "open" or "half-open"; open is also what waits for somebody to try it."""
        with self._lock:
            self._give_up(self._clock())
            if self._until is None:
                return "closed"
            return "open" if self._probe is None else "half-open"

    def wait(self) -> float:
        """Return the seconds until an attempt may be let through; 0 where one may be now."""
        with self._lock:
            now = self._clock()
            self._give_up(now)
            if self._until is None:
                return 0
            if self._probe is not None:
                return self._attempts[self._probe] + self._patience - now
            return max(0, self._until - now)

    def passed(self, number: int) -> None:
        """Note that an attempt succeeded."""
        with self._lock:
            self._give_up(self._clock())
            if self._ended(number):
                self._failed, self._until = 0, None

    def failed(self, number: int) -> None:
        """Note that an attempt failed."""
        with self._lock:
            self._give_up(self._clock())
            if self._ended(number):
                self._fail(self._clock())

    def withdrawn(self, number: int) -> None:
        """Note that an attempt ended in a way that says neither."""
        with self._lock:
            self._ended(number)

    def _ended(self, number: int) -> bool:
        """Forget an attempt; tell whether how it ended counts."""
        known = self._attempts.pop(number, None) is not None
        counts = known and (self._until is None or number == self._probe)
        if number == self._probe:
            self._probe = None
        return counts

    def _fail(self, now: float) -> None:
        self._failed += 1
        if self._until is not None or self._failed >= self._failures:
            self._failed, self._until = 0, now + self._seconds

    def _give_up(self, now: float) -> None:
        """Count the attempts that took too long; they are in the order of their start."""
        overdue = [number for number, start in self._attempts.items() if now - start >= self._patience]
        for number in overdue:
            if self._ended(number):
                self._fail(now)
