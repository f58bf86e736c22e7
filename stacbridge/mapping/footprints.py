"""Footprints of records into checked GeoJSON, page by page.

All coordinates are longitude, latitude in degrees (WGS 84), at full precision. A footprint that is plainly
fine passes through as the upstream wrote it; one that spans more than 180 degrees or leaves them is cut at
the antimeridian (RFC 7946, section 3.1.9), one that is invalid is repaired. A page's plain areas are checked
together, see `areas`; the others are few, and go one by one.
"""

import re
from contextlib import suppress
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from stacbridge.geometry import DEPTHS
from stacbridge.mapping import areas
from stacbridge.mapping.areas import Footprint
from stacbridge.mapping.seam import cut
from stacbridge.model import Json

NOWHERE: Footprint = (None, None)
MALFORMED = (TypeError, ValueError, OverflowError, shapely.errors.ShapelyError)
_EWKT = re.compile(r"\s*(?:geography')?\s*(?:SRID=4326;)?\s*([A-Z]+)\s*(\([^']*\))'?\s*", re.IGNORECASE)
_MAX_TEXT = 1_000_000
MOST_REPAIRED = 10_000
"""Positions of an invalid geometry that is repaired at most: of many that cross, GEOS takes minutes."""


def footprints(records: list[Json]) -> list[Footprint]:
    """Return the footprints of a page of records, from `GeoFootprint` (GeoJSON) or `Footprint` (EWKT)."""
    plain = {
        number: area
        for number, record in enumerate(records)
        if (area := areas.plain(record.get("GeoFootprint"))) is not None
    }
    found: dict[int, Footprint | None] = {}
    with suppress(*MALFORMED):  # one malformed position spoils the array
        found = dict(zip(plain, areas.checked(list(plain.values())), strict=True))
    return [found.get(number) or footprint(_given(record)) for number, record in enumerate(records)]


def _given(record: Json) -> BaseGeometry | None:
    """Return a record's footprint as shapely sees it, `None` where there is none or it makes no sense."""
    geometry = record.get("GeoFootprint")
    try:
        if isinstance(geometry, dict):
            return shape(geometry) if geometry.get("type") in DEPTHS else None
        return parse_wkt(record.get("Footprint"))
    except (*MALFORMED, AttributeError, KeyError, IndexError):
        return None


def parse_wkt(text: Any) -> BaseGeometry | None:
    """Parse WKT or EWKT of SRID 4326, also in OData's `geography'…'`; `None` where it is something else."""
    found = _EWKT.fullmatch(text) if isinstance(text, str) and len(text) <= _MAX_TEXT else None
    if found is None or found[1].upper() == "GEOMETRYCOLLECTION":  # nesting that GEOS does not survive
        return None
    return shapely.from_wkt(found[1] + found[2], on_invalid="ignore")


def footprint(given: BaseGeometry | None) -> Footprint:
    """Return a geometry as checked GeoJSON: in range, valid, cut at the antimeridian, exterior rings ccw.

    One that cannot be made sense of is no footprint.
    """
    if given is None or given.is_empty:
        return NOWHERE
    flat = shapely.force_2d(given)
    west, south, east, north = flat.bounds
    in_range = -540 <= west <= east <= 540 and -90 <= south <= north <= 90
    if not in_range or not np.isfinite(shapely.get_coordinates(flat)).all():
        return NOWHERE
    try:
        sound = _sound(flat)
    except (ValueError, shapely.errors.ShapelyError):
        return NOWHERE
    if sound.is_empty or sound.geom_type not in DEPTHS or not sound.is_valid:
        return NOWHERE
    return _geojson(sound), areas.bbox(shapely.bounds(shapely.get_parts(sound)).tolist())


def _sound(geometry: BaseGeometry) -> BaseGeometry:
    west, _, east, _ = shapely.bounds(shapely.get_parts(geometry)).T
    if west.min() < -180 or east.max() > 180 or (east - west).max() > 180:
        geometry = cut(geometry)
    if not geometry.is_valid:
        geometry = _repaired(geometry)
    oriented: BaseGeometry = shapely.orient_polygons(geometry)
    return oriented


def _repaired(geometry: BaseGeometry) -> BaseGeometry:
    """Make a geometry valid, and keep of what it falls apart into what has the highest dimension.

    Raises `ValueError` for one of more than `MOST_REPAIRED` positions.
    """
    if shapely.get_num_coordinates(geometry) > MOST_REPAIRED:
        raise ValueError("too many positions to repair")
    parts = shapely.get_parts(shapely.make_valid(geometry))
    dimensions = shapely.get_dimensions(parts)
    kept: BaseGeometry = shapely.union_all(parts[dimensions == dimensions.max()])
    return kept


def _geojson(geometry: BaseGeometry) -> Json:
    """Return a geometry as GeoJSON of lists."""
    shown = mapping(geometry)
    return {"type": shown["type"], "coordinates": _lists(shown["coordinates"])}


def _lists(coordinates: Any) -> Any:
    return [_lists(part) for part in coordinates] if isinstance(coordinates, list | tuple) else coordinates
