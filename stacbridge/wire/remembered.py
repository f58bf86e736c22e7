"""A small memory for answers that stay true for a while."""

import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Remembered(Generic[V]):
    """Values by key, each for `seconds`, at most `size` of them: the least recently used goes first.

    Safe to share between threads: of those that miss the same key at once, one makes the value and the others
    share it. Only what `keep` approves is remembered; a failure reaches all who wait and is forgotten.
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
        self._kept: OrderedDict[object, tuple[float, Future[V]]] = OrderedDict()

    def get(self, key: object, make: Callable[[], V]) -> V:
        """Return the value of `key`, made anew where it is unknown or too old."""
        with self._lock:
            until, future = self._kept.pop(key, (-inf, Future[V]()))
            known = self._clock() < until
            if not known:
                until, future = inf, Future()
            self._put(key, until, future)
        if not known:
            self._fill(key, future, make)
        return future.result()

    def forget(self, key: object) -> None:
        """Make the value of `key` anew when it is next asked for."""
        with self._lock:
            self._kept.pop(key, None)

    def _fill(self, key: object, future: Future[V], make: Callable[[], V]) -> None:
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                self._kept.pop(key, None)
            future.set_exception(error)
            return
        with self._lock:
            self._kept.pop(key, None)
            if self._keep(value):
                self._put(key, self._clock() + self._seconds, future)
        future.set_result(value)

    def _put(self, key: object, until: float, future: Future[V]) -> None:
        self._kept[key] = (until, future)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)
