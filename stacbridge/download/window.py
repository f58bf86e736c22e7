"""A sum over the last seconds, in bounded memory."""

from collections import deque
from collections.abc import Callable

PARTS = 10


class Window:
    """Adds up what came in the last `seconds` of `clock`; it is forgotten up to a tenth of them later."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._part = seconds / PARTS
        self._clock = clock
        self._sums: deque[tuple[int, float]] = deque()

    def add(self, amount: float) -> None:
        """Note that `amount` has come now."""
        part, so_far = self._now(), 0.0
        if self._sums and self._sums[-1][0] == part:
            so_far = self._sums.pop()[1]
        self._sums.append((part, so_far + amount))

    def total(self) -> float:
        """Return the sum."""
        self._forget()
        return sum(amount for _, amount in self._sums)

    def wait(self) -> float:
        """Return the seconds until some of it is forgotten; 0 where there is nothing."""
        self._forget()
        if not self._sums:
            return 0
        return (self._sums[0][0] + PARTS + 1) * self._part - self._clock()

    def _forget(self) -> None:
        oldest = self._now() - PARTS
        while self._sums and self._sums[0][0] < oldest:
            self._sums.popleft()

    def _now(self) -> int:
        return int(self._clock() // self._part)
