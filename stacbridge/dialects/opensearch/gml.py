"""Footprints of Atom entries: georss and GML, whose axes are latitude, longitude unless the service or the
coordinate system says otherwise (GeoRSS 1.0; EPSG:4326 by URN or URL).
"""

from collections.abc import Callable, Iterator

from stacbridge.model import Json
from stacbridge.scalars import double
from stacbridge.wire import xml
from stacbridge.wire.xml import Element

GEORSS = "http://www.georss.org/georss"
SWAPPED = "its footprint has latitudes beyond 90 degrees: longitude and latitude look swapped"
LON_LAT = "lon lat"

Positions = list[list[float]]


def footprint(entry: Element, axes: str) -> Json | None:
    """Return the GeoJSON geometry of an entry, `None` where it has none. `axes` is "lat lon" or "lon lat".

    An exact form wins over a box.
    """
    polygons = list(_polygons(entry, axes))
    if polygons:
        return _areas(polygons)
    for element in entry.iter():
        namespace, local = xml.name(element)
        make = _SHAPES.get(local) if namespace == GEORSS or "gml" in namespace else None
        found = make(element, axes) if make else None
        if found is not None:
            return found
    return None


def _areas(polygons: list[list[Positions]]) -> Json:
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _polygons(entry: Element, axes: str) -> Iterator[list[Positions]]:
    """Iterate over the polygons of georss:polygon, or of GML wherever it is."""
    for element in entry.iter():
        namespace, local = xml.name(element)
        if namespace == GEORSS and local == "polygon":
            ring = _positions(xml.text(element), axes)
            if ring:
                yield [_closed(ring)]
        elif "gml" in namespace and local == "Polygon":
            rings = [_closed(ring) for ring in _rings(element, axes) if ring]
            if rings:
                yield rings


def _rings(polygon: Element, axes: str) -> Iterator[Positions]:
    for ring in polygon.iter():
        if xml.name(ring)[1] == "LinearRing":
            yield _line(ring, axes)


def _line(element: Element, axes: str) -> Positions:
    """Return the positions of a GML element: one posList, several pos, or GML 2's coordinates (x,y x,y)."""
    found: Positions = []
    for child in element.iter():
        local = xml.name(child)[1]
        if local in ("posList", "pos"):
            size = 3 if child.get("srsDimension", element.get("srsDimension")) == "3" else 2
            found += _positions(xml.text(child), _axes(child, axes), size)
        elif local == "coordinates":
            found += _positions(xml.text(child).replace(",", " "), LON_LAT)
    return found


def _axes(element: Element, axes: str) -> str:
    """Return the order of axes that the nearest coordinate system names, else `axes`."""
    while element is not None:
        system = element.get("srsName")
        if system:
            return LON_LAT if system.upper().endswith("CRS84") else axes
        element = element.getparent()
    return axes


def _positions(text: str, axes: str, size: int = 2) -> Positions:
    """Return longitude, latitude of numbers in a row; nothing where one is no number or is missing."""
    numbers = [double(part) for part in text.split()]
    if not numbers or len(numbers) % size or None in numbers:
        return []
    pairs = [
        [number for number in numbers[at : at + 2] if number is not None]
        for at in range(0, len(numbers), size)
    ]
    return pairs if axes == LON_LAT else [pair[::-1] for pair in pairs]


def _closed(ring: Positions) -> Positions:
    return ring if ring[0] == ring[-1] else [*ring, ring[0]]


def _box(corners: Positions) -> Json | None:
    if len(corners) != 2:
        return None
    (west, south), (east, north) = corners
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _envelope(element: Element, axes: str) -> Json | None:
    corners = [
        _positions(xml.text(child), _axes(child, axes))
        for child in element
        if xml.name(child)[1] in ("lowerCorner", "upperCorner")
    ]
    return _box([position for corner in corners for position in corner])


def _point(element: Element, axes: str) -> Json | None:
    found = _line(element, axes) or _positions(xml.text(element), axes)
    return {"type": "Point", "coordinates": found[0]} if len(found) == 1 else None


def _track(element: Element, axes: str) -> Json | None:
    found = _line(element, axes) or _positions(xml.text(element), axes)
    return {"type": "LineString", "coordinates": found} if len(found) > 1 else None


_SHAPES: dict[str, Callable[[Element, str], Json | None]] = {
    "line": _track,
    "LineString": _track,
    "point": _point,
    "Point": _point,
    "box": lambda element, axes: _box(_positions(xml.text(element), axes)),
    "Envelope": _envelope,
}
