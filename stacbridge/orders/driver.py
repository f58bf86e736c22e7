"""One step of one order: what its state asks for, of the archive that has it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from stacbridge.catalogue import Archive
from stacbridge.errors import (
    NotFound,
    NotOrderable,
    OrderUnclear,
    QuotaExceeded,
    StacbridgeError,
    StoreUnavailable,
)
from stacbridge.orders import transitions
from stacbridge.orders.agenda import Agenda
from stacbridge.orders.dispatch import Dispatch
from stacbridge.orders.records import OPEN, Product
from stacbridge.orders.transitions import Rules

log = logging.getLogger(__name__)

FINAL = (NotFound, NotOrderable)
"""Refusals that stay so."""
PAUSE = 1.0
"""Seconds before it is tried again to write what an archive answered to an order."""
ANSWER = "What the archive answered to the order of %s at %s (%s, its order %s) %s."


@dataclass(frozen=True, slots=True)
class Driver:
    """Takes a claimed product one step further.

    `lease` are the seconds of a claim, `request` those that one order may be under way at most. The lease is
    longer, and begins anew before an order is sent: whoever claims the product next finds it arrived or lost.
    `clock` is Unix time, `pause` lets seconds pass. `dispatch` tells which orders are on their way.
    """

    agenda: Agenda
    rules: Rules
    lease: float
    request: float
    clock: Callable[[], float]
    pause: Callable[[float], None]
    dispatch: Dispatch = field(default_factory=Dispatch)

    def drive(self, archive: Archive, product: Product) -> None:
        """Do what the product's state asks for, and write what came of it. Raises `StoreUnavailable`.

        The writes fail quietly where the lease went to somebody else, who goes on from what was written.
        """
        try:
            after = self._next(archive, product)
        except StoreUnavailable:
            raise  # what was written last holds, and is gone on from after the lease
        except FINAL as refusal:
            after = transitions.failed(product, str(refusal), self.clock())
        except StacbridgeError as failure:
            after = self._trouble(product, failure)
        if after is not None:
            self.agenda.save(product, after, self.clock())

    def _next(self, archive: Archive, product: Product) -> Product | None:
        now = self.clock()
        if product.state in OPEN and not self.agenda.wanted(product):
            return transitions.canceled(product, now)
        if product.state == "intended":
            return self._send(archive, product)
        if product.state == "sending":
            return self._look_for(archive, product)
        if product.state == "succeeded":
            return self._check(archive, product)
        assert product.upstream_order is not None
        progress = archive.poll(product.upstream_order)
        return transitions.followed(product, progress, self.clock(), self.rules)

    def _send(self, archive: Archive, product: Product) -> Product | None:
        """Order a product that the archive does not have an order of; the intent is on disk before."""
        if archive.is_online(product.collection, product.item):
            return transitions.succeeded(product, self.clock(), self.clock() + self.rules.check)
        if (product.sends or product.unclear) and archive.finds:
            known = archive.find(product.collection, product.item)
            if known is not None:
                return transitions.taken(product, known, self.clock(), self.rules)
        with self.dispatch.order() as begins:
            if not begins:
                return product
            self._order(archive, product)
        return None

    def _order(self, archive: Archive, product: Product) -> None:
        now = self.clock()
        sending = transitions.sent(product, now)
        if not self.agenda.save(product, sending, now, self.lease):
            return
        after = self._placed(archive, sending)
        self._keep(sending, after, now + self.lease)
        if after.state == "intended" and after.release_at is not None:
            self.agenda.hold_back(after.archive, after.release_at, after.reason or "")

    def _keep(self, sending: Product, after: Product, until: float) -> None:
        """Write what the archive answered, again and again while the lease lasts: it may not tell twice."""
        answer = (after.item, after.archive, after.state, after.upstream_order)
        warned = False
        while True:
            try:
                if not self.agenda.save(sending, after, self.clock()):
                    log.error(ANSWER, *answer, "was not written: another process has taken the order up")
                return
            except StoreUnavailable:
                if self.clock() + PAUSE >= until:
                    log.error(ANSWER, *answer, "could not be written: ask there before you order anew")
                    raise
                if not warned:
                    log.warning(ANSWER, *answer, "cannot be written yet")
            warned = True
            self.pause(PAUSE)

    def _placed(self, archive: Archive, sending: Product) -> Product:
        """Order a product, and return it as the archive's answer leaves it."""
        try:
            progress = archive.place(sending.collection, sending.item)
        except QuotaExceeded as refusal:
            return transitions.held_back(sending, refusal, self.clock(), self.rules)
        except OrderUnclear as failure:
            return transitions.unclear(sending, failure, self.clock(), self.rules, self.request)
        except FINAL as refusal:
            return transitions.declined(sending, refusal, self.clock())
        except StacbridgeError as failure:
            return transitions.unsent(sending, failure, self.clock(), self.rules)
        return transitions.taken(sending, progress, self.clock(), self.rules)

    def _look_for(self, archive: Archive, product: Product) -> Product:
        """Find out what became of an order that may have arrived: nothing is ordered twice."""
        if archive.is_online(product.collection, product.item):
            return transitions.succeeded(product, self.clock(), self.clock() + self.rules.check)
        if not archive.finds:
            untold = OrderUnclear(
                "Nobody knows whether the archive took the order, and it does not tell.",
                advice="It is not sent again by itself; once it has failed, order it anew.",
            )
            return transitions.unclear(product, untold, self.clock(), self.rules, self.request)
        progress = archive.find(product.collection, product.item)
        if progress is None:
            return transitions.missing(product, self.clock())
        return transitions.taken(product, progress, self.clock(), self.rules)

    def _check(self, archive: Archive, product: Product) -> Product:
        if archive.is_online(product.collection, product.item):
            return transitions.kept(product, self.clock(), self.rules)
        return transitions.evicted(product, self.clock(), self.rules, self.agenda.owed(product))

    def _trouble(self, product: Product, failure: StacbridgeError) -> Product:
        now = self.clock()
        if product.state == "intended":
            return transitions.unsent(product, failure, now, self.rules)
        if product.state == "sending":
            return transitions.unclear(product, failure, now, self.rules, self.request)
        if product.state == "succeeded":
            return transitions.kept(product, now, self.rules)
        return transitions.troubled(product, failure, now, self.rules)
