"""How long to wait for the last of many who were asked at once."""

import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from typing import Any

REMEMBERED = 50
"""Answers that decide what is usual."""
AT_ONCE = 0.05
"""Seconds within which no upstream answers: such an answer came from a memory, and says nothing of it."""


class Usual:
    """How long one catalogue usually takes: the 95th percentile of its last answers. Safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seconds: deque[float] = deque(maxlen=REMEMBERED)

    def note(self, seconds: float) -> None:
        """Take one more answer into account."""
        if seconds >= AT_ONCE:
            with self._lock:
                self._seconds.append(seconds)

    def seconds(self) -> float | None:
        """Return the usual time, `None` where there was no answer yet."""
        with self._lock:
            ordered = sorted(self._seconds)
        return ordered[ceil(0.95 * len(ordered)) - 1] if ordered else None


@dataclass(eq=False, slots=True)
class Asked:
    """A question under way: how long its like usually takes, and at its end how long it took."""

    usual: float | None = None
    took: float | None = None
    answer: Future[Any] = field(default_factory=Future)

    @property
    def observed(self) -> float:
        """How long an answer took; 0 while there is none, and for a failure, which sets no example."""
        answered = self.answer.done() and self.answer.exception() is None
        return self.took or 0 if answered else 0


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits for `ratio` times the longest usual or observed time, `floor` seconds at least."""

    ratio: float
    floor: float
    clock: Callable[[], float] = time.monotonic

    def wait(self, asked: Collection[Asked], deadline: float, at_hand: Callable[[], bool]) -> None:
        """Return once all have answered or failed, or patience is at its end.

        `deadline` is a time of the clock. It is waited for where there is nothing to give without the late
        ones (`at_hand`), or where it is not known what is usual for one of them.
        """
        start = self.clock()
        pending = {one.answer for one in asked}
        while pending:
            until = min(deadline, start + self.seconds(asked)) if at_hand() else deadline
            left = until - self.clock()
            if left <= 0:
                return
            _, pending = wait(pending, left, FIRST_COMPLETED)

    def seconds(self, asked: Collection[Asked]) -> float:
        """Return how long to wait in all; for ever where it is not known what is usual for a late one."""
        if any(one.usual is None and not one.answer.done() for one in asked):
            return float("inf")
        return max(self.floor, *(self.ratio * max(one.usual or 0, one.observed) for one in asked))
