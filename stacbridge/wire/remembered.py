"""A small memory for answers that stay true for a while."""

import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import inf
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Remembered(Generic[V]):
    """Values by key, each for `seconds`, together at most `size`: the least recently used goes first.

    `weigh` says how much of the size a value takes, 1 unless told; one larger than all of it is not kept.
    Safe to share between threads: of those that miss the same key at once, one makes the value and the others
    share it. Only what `keep` approves is remembered; a failure reaches all who wait and is forgotten. `note`
    is told of each look-up whether there was a value.
    """

    def __init__(
        self,
        seconds: float,
        size: int,
        *,
        keep: Callable[[V], bool] = lambda value: True,
        weigh: Callable[[V], int] = lambda value: 1,
        note: Callable[[bool], None] = lambda known: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._size = size
        self._keep = keep
        self._weigh = weigh
        self._note = note
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[object, _Entry[V]] = OrderedDict()
        self._taken = 0

    def get(self, key: object, make: Callable[[], V]) -> V:
        """Return the value of `key`, made anew where it is unknown or too old."""
        with self._lock:
            entry = self._drop(key)
            known = entry is not None and self._clock() < entry.until
            if entry is None or not known:
                entry = _Entry()
            self._put(key, entry)
        self._note(known)
        if not known:
            self._fill(key, entry.value, make)
        return entry.value.result()

    def known(self, key: object) -> V | None:
        """Return the value of `key` where it is there and good, else `None`; wait for nobody."""
        with self._lock:
            entry = self._kept.get(key)
            if entry is None or not entry.value.done() or self._clock() >= entry.until:
                return None
            self._kept.move_to_end(key)
        self._note(True)
        return entry.value.result()

    def forget(self, key: object) -> None:
        """Make the value of `key` anew when it is next asked for."""
        with self._lock:
            self._drop(key)

    def _fill(self, key: object, future: Future[V], make: Callable[[], V]) -> None:
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                self._drop(key)
            future.set_exception(error)
            return
        with self._lock:
            self._drop(key)
            if self._keep(value):
                self._put(key, _Entry(self._clock() + self._seconds, self._weigh(value), future))
        future.set_result(value)

    def _drop(self, key: object) -> "_Entry[V] | None":
        entry = self._kept.pop(key, None)
        self._taken -= 0 if entry is None else entry.weight
        return entry

    def _put(self, key: object, entry: "_Entry[V]") -> None:
        self._kept[key] = entry
        self._taken += entry.weight
        while self._taken > self._size:
            self._drop(next(iter(self._kept)))

    def __len__(self) -> int:
        return len(self._kept)


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    """A value, or one being made, which is good until it is there and weighs as much as the lightest."""

    until: float = inf
    weight: int = 1
    value: Future[V] = field(default_factory=Future)
