"""A small memory for answers that stay true for a while."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Remembered(Generic[V]):
    """Values by key, each for `seconds`, at most `size` of them: the least recently used goes first.

    Only what `keep` approves is remembered. Safe to share between threads; two that miss the same key at once
    both make the value.
    """

    def __init__(
        self,
        seconds: float,
        size: int,
        *,
        keep: Callable[[V], bool] = lambda value: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._size = size
        self._keep = keep
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[object, tuple[float, V]] = OrderedDict()

    def get(self, key: object, make: Callable[[], V]) -> V:
        """Return the value of `key`, made anew where it is unknown or too old."""
        with self._lock:
            known = self._kept.get(key)
            if known is not None and self._clock() < known[0]:
                self._kept.move_to_end(key)
                return known[1]
        made = make()
        if not self._keep(made):
            return made
        with self._lock:
            self._kept[key] = (self._clock() + self._seconds, made)
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return made

    def __len__(self) -> int:
        return len(self._kept)
