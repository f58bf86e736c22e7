"""Footprints: rings whose longitudes may pass +-180, what records print of them, and what they meet."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .hashing import Floats

Json = dict[str, Any]
_WORLD = shapely.box(-180.0, -90.0, 180.0, 90.0)
_TURNS = (0.0, 360.0, -360.0)
FORMS = 3


def geojson(ring: Floats, form: int) -> Json:
    """GeoJSON of one ring. A ring over the antimeridian is printed in one of the forms that real records
    have.

    `form` 0 leaves longitudes beyond +-180, 1 wraps them so that the ring jumps, 2 cuts it into a
    MultiPolygon.
    """
    points = ring.tolist()
    if form == 0 or (np.min(ring[:, 0]) >= -180.0 and np.max(ring[:, 0]) <= 180.0):
        return {"type": "Polygon", "coordinates": [points]}
    if form == 1:
        wrapped = [[round((lon + 180.0) % 360.0 - 180.0, 6), lat] for lon, lat in points]
        return {"type": "Polygon", "coordinates": [wrapped]}
    return {"type": "MultiPolygon", "coordinates": [[_rounded(part)] for part in _cut(ring)]}


def _cut(ring: Floats) -> list[Any]:
    parts: list[Any] = []
    for turn in _TURNS:
        moved = shapely.make_valid(shapely.Polygon(ring + np.array([turn, 0.0])))
        inside = shapely.get_parts(shapely.intersection(moved, _WORLD))
        parts += [part for part in inside if part.geom_type == "Polygon" and not part.is_empty]
    return parts


def _rounded(part: Any) -> list[list[float]]:
    return [[round(lon, 6), round(lat, 6)] for lon, lat in part.exterior.coords]


def ewkt(shape: Json) -> str:
    """The Footprint text of a GeoFootprint."""

    def rings(polygon: list[list[list[float]]]) -> str:
        return ", ".join("(" + ", ".join(f"{lon} {lat}" for lon, lat in ring) + ")" for ring in polygon)

    if shape["type"] == "Polygon":
        return f"geography'SRID=4326;POLYGON ({rings(shape['coordinates'])})'"
    parts = ", ".join(f"({rings(polygon)})" for polygon in shape["coordinates"])
    return f"geography'SRID=4326;MULTIPOLYGON ({parts})'"


def bounds(rings: Floats) -> list[tuple[float, float, float, float]]:
    """West, south, east and north of each ring."""
    both = np.concatenate([rings.min(axis=1), rings.max(axis=1)], axis=1)
    return [(west, south, east, north) for west, south, east, north in both.tolist()]


def meets(geometry: shapely.Geometry, rings: Floats) -> NDArray[np.bool_]:
    """Which rings (n, vertices, 2) meet `geometry`, whose longitudes are within +-180; planar in degrees.

    A ring over the antimeridian counts on both sides of it; one that only reaches it, on its own.
    """
    west, south, east, north = shapely.bounds(geometry)
    lons, lats = rings[:, :, 0], rings[:, :, 1]
    level = (lats.max(axis=1) >= south) & (lats.min(axis=1) <= north)
    low, high = lons.min(axis=1), lons.max(axis=1)
    over = (low < -180) | (high > 180)
    found = np.zeros(len(rings), dtype=np.bool_)
    for turn in _TURNS:
        near = np.flatnonzero(
            level & (over | (turn == 0)) & (high + turn >= west) & (low + turn <= east) & ~found
        )
        if len(near):
            found[near] = shapely.intersects(geometry, shapely.polygons(rings[near] + np.array([turn, 0.0])))
    return found
