"""Turns at the interpreter: of the threads that have a page to read, translate or write, a few at a time.

Python computes in one thread at once however many there are. Were all let in, a hundred searches would each
hold a page half done, in ten times the bytes that their upstreams' answers have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

AT_ONCE = 2
"""One that computes, and one for when it does not need the interpreter: GEOS lets go of it."""
PATIENCE = 2.0
"""Seconds after which nobody waits any longer, so that an upstream's outlandish page holds up no others."""


class Turns:
    """Lets `at_once` threads compute; who has waited `patience` seconds for that does so all the same."""

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        self._left = BoundedSemaphore(at_once)
        self._patience = patience

    @contextmanager
    def take(self) -> Iterator[None]:
        """Compute in turn. Not to be held while waiting for anything else."""
        had = self._left.acquire(timeout=self._patience)
        try:
            yield
        finally:
            if had:
                self._left.release()


turns = Turns()
"""Those of this process, which has one interpreter."""
