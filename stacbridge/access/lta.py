"""Orders of an OData archive with the long-term archive interface of ESA: `ordering = "lta"`.

ESA-EOPG-EOPGC-IF-2 v1.9: `POST Products(<id>)/OData.CSC.Order` answers an Order, `GET Orders?$filter=Id eq
<id>` how it stands: queued, in_progress, completed, failed or cancelled. That orders can be filtered by their
product (`Product/Id`), as OData has it for related entities, is assumed.
"""

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import orjson

from stacbridge import scalars
from stacbridge.access.flows import Flow
from stacbridge.access.ordering import check_taken, unclear
from stacbridge.model import Json, Progress, Request
from stacbridge.wire.answers import read_json
from stacbridge.wire.refusals import refusal

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
STATES: dict[Any, Literal["ordered", "pending", "shipping", "succeeded", "failed", "canceled"]] = {
    "queued": "pending",
    "in_progress": "shipping",
    "completed": "succeeded",
    "failed": "failed",
    "cancelled": "canceled",
}
UNDER_WAY = "(Status eq 'queued' or Status eq 'in_progress')"


@dataclass(frozen=True, slots=True)
class LtaOrdering:
    """The orders of one archive. `url` is the OData service's; `priority` (1 to 100, 100 first) of all."""

    upstream: str
    url: str
    priority: int | None = None
    finds: bool = True

    def is_online(self, record: Json) -> bool:
        """Tell whether a product is online."""
        return record.get("Online") is not False

    def find(self, record: Json) -> Flow[Progress | None]:
        """Return the order of a product that is under way, where there is one."""
        entries = yield from self._orders(f"Product/Id eq {record['Id']} and {UNDER_WAY}")
        return self._progress(entries[0]) if entries else None

    def order(self, record: Json) -> Flow[Progress]:
        """Order a product."""
        url = f"{self.url}/Products({quote(record['Id'], safe='')})/OData.CSC.Order"
        body = {} if self.priority is None else {"Priority": self.priority}
        request = Request("POST", url, headers=JSON, body=orjson.dumps(body))
        reply = yield request
        check_taken(self.upstream, request, reply)
        found = read_json(reply, self.upstream)
        entry = found.get("value", found) if isinstance(found, dict) else None
        progress = self._progress(entry)
        if progress is None:
            raise unclear(self.upstream, request, reply, "an order without its Id")
        return progress

    def poll(self, order: str) -> Flow[Progress]:
        """Return how an order stands; an order that is not listed is not known."""
        entries = yield from self._orders(f"Id eq {order}")
        return (self._progress(entries[0]) if entries else None) or Progress(order, None)

    def _orders(self, condition: str) -> Flow[list[Any]]:
        request = Request("GET", f"{self.url}/Orders", (("$filter", condition),), {"Accept": JSON["Accept"]})
        reply = yield request
        if reply.status == 404:
            return []
        if reply.status != 200:
            raise refusal(self.upstream, request, reply)
        match read_json(reply, self.upstream):
            case {"value": [*entries]}:
                return entries
        raise unclear(self.upstream, request, reply, "orders as something that is not a list")

    def _progress(self, entry: Any) -> Progress | None:
        id = scalars.text(entry.get("Id")) if isinstance(entry, dict) else None
        if id is None:
            return None
        evicted = scalars.instant(entry.get("EvictionDate"))
        return Progress(
            id,
            STATES.get(entry.get("Status"), "ordered"),
            scalars.text(entry.get("StatusMessage")),
            evicted.timestamp() if evicted else None,
        )
