"""The threads that drive orders. Any number, in any number of processes, share the work by leases."""

import logging
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread
from time import monotonic

from stacbridge.catalogue import Archive
from stacbridge.errors import StacbridgeError
from stacbridge.orders.agenda import ALL, Agenda
from stacbridge.orders.driver import Driver

log = logging.getLogger(__name__)

TICK = 2.0
"""Seconds between two looks at the book at most: other processes take orders, too, and nudge nobody here."""
LEAST = 0.05
"""Seconds between two looks at the book where there was nothing to do."""


class Workers:
    """Threads that drive what is due, until they are stopped.

    Each of `chores` does a little of something else that is due, and tells whether there was anything.
    """

    def __init__(
        self,
        agenda: Agenda,
        archives: Mapping[str, Archive],
        driver: Driver,
        chores: Sequence[Callable[[], bool]],
        threads: int,
    ) -> None:
        self._agenda = agenda
        self._archives = archives
        self._driver = driver
        self._chores = chores
        self._stopping = Event()
        self._nudged = Event()
        self._threads = [Thread(target=self._run, name=f"orders-{n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def nudge(self) -> None:
        """Have the threads look at the book now."""
        self._nudged.set()

    def stop(self, patience: float, longest: float) -> None:
        """Begin nothing more, and let the threads finish the step that they are at, for `patience` seconds.

        An order that is on its way to the archive, or its answer to the book, is waited for up to `longest`
        seconds in all. Other steps go on in whoever claims them after the lease.
        """
        end = monotonic() + patience
        self._stopping.set()
        self._nudged.set()
        self._driver.dispatch.close()
        if not self._driver.dispatch.wait(longest):
            log.error("An order is still on its way to an archive, whose answer may be lost.")
        for thread in filter(Thread.is_alive, self._threads):  # one that never began cannot be joined
            thread.join(max(0, end - monotonic()))

    def work(self) -> bool:
        """Do one thing that is due; False where nothing is."""
        product = self._agenda.claim(self._archives.keys(), self._driver.clock(), self._driver.lease)
        if product is not None:
            self._driver.drive(self._archive(product.archive), product)
        done = [chore() for chore in self._chores]
        return any(done) or product is not None

    def _archive(self, name: str) -> Archive:
        """Return the archive of that name, or of that name's kind, as the account that it names sees it."""
        if name in self._archives:
            return self._archives[name]
        all_of_them = name.rpartition(ALL)[0] + ALL
        return self._archives[all_of_them].under(name.rpartition("#")[2])

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = self._worked()
            if pause and not self._stopping.is_set():
                self._nudged.wait(pause)
                self._nudged.clear()

    def _worked(self) -> float:
        """Do one thing that is due, and return the seconds until the next look."""
        try:
            if self.work():
                return 0
            due = self._agenda.next_due(self._archives.keys())
            # What is due and was not taken is somebody else's.
            return TICK if due is None else min(TICK, max(LEAST, due - self._driver.clock()))
        except StacbridgeError as failure:
            log.warning("%s: %s", failure.code, failure)
        except Exception:
            log.exception("An order's step failed; it is taken up again after its lease.")
        return TICK
