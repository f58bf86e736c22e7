"""Cutting geometries at the antimeridian (RFC 7946, section 3.1.9).

A jump of more than 180 degrees between two positions is taken as the short way round. Edges are straight in
longitude and latitude, as GeoJSON has it. Plain polygons, which nearly all footprints are, are cut by GEOS in
a tenth of a millisecond; what encloses a pole or has several parts is left to the antimeridian library, which
knows how and takes ten times as long.
"""

import warnings

import antimeridian
import numpy as np
import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

WORLDS = [shapely.box(west, -90, west + 360, 90) for west in (-540, -180, 180)]
"""The range of longitudes, and its neighbours that unrolled geometries reach into."""
DIGITS = 12
"""Decimals of a longitude that are kept where 360 degrees are added and taken off again."""


def cut(geometry: BaseGeometry) -> BaseGeometry:
    """Return a geometry with all longitudes in range, in parts where it crosses the antimeridian."""
    unrolled = _unrolled(geometry) if geometry.geom_type == "Polygon" and not geometry.interiors else None
    if unrolled is None or not unrolled.is_valid:
        return _by_library(geometry)
    pieces = [shapely.intersection(unrolled, world) for world in WORLDS]
    parts = [
        _shifted(part, -world)
        for piece, world in zip(pieces, (-360, 0, 360), strict=True)
        for part in shapely.get_parts(piece)
        if part.geom_type == "Polygon" and part.area > 0
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _unrolled(polygon: BaseGeometry) -> BaseGeometry | None:
    """Return a polygon without jumps, at longitudes beyond 180 if need be; `None` around a pole."""
    positions = shapely.get_coordinates(polygon)
    turns = np.cumsum(np.round(np.diff(positions[:, 0], prepend=positions[0, 0]) / 360))
    if turns[-1] != 0:
        return None
    positions[:, 0] -= 360 * turns
    return shapely.Polygon(positions)


def _shifted(part: BaseGeometry, degrees: int) -> BaseGeometry:
    if degrees == 0:
        return part
    return shapely.transform(part, lambda positions: np.round(np.add(positions, (degrees, 0)), DIGITS))


def _by_library(geometry: BaseGeometry) -> BaseGeometry:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of winding orders, which it corrects
        fixed: BaseGeometry = shape(antimeridian.fix_shape(mapping(geometry)))
    return fixed
