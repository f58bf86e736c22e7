"""What a search of a simulated SeDAS finds, before its answer is cut."""

from datetime import datetime
from typing import Any, Literal

import numpy as np
import shapely
from starlette.responses import JSONResponse

from .sedas_products import Product, Products

Order = Literal["any", "newest", "oldest"]
"""Which products come first in an answer, and so are left over when it is cut."""


class Refused(Exception):
    """The request is answered with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = JSONResponse({"errorCode": status, "errorMessage": message}, status)


def find(
    products: Products, asked: dict[str, Any], groups: tuple[str, ...], order: Order, *, overlap: bool
) -> list[Product]:
    """All products that match a search's body, of the groups that the account sees.

    `start` and `stop` bound the start of an acquisition; with `overlap`, all acquisitions are found that
    overlap them. Raises `Refused` for an area or time that cannot be read.
    """
    area = shapely.from_wkt(asked.get("aoiWKT"), on_invalid="ignore")
    if area is None or area.geom_type != "Polygon" or not area.is_valid:
        raise Refused(400, "aoiWKT must be a simple polygon")
    start, stop = _instant(asked.get("start")), _instant(asked.get("stop"))
    first = products.stops if overlap else products.starts
    chosen = (
        products.published.mask
        & (first >= start)
        & (products.starts <= stop)
        & np.isin(products.groups, groups)
    )
    sensor = (asked.get("sensorFilters") or {}).get("type", "All")
    for value, values in (
        ("" if sensor == "All" else sensor, products.sensors),
        (asked.get("satelliteName"), products.satellites),
        (asked.get("sourceGroup"), products.groups),
    ):
        chosen &= values == value if value else True
    rows = np.flatnonzero(chosen)
    rows = rows[shapely.intersects(products.shapes[rows], area)]
    ranks = {"any": products.ranks, "newest": -products.starts, "oldest": products.starts}[order]
    found = [products.all[row] for row in rows[np.argsort(ranks[rows], kind="stable")]]
    return [product for product in found if _passes(product, asked.get("filters") or {})]


def _passes(product: Product, filters: dict[str, Any]) -> bool:
    """Whether a product passes the filters that the service knows; it ignores others, and those that do not
    fit the sensor."""
    more = product.more
    cloud = more.get("cloudCoveragePercent")
    if cloud is not None:
        return bool(filters.get("minCloudPercent", 0) <= cloud <= filters.get("maxCloudPercent", 100))
    kind, channel = filters.get("sarProductType"), filters.get("polarisation")
    return (kind is None or more.get("sarProductType") == kind) and (
        channel is None or channel in str(more.get("polarisation")).split()
    )


def _instant(text: Any) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        raise Refused(400, "start and stop must be ISO 8601") from None
