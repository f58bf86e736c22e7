"""The order desk of one bridge: takes orders, tells of them, and has them driven."""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from time import monotonic
from typing import NamedTuple

from stacbridge.callers.principal import caller, scope_of
from stacbridge.catalogue import Archive
from stacbridge.errors import Misconfigured, NotFound, NotOrderable
from stacbridge.federation import Federation
from stacbridge.orders.agenda import ALL, Agenda
from stacbridge.orders.book import Book
from stacbridge.orders.database import Database
from stacbridge.orders.driver import Driver
from stacbridge.orders.notices import Notices
from stacbridge.orders.purge import Purge
from stacbridge.orders.records import Event, Key, Order
from stacbridge.orders.store import check_place, exists, open_store
from stacbridge.orders.transitions import Rules
from stacbridge.orders.webhooks import Webhooks
from stacbridge.orders.workers import Workers
from stacbridge.settings import Settings

MARGIN = 1.0
"""Seconds that a step takes beside its request, at most."""
PATIENCE = 5.0
"""Seconds that steps may take to finish when the bridge stops."""
Url = Callable[[str], str]


class Opened(NamedTuple):
    """The book, and the threads that go by it."""

    database: Database
    book: Book
    workers: Workers
    notices: Notices


class Desk:
    """Orders for principals (any text that names who asks). Methods block.

    The book is opened when the first order comes, or at the start where there is one: a bridge that nobody
    orders from keeps no file.
    """

    def __init__(
        self, federation: Federation, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        self.webhooks = Webhooks(settings)
        self._federation = federation
        self._settings = settings
        self._clock = clock
        self._lock = Lock()
        self._open: Opened | None = None
        self._running = False

    def start(self) -> None:
        """Go on with the orders that there are. Raises `Misconfigured` where the book cannot be read."""
        self._running = True
        if self._archives() and exists(self._settings):
            self._opened()

    def stop(self, left: float | None = None) -> None:
        """Stop driving; what is under way goes on with the next start, here or in another process.

        Orders that are on their way to an archive are waited for `left` seconds; unset: `drain_seconds`.
        """
        with self._lock:
            self._running = False
            if self._open is not None:
                database, _, workers, notices = self._open
                end = monotonic() + PATIENCE
                notices.halt()
                workers.stop(PATIENCE, max(PATIENCE, self._settings.drain_seconds if left is None else left))
                notices.join(end)
                database.close()
                self._open = None

    # Orders ---------------------------------------------------------------------------------------
    def place(
        self, collection: str, item: str, principal: str, url: Url, webhook: str | None = None
    ) -> Order:
        """Order one item, or nothing where its bytes are there.

        Raises `NotFound` and `NotOrderable` where it never can be had so, `BadRequest` for a webhook that may
        not be called, `UpstreamError` and its kin, and `StoreUnavailable`.
        """
        webhook = self.webhooks.checked(webhook)
        archive, key = self._ordered(collection, item)
        online = archive.is_online(collection, item)
        book, workers = self._opened()
        (order,) = book.place([key], principal, self._clock(), url, webhook=webhook, online=online)
        workers.nudge()
        return self.order(order.id, principal)

    def place_all(
        self, items: Sequence[tuple[str, str]], principal: str, url: Url, webhook: str | None = None
    ) -> tuple[str, list[Order]]:
        """Order many items (collection and id of each) and return the batch's id and its orders.

        Whether each is there, or can be had, is found out when its turn comes. Raises as `place`.
        """
        webhook = self.webhooks.checked(webhook)
        keys = [self._ordered(collection, item)[1] for collection, item in items]
        batch = secrets.token_urlsafe(12)
        book, workers = self._opened()
        placed = book.place(keys, principal, self._clock(), url, webhook=webhook, batch=batch)
        workers.nudge()
        return batch, placed

    def order(self, id: str, principal: str) -> Order:
        """Return an order of a principal. Raises `NotFound`, also for orders of others."""
        book = self._book()
        order = book.order(id, principal) if book else None
        if order is None:
            raise NotFound("There is no such order.", advice="GET /orders lists yours.")
        return order

    def orders(
        self,
        principal: str,
        limit: int,
        before: tuple[float, str] | None = None,
        batch: str | None = None,
    ) -> list[Order]:
        """Return a page of a principal's orders, or of one batch of them, the newest first."""
        book = self._book()
        return book.orders(principal, limit, before, batch) if book else []

    def counts(self, principal: str, batch: str) -> dict[str, int]:
        """Return how many orders of a batch are in each state. Raises `NotFound`."""
        book = self._book()
        counts = book.counts(principal, batch) if book else {}
        if not counts:
            raise NotFound("There is no such batch of orders.", advice="GET /orders lists yours.")
        return counts

    def events(self, order: Order) -> list[Event]:
        """Return what became of an order, the latest last."""
        book = self._book()
        return book.events(order) if book else []

    def cancel(self, id: str, principal: str) -> Order:
        """Cancel an order of a principal, and nobody else's of the same product. Raises `NotFound`."""
        order = self.order(id, principal)
        book, workers = self._opened()
        book.cancel(order, self._clock())
        workers.nudge()
        return self.order(id, principal)

    def offline(self, principal: str, collection: str, item: str) -> Order | None:
        """Return a principal's order of an item that a download found offline, where there is one.

        One that had come is looked after at once, and not only when its turn comes.
        """
        order = self.of_items(principal, [(collection, item)]).get((collection, item))
        if order is not None and order.state == "succeeded":
            book, workers = self._opened()
            book.missed(order, self._clock())
            workers.nudge()
        return order

    def fetched(self, principal: str, collection: str, item: str) -> None:
        """Note that a principal has downloaded an item, in case they ordered it."""
        book = self._book()
        if book is not None:
            book.fetched(principal, collection, item)

    def of_items(self, principal: str, items: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Order]:
        """Return the orders that a principal has of items, by collection and id, with one query."""
        book = self._book()
        return book.of_items(principal, list(items)) if book else {}

    # How it is ------------------------------------------------------------------------------------
    def check(self) -> None:
        """Raise `StoreUnavailable` or `Misconfigured` where no order could be kept. Asks no archive."""
        if not self._archives():
            return
        book = self._book()
        if book is None:
            check_place(self._settings)
        else:
            book.check()

    def standing(self) -> dict[str, dict[str, int]]:
        """Return how many products are in each state, by catalogue. Raises as `check`."""
        book = self._book() if self._archives() else None
        return {} if book is None else book.standing()

    # The book -------------------------------------------------------------------------------------
    def _ordered(self, collection: str, item: str) -> tuple[Archive, Key]:
        """Return the archive that has an item, as the caller's account sees it, and what is to be ordered."""
        catalogue = self._federation.owner(collection)
        if catalogue.archive is None:
            raise NotOrderable(f"{catalogue.id} takes no orders.", upstream=catalogue.id)
        archive = catalogue.archive.under(scope_of(caller(), catalogue.id, self._settings))
        return archive, Key(archive.url, catalogue.id, collection, item)

    def _archives(self) -> dict[str, Archive]:
        """Return the archives by name; one for all accounts that callers have at a catalogue."""
        catalogues = self._federation.catalogues.values()
        return {
            each.archive.under(f"{each.id}{ALL}").url: each.archive
            for each in catalogues
            if each.archive is not None
        }

    def _book(self) -> Book | None:
        """Return the book where there is one."""
        if self._open is None and not exists(self._settings):
            return None
        return self._opened()[0]

    def _opened(self) -> tuple[Book, Workers]:
        with self._lock:
            if self._open is None:
                database = open_store(self._settings)
                notices = Notices(Agenda(database), self.webhooks, self._clock)
                self._open = Opened(database, Book(database), self._workers(database), notices)
                if self._running:
                    self._open.workers.start()
                    notices.start()
            return self._open.book, self._open.workers

    def _workers(self, database: Database) -> Workers:
        settings, agenda = self._settings, Agenda(database)
        request = settings.connect_timeout + settings.read_timeout + settings.upstream_deadline + MARGIN
        lease = settings.order_lease or 1.5 * request
        if lease < request:
            raise Misconfigured(
                f"order_lease is {lease:g} s, but a request may take {request:g} s.",
                advice="Raise it, or lower connect_timeout, read_timeout or upstream_deadline.",
            )
        driver = Driver(agenda, Rules.of(settings), lease, request, self._clock, time.sleep)
        chores = (Purge(database, settings.order_keep_seconds, self._clock).step,)
        return Workers(agenda, self._archives(), driver, chores, settings.order_threads)
