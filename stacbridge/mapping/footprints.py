"""Footprints of records into checked GeoJSON, page by page.

All coordinates are longitude, latitude in degrees (WGS 84), at full precision. A footprint that is plainly
fine passes through as the upstream wrote it; one that spans more than 180 degrees or leaves them is cut at
the antimeridian (RFC 7946, section 3.1.9), one that is invalid is repaired. Validity of a page's plain
polygons is tested in one vectorised GEOS call.
"""

import re
from itertools import chain
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from stacbridge.geometry import DEPTHS
from stacbridge.mapping.seam import cut
from stacbridge.model import Json

Footprint = tuple[Json | None, list[float] | None]
"""GeoJSON geometry and its RFC 7946 bbox (west > east across the antimeridian), or neither."""

NOWHERE: Footprint = (None, None)
_EWKT = re.compile(r"\s*(?:geography')?\s*(?:SRID=4326;)?\s*([A-Z]+)\s*(\([^']*\))'?\s*", re.IGNORECASE)
_MAX_TEXT = 1_000_000
MOST_REPAIRED = 10_000
"""Positions of an invalid geometry that is repaired at most: of many that cross, GEOS takes minutes."""


def footprints(records: list[Json]) -> list[Footprint]:
    """Return the footprints of a page of records, from `GeoFootprint` (GeoJSON) or `Footprint` (EWKT)."""
    found: list[Footprint] = [NOWHERE] * len(records)
    plain: list[int] = []
    rest: list[int] = []
    for index, record in enumerate(records):
        geometry = record.get("GeoFootprint")
        (plain if _is_plain(geometry) else rest).append(index)
    try:
        _check_plain(records, plain, found, rest)
    except (TypeError, ValueError, shapely.errors.ShapelyError):  # one malformed position spoils the array
        rest += plain
    for index in rest:
        found[index] = footprint(_given(records[index]))
    return found


def _is_plain(geometry: Any) -> bool:
    """Tell whether it looks like a polygon of one closed ring."""
    if type(geometry) is not dict or geometry.get("type") != "Polygon":
        return False
    rings = geometry.get("coordinates")
    if type(rings) is not list or len(rings) != 1:
        return False
    ring = rings[0]
    return type(ring) is list and len(ring) > 3 and ring[0] == ring[-1]


def _check_plain(records: list[Json], plain: list[int], found: list[Footprint], rest: list[int]) -> None:
    """Take the valid polygons as they are, counter-clockwise; leave the others to `rest`."""
    if not plain:
        return
    rings = [records[index]["GeoFootprint"]["coordinates"][0] for index in plain]
    positions = list(chain.from_iterable(rings))
    if set(map(len, positions)) != {2}:
        raise ValueError("positions are not pairs")
    points = np.fromiter(chain.from_iterable(positions), float, 2 * len(positions)).reshape(-1, 2)
    lines = shapely.linearrings(
        points, indices=np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    )
    bounds = shapely.bounds(lines)
    west, south, east, north = bounds.T
    fine = (west >= -180) & (east <= 180) & (south >= -90) & (north <= 90) & (east - west <= 180)
    fine &= shapely.is_valid(shapely.polygons(lines))
    for index, ring, valid, ccw, bbox in zip(
        plain, rings, fine.tolist(), shapely.is_ccw(lines).tolist(), bounds.tolist(), strict=True
    ):
        if valid:
            found[index] = ({"type": "Polygon", "coordinates": [ring if ccw else ring[::-1]]}, bbox)
        else:
            rest.append(index)


def _given(record: Json) -> BaseGeometry | None:
    """Return a record's footprint as shapely sees it, `None` where there is none or it makes no sense."""
    geometry = record.get("GeoFootprint")
    try:
        if isinstance(geometry, dict):
            return shape(geometry) if geometry.get("type") in DEPTHS else None
        return parse_wkt(record.get("Footprint"))
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, shapely.errors.ShapelyError):
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
    return _geojson(sound), _bbox(sound)


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


def _bbox(geometry: BaseGeometry) -> list[float]:
    """Return the RFC 7946 bbox: with parts on both sides of the antimeridian, west is the greater."""
    west, south, east, north = geometry.bounds
    if west > -180 or east < 180:
        return [west, south, east, north]
    bounds = [part.bounds for part in shapely.get_parts(geometry)]
    touching_west = [part[2] for part in bounds if part[0] == -180 and part[2] < 180]
    touching_east = [part[0] for part in bounds if part[2] == 180 and part[0] > -180]
    others = [part for part in bounds if part[0] > -180 and part[2] < 180]
    if not touching_west or not touching_east or others:
        return [west, south, east, north]
    crossing = [min(touching_east), south, max(touching_west), north]
    return crossing if crossing[0] > crossing[2] else [west, south, east, north]
