"""Items as the caller is shown them: with their own orders, and hrefs that work for them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from stacbridge.callers import shown
from stacbridge.callers.doors import Doors
from stacbridge.callers.principal import ANONYMOUS, caller
from stacbridge.errors import StoreUnavailable
from stacbridge.model import Json
from stacbridge.orders.desk import Desk
from stacbridge.orders.items import annotate

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Shows Items to the caller of the request that is being answered. Blocks: the order book is asked."""

    doors: Doors
    desk: Desk

    @property
    def takes_ready(self) -> bool:
        """Whether Items may come with links and assets serialised already."""
        return not self.doors.closed

    def shown(self, items: Sequence[Json], root: str) -> list[Json]:
        """Return Items as the caller is shown them; those given stay as they are. `root` is the API's URL.

        Without the order book, Items are shown as their catalogues tell them, and the log says so.
        """
        return shown.shown(self._ordered(items), root, self.doors, caller())

    def _ordered(self, items: Sequence[Json]) -> Sequence[Json]:
        if caller().id == ANONYMOUS.id:
            return items
        try:
            return annotate(self.desk, items, caller().id)
        except StoreUnavailable as failure:
            log.warning("Items are shown without their orders. %s: %s", failure.code, failure)
            return items
