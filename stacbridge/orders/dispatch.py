"""Orders that are on their way: none begins once the bridge stops, and it waits for those that have begun."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Dispatch:
    """Counts orders that an archive may hear of until its answer is written. Safe between threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._under_way = 0
        self._closed = False

    @contextmanager
    def order(self) -> Iterator[bool]:
        """Be an order on its way; gives False where none may begin any more."""
        with self._changed:
            begins = not self._closed
            self._under_way += begins
        try:
            yield begins
        finally:
            with self._changed:
                self._under_way -= begins
                self._changed.notify_all()

    def close(self) -> None:
        """Let none begin any more."""
        with self._changed:
            self._closed = True

    def wait(self, seconds: float) -> bool:
        """Wait until none is on its way, `seconds` at most; tell whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, seconds)
