"""Places to search in: boxes and geometries of every kind, over the antimeridian and at the poles, too."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from shapely import get_coordinates
from shapely.geometry import shape

from tests.unit.cql_trees import one_of

Json = dict[str, Any]
Bbox = tuple[float, float, float, float]
Position = tuple[float, float]

DEGREES = 4
"""Digits of a degree: as many as make it likely that edges meet footprints' now and then."""


def _number(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most).map(lambda number: round(number, DEGREES))


@st.composite
def spans(draw: st.DrawFn, items: Sequence[Json]) -> Bbox:
    """Draw a box: anywhere, over the antimeridian, at a pole, or around or at the edge of a footprint."""
    kind = draw(st.sampled_from(["anywhere", "antimeridian", "pole", "footprint", "footprint", "beside"]))
    if kind in ("footprint", "beside"):
        found = draw(one_of(items))["geometry"]
        west, south, east, north = shape(found).bounds if found else (-10.0, 40.0, 10.0, 60.0)
        if kind == "beside":
            west, east = east, min(180.0, east + draw(_number(0.1, 20)))
        if west < east and south < north:
            return west, south, east, north
    south = draw(_number(-90, 89))
    north = min(90.0, round(south + draw(_number(0.1, 40)), DEGREES))
    if kind == "pole":
        south, north = draw(
            st.sampled_from([(-90.0, draw(_number(-89, -50))), (draw(_number(50, 89)), 90.0)])
        )
        if draw(st.booleans()):
            return -180.0, south, 180.0, north
    if kind == "antimeridian":
        return draw(_number(100, 179)), south, draw(_number(-179, -100)), north
    west = draw(_number(-180, 179))
    return west, south, min(180.0, round(west + draw(_number(0.1, 120)), DEGREES)), north


@st.composite
def bboxes(draw: st.DrawFn, items: Sequence[Json]) -> list[float]:
    """Draw a `bbox` of four or six numbers."""
    west, south, east, north = draw(spans(items))
    if draw(st.integers(0, 3)) == 0:
        return [west, south, -100.0, east, north, 9000.0]
    return [west, south, east, north]


@st.composite
def geometries(draw: st.DrawFn, items: Sequence[Json], *, nested: bool = True) -> Json:
    """Draw a GeoJSON geometry; a collection of others only if `nested`."""
    kind = draw(st.sampled_from([*sorted(KINDS), "Footprint", "GeometryCollection"]))
    if kind == "Footprint":
        found = draw(one_of(items))["geometry"]
        if found and shape(found).is_valid:
            return {"type": found["type"], "coordinates": _lists(found["coordinates"])}
    if kind == "GeometryCollection" and nested:
        parts = draw(st.lists(geometries(items, nested=False), min_size=1, max_size=3))
        return {"type": "GeometryCollection", "geometries": parts}
    if kind not in KINDS:
        kind = "MultiPolygon"
    return {"type": kind, "coordinates": _lists(draw(KINDS[kind](items)))}


def areas(items: Sequence[Json]) -> st.SearchStrategy[Json]:
    """Draw what a filter's spatial functions take: a box, or a geometry."""
    boxes = spans(items).map(lambda span: {"bbox": list(span)})
    return boxes | geometries(items, nested=False)


@st.composite
def _positions(draw: st.DrawFn, items: Sequence[Json]) -> Position:
    """Draw a place anywhere, at a rim of the map, or in a footprint or on its edge."""
    kind = draw(st.sampled_from(["anywhere", "rim", "inside", "edge"]))
    found = draw(one_of(items))["geometry"]
    if kind in ("inside", "edge") and found:
        footprint = shape(found)
        point = footprint.representative_point()
        longitude, latitude = get_coordinates(footprint)[0] if kind == "edge" else (point.x, point.y)
        return float(longitude), float(latitude)
    if kind == "rim":
        return draw(st.sampled_from([-180.0, 180.0])), draw(st.sampled_from([-90.0, 0.0, 51.5, 90.0]))
    return draw(_number(-180, 180)), draw(_number(-90, 90))


def _lines(items: Sequence[Json]) -> st.SearchStrategy[list[Position]]:
    return st.lists(_positions(items), min_size=2, max_size=4, unique=True)


@st.composite
def _polygons(draw: st.DrawFn, items: Sequence[Json]) -> list[list[Position]]:
    """Draw a triangle or a rectangle, now and then with a hole."""
    west, south, east, north = draw(spans(items))
    east = 180.0 if west > east else east
    east = east if east > west else west + 1 if west < 179 else 180.0
    west = west if west < east else 179.0
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    if draw(st.integers(0, 2)) == 0:
        return [[ring[0], ring[1], ring[2], ring[0]]]
    if draw(st.integers(0, 2)) == 0:
        wide, high = (east - west) / 4, (north - south) / 4
        return [ring, rectangle(west + wide, south + high, east - wide, north - high)]
    return [ring]


def rectangle(west: float, south: float, east: float, north: float) -> list[Position]:
    """Return a closed ring, clockwise."""
    return [(west, south), (west, north), (east, north), (east, south), (west, south)]


@st.composite
def _over_the_antimeridian(draw: st.DrawFn, items: Sequence[Json]) -> list[list[list[Position]]]:
    """Draw one area as two polygons, one on either side."""
    west, east = draw(_number(100, 179)), draw(_number(-179, -100))
    south = draw(_number(-90, 88))
    north = min(90.0, south + draw(_number(1, 60)))
    return [[rectangle(west, south, 180.0, north)], [rectangle(-180.0, south, east, north)]]


KINDS: dict[str, Any] = {
    "Point": _positions,
    "MultiPoint": lambda items: st.lists(_positions(items), min_size=1, max_size=4),
    "LineString": _lines,
    "MultiLineString": lambda items: st.lists(_lines(items), min_size=1, max_size=3),
    "Polygon": _polygons,
    "MultiPolygon": _over_the_antimeridian,
}
"""How the coordinates of each kind of geometry are drawn."""


def _lists(coordinates: Any) -> Any:
    """Return coordinates with lists for tuples, as JSON has them, without heights."""
    if isinstance(coordinates[0], int | float):
        return list(coordinates[:2])
    return [_lists(part) for part in coordinates]
