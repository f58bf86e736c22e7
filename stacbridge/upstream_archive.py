"""The archive behind an upstream: its orders, over the wire."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from stacbridge.access.flows import Send, drive
from stacbridge.access.ordering import Ordering
from stacbridge.errors import (
    Misconfigured,
    NotOrderable,
    OrderUnclear,
    QuotaExceeded,
    StacbridgeError,
    UpstreamRefused,
)
from stacbridge.model import Json, Progress

REFUSALS = (Misconfigured, NotOrderable, QuotaExceeded, UpstreamRefused)
"""Failures after which it is known that nothing was ordered."""


@dataclass(frozen=True, slots=True)
class UpstreamArchive:
    """The `Archive` protocol for any catalogue's `ordering`.

    `record` finds the record of a collection's item, `log_in` sees to it that there is a token. `send` may
    repeat a request, `send_once` never does; both return replies of any status.
    """

    url: str
    ordering: Ordering
    record: Callable[[str, str], Json]
    send: Send
    send_once: Send
    log_in: Callable[[], None]

    @property
    def finds(self) -> bool:
        """Whether it can tell if it has an order of an item."""
        return self.ordering.finds

    def under(self, scope: str) -> Self:
        """Return itself: it is asked with one account, whoever orders."""
        return self

    def is_online(self, collection: str, item: str) -> bool:
        """Tell whether an item's bytes need no order. Raises `NotOrderable` where it takes no orders."""
        return self.ordering.is_online(self.record(collection, item))

    def find(self, collection: str, item: str) -> Progress | None:
        """Return the order of an item that is under way, where there is one."""
        return drive(self.ordering.find(self.record(collection, item)), self.send)

    def place(self, collection: str, item: str) -> Progress:
        """Order an item, once: nothing that may have arrived is sent again.

        What fails before anything is sent, the search for the item's record or the login, is raised as it is.
        """
        record = self.record(collection, item)
        self.log_in()
        try:
            return drive(self.ordering.order(record), self.send_once)
        except REFUSALS:
            raise
        except StacbridgeError as failure:
            raise OrderUnclear(
                "The order was sent, and it is not known whether it arrived.",
                upstream=failure.upstream,
                asked=failure.asked,
                answered=failure.answered or failure.description,
            ) from failure

    def poll(self, order: str) -> Progress:
        """Return how an order stands."""
        return drive(self.ordering.poll(order), self.send)
