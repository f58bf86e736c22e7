"""A value that is made anew from time to time, and kept in use while that fails."""

import logging
import time
from collections.abc import Callable
from math import inf
from threading import Lock
from typing import Generic, TypeVar

from stacbridge.errors import StacbridgeError

V = TypeVar("V")

log = logging.getLogger(__name__)


class Refreshed(Generic[V]):
    """One value, made by `make` when it is older than `seconds`.

    While `make` fails the old value is given out (RFC 5861, stale-if-error) and `make` is tried again after
    `pause` seconds at the earliest; without an old value its failure is raised for as long. Safe to share
    between threads: one of them makes the value, and the others get the old one, or wait where there is none.
    """

    def __init__(
        self,
        make: Callable[[], V],
        seconds: float,
        pause: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._seconds = seconds
        self._pause = pause
        self._clock = clock
        self._renewing = Lock()
        self._kept: list[V] = []
        self._failure: StacbridgeError | None = None
        self._until = -inf
        self._made = inf

    def get(self) -> V:
        """Return the value. Raises what `make` raises where there never was one."""
        if self._clock() >= self._until and self._renewing.acquire(blocking=not self._kept):
            try:
                if self._clock() >= self._until:
                    self._renew()
            finally:
                self._renewing.release()
        if not self._kept and self._failure is not None:
            raise self._failure
        return self._kept[0]

    def age(self) -> float:
        """Return the seconds since the value was made; 0 where there is none."""
        return max(0, self._clock() - self._made)

    def _renew(self) -> None:
        try:
            kept = [self._make()]
        except StacbridgeError as failure:
            log.warning("Nothing new could be had, and %s is used: %s", self._older(), failure)
            self._failure = failure
            self._until = self._clock() + self._pause
        else:
            self._kept, self._made = kept, self._clock()
            self._until = self._made + self._seconds

    def _older(self) -> str:
        return "what there was" if self._kept else "nothing"
