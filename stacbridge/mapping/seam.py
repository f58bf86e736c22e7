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

WORLDS = (-360, 0, 360)
"""Degrees to the range of longitudes, and to its neighbours that unrolled geometries reach into."""
DIGITS = 12
"""Decimals of a longitude that are kept where 360 degrees are added and taken off again."""


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
    unrolled, closed = _unrolled(polygons)
    sound = np.flatnonzero(closed & shapely.is_valid(unrolled))
    pieces, owners = [], []
    for shift in WORLDS:
        clipped = shapely.clip_by_rect(unrolled[sound], shift - 180, -90, shift + 180, 90)
        parts, owner = shapely.get_parts(clipped, return_index=True)
        areas = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (shapely.area(parts) > 0)
        pieces.append(_shifted(parts[areas], -shift))
        owners.append(sound[owner[areas]])
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return np.concatenate(pieces)[order], owner[order]


def _unrolled(polygons: Array) -> tuple[Array, Array]:
    """Return polygons without jumps, at longitudes beyond 180 if need be; and which of them do not go round
    a pole."""
    positions, ring = shapely.get_coordinates(polygons, return_index=True)
    first = np.searchsorted(ring, np.arange(len(polygons)))
    jumps = np.round(np.diff(positions[:, 0], prepend=0) / 360)
    jumps[first] = 0
    turns = np.cumsum(jumps)
    turns -= turns[first][ring]
    positions[:, 0] -= 360 * turns
    last = np.append(first[1:], len(ring)) - 1
    return shapely.polygons(shapely.linearrings(positions, indices=ring)), turns[last] == 0


def _shifted(parts: Array, degrees: int) -> Array:
    if degrees == 0:
        return parts
    moved: Array = shapely.transform(parts, lambda each: np.round(np.add(each, (degrees, 0)), DIGITS))
    return moved


def _by_library(geometry: BaseGeometry) -> BaseGeometry:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of winding orders, which it corrects
        fixed: BaseGeometry = shape(antimeridian.fix_shape(mapping(geometry)))
    return fixed
