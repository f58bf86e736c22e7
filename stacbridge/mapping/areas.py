"""The plain areas of a page of records, checked and cut in a few calls of GEOS for all of them.

Plain are polygons without holes, one or several to a record, as nearly all archives describe their products.
"""

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any

import numpy as np
import shapely

from stacbridge.mapping.seam import Array, cut_plain
from stacbridge.model import Json

Ring = list[list[float]]
Bounds = list[float]
Footprint = tuple[Json | None, list[float] | None]
"""GeoJSON geometry and its RFC 7946 bbox (west > east across the antimeridian), or neither."""


def plain(geometry: Any) -> list[Ring] | None:
    """Return the closed rings of what looks like a polygon or polygons without holes, else `None`."""
    if type(geometry) is not dict:
        return None
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if type(coordinates) is not list or not coordinates:
        return None
    if kind == "Polygon" and len(coordinates) == 1 and _is_closed(coordinates[0]):
        return coordinates
    if kind == "MultiPolygon" and len(coordinates) > 1 and all(map(_is_alone, coordinates)):
        return [rings[0] for rings in coordinates]
    return None


def checked(areas: list[list[Ring]]) -> list[Footprint | None]:
    """Return the footprints of plain areas; `None` for one that is neither fine nor to be cut simply.

    Raises `TypeError`, `ValueError`, `OverflowError` or `ShapelyError` where a position is no pair of
    numbers.
    """
    if not areas:
        return []
    rings = list(chain.from_iterable(areas))
    lines = _lines(rings)
    parts, bounds = shapely.polygons(lines), shapely.bounds(lines)
    sizes = np.array([len(area) for area in areas])
    first, several = np.cumsum(sizes) - sizes, sizes > 1
    fine = np.logical_and.reduceat(_in_range(bounds) & shapely.is_valid(parts), first)
    if several.any():
        fine[several] &= shapely.is_valid(_wholes(parts[np.repeat(several, sizes)], sizes[several]))
    ccw = shapely.is_ccw(lines).tolist()
    found = list(_footprints(fine.tolist(), sizes.tolist(), rings, ccw, bounds.tolist()))
    if None in found:
        places = np.flatnonzero(~fine & ~several & _crosses(bounds[first]))
        _cut(parts[first[places]], places, found)
    return found


def bbox(bounds: list[Bounds]) -> list[float]:
    """Return the RFC 7946 bbox of parts: west is the greater where they are on both sides of the
    antimeridian."""
    wests, souths, easts, norths = zip(*bounds, strict=True)
    west, south, east, north = min(wests), min(souths), max(easts), max(norths)
    if west > -180 or east < 180:
        return [west, south, east, north]
    touching_west = [part[2] for part in bounds if part[0] == -180 and part[2] < 180]
    touching_east = [part[0] for part in bounds if part[2] == 180 and part[0] > -180]
    others = [part for part in bounds if part[0] > -180 and part[2] < 180]
    if not touching_west or not touching_east or others:
        return [west, south, east, north]
    crossing = [min(touching_east), south, max(touching_west), north]
    return crossing if crossing[0] > crossing[2] else [west, south, east, north]


def _is_closed(ring: Any) -> bool:
    return type(ring) is list and len(ring) > 3 and ring[0] == ring[-1]


def _is_alone(rings: Any) -> bool:
    return type(rings) is list and len(rings) == 1 and _is_closed(rings[0])


def _lines(rings: list[Ring]) -> Array:
    positions = list(chain.from_iterable(rings))
    if set(map(len, positions)) != {2}:
        raise ValueError("positions are not pairs")
    points = np.fromiter(chain.from_iterable(positions), float, 2 * len(positions)).reshape(-1, 2)
    lines: Array = shapely.linearrings(
        points, indices=np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    )
    return lines


def _in_range(bounds: Array) -> Array:
    west, south, east, north = bounds.T
    inside: Array = (west >= -180) & (east <= 180) & (south >= -90) & (north <= 90) & (east - west <= 180)
    return inside


def _crosses(bounds: Array) -> Array:
    """Tell which boxes are out of range or too wide, by no more than a turn."""
    west, south, east, north = bounds.T
    near: Array = (west >= -540) & (east <= 540) & (south >= -90) & (north <= 90)
    return near & ~_in_range(bounds)


def _wholes(parts: Array, sizes: Array) -> Array:
    """Return polygons as multipolygons, each of as many as its size."""
    wholes: Array = shapely.multipolygons(parts, indices=np.repeat(np.arange(len(sizes)), sizes))
    return wholes


def _footprints(
    fine: list[bool], sizes: list[int], rings: list[Ring], ccw: list[bool], bounds: list[Bounds]
) -> Iterator[Footprint | None]:
    """Yield the footprint of each area that is fine, of as many rings as its size, turned ccw."""
    turned = [ring if left else ring[::-1] for ring, left in zip(rings, ccw, strict=True)]
    first = 0
    for good, size in zip(fine, sizes, strict=True):
        if not good:
            yield None
        elif size == 1:
            yield {"type": "Polygon", "coordinates": [turned[first]]}, bounds[first]
        else:
            own = slice(first, first + size)
            yield {"type": "MultiPolygon", "coordinates": [[ring] for ring in turned[own]]}, bbox(bounds[own])
        first += size


def _cut(polygons: Array, places: Array, found: list[Footprint | None]) -> None:
    """Put the footprints of polygons that cross the antimeridian in their places."""
    parts, owner = cut_plain(polygons) if polygons.size else (polygons, places)
    if not parts.size or shapely.get_num_interior_rings(parts).any():
        return
    lines = shapely.get_exterior_ring(parts)
    positions, ends = shapely.get_coordinates(lines).tolist(), np.cumsum(shapely.get_num_coordinates(lines))
    rings = [positions[start:end] for start, end in pairwise([0, *ends.tolist()])]
    numbers, sizes = np.unique(owner, return_counts=True)
    fine, ccw = shapely.is_valid(_wholes(parts, sizes)).tolist(), shapely.is_ccw(lines).tolist()
    cut = _footprints(fine, sizes.tolist(), rings, ccw, shapely.bounds(lines).tolist())
    for place, footprint in zip(places[numbers].tolist(), cut, strict=True):
        found[place] = footprint
