"""Parameters of searches, read strictly, with the sets and intervals of OGC 13-026."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import shapely

from .opensearch_products import Product


class Refused(Exception):
    """A search that is not answered; `locator` is the parameter."""

    def __init__(self, text: str, locator: str, status: int = 400) -> None:
        super().__init__(text)
        self.text, self.locator, self.status = text, locator, status


Test = Callable[[Product], bool]
Read = Callable[[str], Any]
_INTERVAL = re.compile(r"(?:(?P<low>[\[\]])(?P<from>[^,\[\]]+))?(?:,?(?P<to>[^,\[\]]+)(?P<high>[\[\]]))?")
SORTED: dict[str, Callable[[Product], Any]] = {
    "title": lambda product: product.title,
    "start": lambda product: product.start,
}


def values(text: str, read: Read, locator: str) -> Callable[[Any], bool]:
    """Return the test of a number, set or interval."""
    try:
        if text.startswith("{") and text.endswith("}"):
            wanted = [read(part) for part in text[1:-1].split(",")]
            return lambda value: value in wanted
        found = _INTERVAL.fullmatch(text)
        if found and any(found.group("low", "high")):
            return _between(found, read)
        only = read(text)
        return lambda value: bool(value == only)
    except ValueError:
        raise Refused(f"Invalid value: {text}", locator) from None


def _between(found: re.Match[str], read: Read) -> Callable[[Any], bool]:
    low = read(found["from"]) if found["low"] else None
    high = read(found["to"]) if found["high"] else None

    def holds(value: Any) -> bool:
        if low is not None and (value < low or (value == low and found["low"] == "]")):
            return False
        return high is None or value < high or (value == high and found["high"] == "]")

    return holds


def moment(text: str, *, end: bool = False) -> datetime:
    """Return a time; a date is its beginning, or its end. Raises ValueError."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        day = datetime.combine(date.fromisoformat(text), time(), UTC)
        return day + timedelta(days=1, microseconds=-1) if end else day
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", text):
        raise ValueError(text)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _of(read: Read, get: Callable[[Product], Any]) -> Callable[[str, str], Test]:
    def make(text: str, locator: str) -> Test:
        holds = values(text, read, locator)
        return lambda product: get(product) is not None and holds(get(product))

    return make


def _same(get: Callable[[Product], Any], allowed: tuple[str, ...] = ()) -> Callable[[str, str], Test]:
    def make(text: str, locator: str) -> Test:
        if allowed and text not in allowed:
            raise Refused(f"Invalid value: {text}", locator)
        return lambda product: str(get(product)) == text

    return make


def _place(text: str, locator: str) -> Test:
    try:
        if locator == "bbox":
            return _box(*map(float, text.split(",")))
        area = shapely.from_wkt(text)
    except (TypeError, ValueError, shapely.errors.ShapelyError):
        raise Refused(f"Invalid geometry: {text}", locator) from None
    shapely.prepare(area)
    return lambda product: bool(area.intersects(shapely.box(*product.bbox)))


def _box(west: float, south: float, east: float, north: float) -> Test:
    def meets(product: Product) -> bool:
        left, low, right, high = product.bbox
        return left <= east and right >= west and low <= north and high >= south

    return meets


def _time(text: str, locator: str) -> Test:
    """Test by whole days: products of the same day come with those asked for."""
    try:
        at = moment(text, end=locator == "end")
    except ValueError:
        raise Refused(f"Invalid date: {text}", locator) from None
    if locator == "start":
        first = datetime.combine(at.date(), time(), UTC)
        return lambda product: product.end >= first
    after = datetime.combine(at.date(), time(), UTC) + timedelta(days=1)
    return lambda product: product.start < after


TESTS: dict[str, Callable[[str, str], Test]] = {
    "start": _time,
    "end": _time,
    "bbox": _place,
    "geometry": _place,
    "title": _same(lambda product: product.title),
    "uid": _same(lambda product: product.id),
    "productType": _same(lambda product: product.holding.product_type),
    "relativeOrbitNumber": _same(lambda product: product.orbit),
    "orbitDirection": _same(lambda product: product.direction, ("ASCENDING", "DESCENDING")),
    "tileId": _same(lambda product: product.tile),
    "productGroupId": _same(lambda product: f"{product.start:%Y%m%d}"),
    "resolution": _same(lambda product: product.holding.resolution),
    "productVersion": _same(lambda product: product.version),
    "cloudCover": _of(float, lambda product: product.cloud_cover),
    "publicationDate": _of(moment, lambda product: product.published),
    "modificationDate": _of(moment, lambda product: product.published),
}


@dataclass(frozen=True, slots=True)
class Paging:
    """Which records of a result: `count` of them from number `start` on, the first being 1."""

    start: int
    count: int


def paging(given: dict[str, str], depth: int, largest: int) -> Paging:
    """Read the paging parameters; a page may not reach beyond `depth`."""
    start, count = _number(given, "startIndex", 1), _number(given, "count", 100)
    if start < 1:
        raise Refused("startIndex begins with 1", "startIndex")
    count = min(count, largest)
    if start + count - 1 > depth:
        raise Refused(f"Result window is too large: more than {depth}", "startIndex")
    return Paging(start, count)


def _number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise Refused(f"Invalid number: {text}", name)
    return int(text)


def ordered(products: list[Product], keys: str | None) -> list[Product]:
    """Sort by `sortKeys`: `name,,0` descends, `name` and `name,,1` ascend; by title where it is absent."""
    name, _, flags = (keys or "title").partition(",")
    if name not in SORTED:
        raise Refused(f"Cannot sort by {name}", "sortKeys")
    ascending = not flags.strip(",").startswith("0")
    by_title = sorted(products, key=SORTED["title"])
    return sorted(by_title, key=SORTED[name], reverse=not ascending)
