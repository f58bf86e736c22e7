"""Cutting geometries at the antimeridian (RFC 7946, section 3.1.9).

A jump of more than 180 degrees between two positions is taken as the short way round. Edges are straight in
longitude and latitude, as GeoJSON has it. Plain polygons, which nearly all footprints are, are clipped by
GEOS, all of a page at once; what encloses a pole or has several parts is left to the antimeridian library,
which knows how and takes a hundred times as long.
"""

import warnings
from typing import Any

import antimeridian
import numpy as np
import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

Array = np.ndarray[Any, np.dtype[Any]]

WORLDS = (-1, 0, 1)
"""Turns to the range of longitudes, and to its neighbours that unrolled geometries reach into."""
DIGITS = 12
"""Decimals of a longitude that are kept where turns are taken off."""


def cut(geometry: BaseGeometry) -> BaseGeometry:
    """Return a geometry with all longitudes in range, in parts where it crosses the antimeridian."""
    plain = geometry.geom_type == "Polygon" and not geometry.interiors
    parts = cut_plain(np.array([geometry]))[0].tolist() if plain else []
    if not parts:
        return _by_library(geometry)
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def cut_plain(polygons: Array) -> tuple[Array, Array]:
    """Return the parts of polygons without holes, and for each part the number of its polygon, in order.

    A polygon around a pole, or one that is invalid, has no parts.
    """
    positions, ring = shapely.get_coordinates(polygons, return_index=True)
    turns, closed = _turns(positions[:, 0], ring, len(polygons))
    worlds = np.stack([_moved(positions, ring, turns + world) for world in WORLDS])
    sound = np.flatnonzero(closed & shapely.is_valid(worlds[1]))
    parts, owner = shapely.get_parts(
        shapely.clip_by_rect(worlds[:, sound].ravel(), -180, -90, 180, 90), return_index=True
    )
    areas = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (shapely.area(parts) > 0)
    owner = sound[owner[areas] % len(sound)]
    order = np.argsort(owner, kind="stable")
    return parts[areas][order], owner[order]


def _turns(longitudes: Array, ring: Array, rings: int) -> tuple[Array, Array]:
    """Return how many turns each position is away from the first one of its ring, where jumps are the short
    way round; and which rings do not go round a pole."""
    first = np.searchsorted(ring, np.arange(rings))
    jumps = np.round(np.diff(longitudes, prepend=0) / 360)
    jumps[first] = 0
    turns = np.cumsum(jumps)
    turns -= turns[first][ring]
    last = np.append(first[1:], len(ring)) - 1
    return turns, turns[last] == 0


def _moved(positions: Array, ring: Array, turns: Array) -> Array:
    moved = positions.copy()
    away = turns != 0
    moved[away, 0] = np.round(positions[away, 0] - 360 * turns[away], DIGITS)
    polygons: Array = shapely.polygons(shapely.linearrings(moved, indices=ring))
    return polygons


def _by_library(geometry: BaseGeometry) -> BaseGeometry:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of winding orders, which it corrects
        fixed: BaseGeometry = shape(antimeridian.fix_shape(mapping(geometry)))
    return fixed
