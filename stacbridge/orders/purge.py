"""Forgetting orders that finished long ago, in small steps: a book that grows for ever gets slow."""

from collections.abc import Callable, Sequence
from threading import Lock

from stacbridge.orders import transitions
from stacbridge.orders.agenda import Agenda
from stacbridge.orders.database import Database, Execute
from stacbridge.orders.records import FINISHED
from stacbridge.orders.rows import ASKED, marks

STEP = 500
"""Orders, products and events that are forgotten in one transaction at most."""
EVERY = 3600.0
"""Seconds between two looks for what may be forgotten."""
ABANDONED = "No bridge that serves this archive has taken the order up for too long."
OVER = f"p.state IN ({marks(FINISHED)})"


class Purge:
    """Forgets orders `keep` seconds after they finished; `clock` is Unix time. Safe between threads.

    An order of which somebody is still to be told stays, and so does a product as long as an order is of it.
    One that nobody has taken up for as long, because no bridge has its archive any more, has failed.
    """

    def __init__(self, database: Database, keep: float, clock: Callable[[], float]) -> None:
        self._database, self._keep, self._clock = database, keep, clock
        self._agenda = Agenda(database)
        self._lock = Lock()
        self._next_at = 0.0

    def step(self) -> bool:
        """Forget some of what is due; False where nothing is, or another thread is at it."""
        if self._clock() < self._next_at or not self._lock.acquire(blocking=False):
            return False
        try:
            now = self._clock()
            self._next_at = now + EVERY
            left = self._agenda.abandoned(now - self._keep, STEP)
            for product in left:
                self._agenda.save(product, transitions.failed(product, ABANDONED, now), now)
            with self._database.writing() as execute:
                kinds = (self._orders, self._products, self._events)
                counts = [forget(execute, now - self._keep) for forget in kinds]
            if max([*counts, len(left)]) == STEP:
                self._next_at = now
            return any(counts) or bool(left)
        finally:
            self._lock.release()

    def _orders(self, execute: Execute, before: float) -> int:
        found = execute(
            f"SELECT r.id FROM {ASKED} WHERE r.asked < ? AND r.notice_at IS NULL"
            f" AND (r.canceled < ? OR (r.canceled IS NULL AND {OVER} AND p.since < ?))"
            f" ORDER BY r.asked LIMIT ? {self._database.skip}",
            before,
            before,
            *FINISHED,
            before,
            STEP,
        )
        ids = [row["id"] for row in found]
        return _deleted(execute, ids, "batches WHERE request", "requests WHERE id")

    def _products(self, execute: Execute, before: float) -> int:
        locked = execute(
            f"SELECT p.seq FROM products p WHERE {OVER} AND p.since < ?"
            " AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.product = p.seq)"
            f" ORDER BY p.since LIMIT ? {self._database.skip}",
            *FINISHED,
            before,
            STEP,
        )
        if not locked:
            return 0
        # Asked again now that they are locked: somebody may have ordered one in between.
        still = execute(
            f"SELECT p.seq FROM products p WHERE p.seq IN ({marks(locked)}) AND {OVER}"
            " AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.product = p.seq)",
            *(row["seq"] for row in locked),
            *FINISHED,
        )
        return _deleted(execute, [row["seq"] for row in still], "events WHERE product", "products WHERE seq")

    def _events(self, execute: Execute, before: float) -> int:
        found = execute(
            f"SELECT e.seq FROM events e JOIN products p ON p.seq = e.product WHERE e.at < ? AND {OVER}"
            " ORDER BY e.at LIMIT ?",
            before,
            *FINISHED,
            STEP,
        )
        return _deleted(execute, [row["seq"] for row in found], "events WHERE seq")


def _deleted(execute: Execute, keys: Sequence[object], *places: str) -> int:
    """Delete the rows that have one of these keys at those places, and return how many keys there are."""
    for place in places if keys else ():
        execute(f"DELETE FROM {place} IN ({marks(keys)})", *keys)
    return len(keys)
