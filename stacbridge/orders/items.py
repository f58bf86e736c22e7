"""How orders show on Items, for those whose orders they are."""

from collections.abc import Sequence
from datetime import UTC, datetime

from stacbridge import scalars
from stacbridge.mapping.extensions import EXTENSIONS
from stacbridge.model import Json
from stacbridge.orders.desk import Desk
from stacbridge.orders.records import Order


def annotate(desk: Desk, items: Sequence[Json], principal: str) -> list[Json]:
    """Return Items with `order:status`, `order:id`, `order:date` and `expires` of the principal's own orders.

    One query for all of them. Items without an order are returned as they are, the others as copies. Where
    the Item itself says that its bytes are there, it is right, and the order has not heard of it yet.
    """
    orders = desk.of_items(principal, [(item["collection"], item["id"]) for item in items])
    if not orders:
        return list(items)
    return [
        _annotated(item, order) if (order := orders.get((item["collection"], item["id"]))) else item
        for item in items
    ]


def instant(moment: float) -> str:
    """Write a Unix time as RFC 3339."""
    return scalars.rfc3339(datetime.fromtimestamp(moment, UTC))


def _annotated(item: Json, order: Order) -> Json:
    own: Json = item["properties"]
    told = {"order:id": order.id, "order:date": instant(order.asked)}
    if own.get("order:status") != "succeeded":
        told["order:status"] = order.status
    if order.product.expires is not None:
        told["expires"] = instant(order.product.expires)
    known = list(item.get("stac_extensions") or ())
    needed = [EXTENSIONS["order:"], *([EXTENSIONS["expires"]] if "expires" in told else [])]
    extensions = [*known, *(uri for uri in needed if uri not in known)]
    return {**item, "stac_extensions": extensions, "properties": {**own, **told}}
