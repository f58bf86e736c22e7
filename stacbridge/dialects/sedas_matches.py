"""Whether a record of SeDAS matches a query but for its filter: what SeDAS makes of a search is not
published."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from stacbridge import geometry, scalars
from stacbridge.mapping.footprints import footprints
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Query

Keep = Callable[[list[Json]], list[Json]]


def keeping(query: Query, mapping: Mapping, wanted: set[str]) -> Keep:
    """Return the check of all that a query asks for but its filter. Records that cannot be items stay, to be
    reported."""
    ids = frozenset(query.ids)
    place = [shape(geometry.box(query.bbox))] if query.bbox else []
    place += [shape(query.intersects)] if query.intersects else []
    for area in place:
        shapely.prepare(area)

    def fits(record: Json) -> bool:
        collection = mapping.classify(record)
        if collection is None:
            return len(wanted) == len(mapping.specs)
        return collection in wanted and _during(record, query) and (not ids or record["Name"] in ids)

    def keep(records: list[Json]) -> list[Json]:
        found = [record for record in records if fits(record)]
        if place:
            found = [record for record, near in zip(found, _touching(found, place), strict=True) if near]
        return found

    return keep


def _touching(records: list[Json], places: list[BaseGeometry]) -> list[bool]:
    shapes = [shape(found) if found else None for found, _ in footprints(records)]
    return [
        footprint is not None and all(place.intersects(footprint) for place in places) for footprint in shapes
    ]


def _during(record: Json, query: Query) -> bool:
    """Tell whether a product's interval meets the one asked for; one without a time is reported later."""
    start, end = times(record)
    if query.interval is None or start is None or end is None:
        return True
    since, until = query.interval.start, query.interval.end
    return (until is None or start <= until) and (since is None or end >= since)


def times(record: Json) -> tuple[datetime | None, datetime | None]:
    """Return the start and the end of a record."""
    span: Any = record["ContentDate"]
    return scalars.instant(span["Start"]), scalars.instant(span["End"])
