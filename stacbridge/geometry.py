"""Geometries that searches name: checked before any native code sees them, and written as WKT at full
precision.

All coordinates are longitude, latitude in degrees (WGS 84).
"""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from stacbridge.errors import BadRequest
from stacbridge.model import Bbox, Json

DEPTHS: dict[str, int] = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
"""How deep the lists of positions are nested, by GeoJSON type (RFC 7946, section 3.1)."""


def parse_bbox(numbers: Sequence[Any], parameter: str = "bbox") -> Bbox:
    """Return west, south, east, north of 4 numbers, or of 6 whose heights are ignored.

    Raises `BadRequest` naming the parameter. West may be greater than east: then it crosses the antimeridian.
    """
    if len(numbers) not in (4, 6) or not all(_is_number(number) for number in numbers):
        raise BadRequest(f"`{parameter}` must be 4 or 6 numbers.", parameter=parameter)
    half = len(numbers) // 2
    (west, south), (east, north) = numbers[:2], numbers[half : half + 2]
    for position in ((west, south), (east, north)):
        _check_range(position, parameter)
    if south > north:
        raise BadRequest(f"`{parameter}` has its south above its north.", parameter=parameter)
    if half == 3 and numbers[2] > numbers[5]:
        raise BadRequest(f"`{parameter}` has its lower height above its upper one.", parameter=parameter)
    return (float(west), float(south), float(east), float(north))


def check(geometry: Any, max_vertices: int, parameter: str = "intersects") -> Json:
    """Return a GeoJSON geometry that has been checked: types, nesting, ranges, closed rings, validity,
    vertices.

    Raises `BadRequest` naming the parameter. A GeometryCollection may not hold another one.
    """
    left = max_vertices
    for part in _parts(geometry, parameter):
        positions = _positions(part, parameter)
        left -= len(positions)
        if left < 0:
            raise BadRequest(f"`{parameter}` has more than {max_vertices} positions.", parameter=parameter)
        for position in positions:
            _check_range(position, parameter)
        _check_shape(part, parameter)
    return dict(geometry)


def wkts(geometry: Json) -> list[str]:
    """Return a checked geometry as WKT texts, any of which may intersect: collections and areas part by
    part."""
    return [text for part in _parts(geometry, "geometry") for text in _wkts(part)]


def box(bbox: Bbox) -> Json:
    """Return the GeoJSON geometry of a box: two across the antimeridian, a line or point if it is flat."""
    west, south, east, north = bbox
    if west > east:
        halves = [box((west, south, 180.0, north)), box((-180.0, south, east, north))]
        return {"type": "GeometryCollection", "geometries": halves}
    if west == east and south == north:
        return {"type": "Point", "coordinates": [west, south]}
    if west == east or south == north:
        return {"type": "LineString", "coordinates": [[west, south], [east, north]]}
    return {"type": "Polygon", "coordinates": [_ring(west, south, east, north)]}


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _check_range(position: Sequence[Any], parameter: str) -> None:
    longitude, latitude = position[0], position[1]
    if not -180 <= longitude <= 180 or not -90 <= latitude <= 90:
        raise BadRequest(
            f"`{parameter}` has {longitude}, {latitude}, which is not a longitude and latitude in degrees.",
            parameter=parameter,
        )


def _parts(geometry: Any, parameter: str) -> list[Json]:
    """Return the geometries of a GeometryCollection, or the geometry itself."""
    if isinstance(geometry, dict) and geometry.get("type") == "GeometryCollection":
        parts = geometry.get("geometries")
    else:
        parts = [geometry]
    known = isinstance(parts, list) and all(_is_known(part) for part in parts)
    if not known or not parts:
        raise BadRequest(
            f"`{parameter}` is not a GeoJSON geometry ({', '.join(DEPTHS)}).", parameter=parameter
        )
    return list(parts)


def _is_known(part: Any) -> bool:
    kind = part.get("type") if isinstance(part, dict) else None
    return isinstance(kind, str) and kind in DEPTHS


def _positions(part: Json, parameter: str) -> list[Sequence[Any]]:
    """Return the positions of a geometry, descending exactly as deep as its type is nested."""
    level: list[Any] = [part.get("coordinates")]
    for _ in range(DEPTHS[part["type"]]):
        if not all(isinstance(entry, list) and entry for entry in level):
            raise _malformed(part, parameter)
        level = [entry for entries in level for entry in entries]
    for position in level:
        if (
            not isinstance(position, list)
            or len(position) not in (2, 3)
            or not all(map(_is_number, position))
        ):
            raise _malformed(part, parameter)
    return level


def _malformed(part: Json, parameter: str) -> BadRequest:
    return BadRequest(f"`{parameter}` has a {part['type']} with malformed coordinates.", parameter=parameter)


def _check_shape(part: Json, parameter: str) -> None:
    """Check lengths and closure of lines and rings, and that areas do not cross themselves."""
    for ring in _rings(part):
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise BadRequest(
                f"`{parameter}` has a ring of fewer than 4 positions, or one that is not closed.",
                parameter=parameter,
            )
    for line in _lines(part):
        if len(line) < 2:
            raise _malformed(part, parameter)
    if "Polygon" in part["type"] and not (area := shape(part)).is_valid:
        reason = shapely.is_valid_reason(area)
        raise BadRequest(f"`{parameter}` is not a valid geometry: {reason}.", parameter=parameter)


def _rings(part: Json) -> Iterator[Any]:
    polygons = {"Polygon": [part["coordinates"]], "MultiPolygon": part["coordinates"]}.get(part["type"], [])
    return (ring for polygon in polygons for ring in polygon)


def _lines(part: Json) -> Sequence[Any]:
    lines: dict[str, list[Any]] = {
        "LineString": [part["coordinates"]],
        "MultiLineString": part["coordinates"],
    }
    return lines.get(part["type"], [])


def _wkts(part: Json) -> list[str]:
    kind, coordinates = part["type"], part["coordinates"]
    if kind == "MultiPolygon":
        return [f"POLYGON{_text(polygon, 2)}" for polygon in coordinates]
    return [
        f"{kind.upper()}{_text(coordinates, DEPTHS[kind]) if DEPTHS[kind] else f'({_position(coordinates)})'}"
    ]


def _text(coordinates: Any, depth: int) -> str:
    written = (_text(part, depth - 1) if depth > 1 else _position(part) for part in coordinates)
    return f"({','.join(written)})"


def _position(position: Sequence[float]) -> str:
    return " ".join(np.format_float_positional(float(number), trim="-") for number in position[:2])
