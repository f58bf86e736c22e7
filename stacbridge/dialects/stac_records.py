"""Items as a STAC API lists them: no member is sure to be there, or to make sense."""

from datetime import datetime
from typing import Any

from shapely.geometry import shape

from stacbridge import scalars
from stacbridge.mapping.footprints import footprints
from stacbridge.model import Json


def identity(record: Json) -> list[Any]:
    """Return the ids of an item's collection and of the item, as JSON."""
    return [record.get("collection"), record.get("id")]


def properties(record: Json) -> Json:
    """Return the properties of an item; none where they are no object."""
    found = record.get("properties")
    return found if isinstance(found, dict) else {}


def touches(record: Json, area: Any) -> bool:
    """Tell whether an item's footprint meets a shape; one without a footprint meets none."""
    footprint, _ = footprints([{"GeoFootprint": record.get("geometry")}])[0]
    return footprint is not None and bool(area.intersects(shape(footprint)))


def moment(record: Json) -> datetime | None:
    """Return where an item stands in time; `None` only where nothing tells it, so that it can be no Item."""
    members = properties(record)
    times = (scalars.instant(members.get(name)) for name in ("start_datetime", "datetime", "end_datetime"))
    return next((time for time in times if time is not None), None)
