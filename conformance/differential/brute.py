"""What a search answers by the book: every Item looked at, with nothing of the bridge but the Items.

Filters are decided by an evaluator written from the CQL2 standard, areas by shapely on the Item's geometry,
times by their overlap, and the order by values, where Items without one come last.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import shapely
from shapely import MultiPolygon
from shapely import box as rectangle
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from tests.unit.cql_oracle import FIRST, LAST, TIME, truth

Json = dict[str, Any]
Place = tuple[Any, ...]
NEWEST_FIRST = {"field": "datetime", "direction": "desc"}
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """An Item, with its footprint and its time read once."""

    item: Json
    footprint: BaseGeometry | None
    start: datetime
    end: datetime

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.item["collection"], self.item["id"]


def entry(item: Json) -> Entry:
    """Read an Item."""
    properties = item["properties"]
    start = properties.get("start_datetime") or properties["datetime"]
    end = properties.get("end_datetime") or properties["datetime"]
    footprint = item["geometry"] and shape(item["geometry"])
    return Entry(item, footprint, datetime.fromisoformat(start), datetime.fromisoformat(end))


def expected(search: Json, entries: Iterable[Entry]) -> list[Entry]:
    """Return the Items that match the members of a search, in its order; `entries` are of its collections."""
    tests = [make(search[name]) for name, make in TESTS.items() if name in search]
    found = [each for each in entries if all(test(each) for test in tests)]
    return sorted(found, key=lambda each: place(each, search))


def place(entry: Entry, search: Json) -> Place:
    """Return where an Item stands in the order of a search."""
    return tuple(_part(entry, key) for key in search.get("sortby") or [NEWEST_FIRST])


def box(bbox: Sequence[float]) -> BaseGeometry:
    """Return the area of four or six numbers, in two parts across the antimeridian."""
    west, south, east, north = bbox if len(bbox) == 4 else (bbox[0], bbox[1], bbox[3], bbox[4])
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return MultiPolygon([rectangle(left, south, right, north) for left, right in spans])


def span(text: str) -> tuple[datetime, datetime]:
    """Return the first and the last time that a `datetime` parameter names."""
    first, slash, last = text.partition("/")
    start, end = (_end(part) for part in ((first, last) if slash else (first, first)))
    return start or FIRST, end or LAST


def _end(text: str) -> datetime | None:
    return None if text in ("", "..") else datetime.fromisoformat(text.upper())


Test = Callable[[Entry], bool]

TEXTS = (
    *("id", "collection", "title", "description", "platform", "constellation", "mission"),
    *("processing:level", "product:type", "sar:instrument_mode", "grid:code", "instruments", "keywords"),
)
"""Where free text is looked for, by the bridge's documentation."""


def texts(item: Json) -> list[str]:
    """Return what free text is looked for in."""
    values = [{**item["properties"], **item}.get(name) for name in TEXTS]
    return [text for value in values for text in (value if isinstance(value, list) else [value]) if text]


def _by_ids(ids: Sequence[str]) -> Test:
    return lambda entry: entry.item["id"] in ids


def _by_time(text: str) -> Test:
    first, last = span(text)
    return lambda entry: entry.start <= last and first <= entry.end


def _by_area(area: BaseGeometry) -> Test:
    shapely.prepare(area)
    return lambda entry: entry.footprint is not None and bool(area.intersects(entry.footprint))


def _by_text(terms: Sequence[str]) -> Test:
    folded = [term.casefold() for term in terms]

    def test(entry: Entry) -> bool:
        held = [text.casefold() for text in texts(entry.item)]
        return any(term in text for term in folded for text in held)

    return test


def _by_filter(filter: Json) -> Test:
    return lambda entry: truth(filter, entry.item) is True


TESTS: dict[str, Callable[[Any], Test]] = {
    "ids": _by_ids,
    "datetime": _by_time,
    "bbox": lambda bbox: _by_area(box(bbox)),
    "intersects": lambda geometry: _by_area(shape(geometry)),
    "q": _by_text,
    "filter": _by_filter,
}
"""What each member of a search asks of an Item, the quickest first."""


def _part(entry: Entry, key: Json) -> tuple[bool, Any]:
    """Return the value of a sort key as something that sorts the right way round, behind the others if it is
    missing."""
    name, sign = key["field"].removeprefix("properties."), -1 if key.get("direction") == "desc" else 1
    value = entry.start if name == "datetime" else entry.item["properties"].get(name)
    if isinstance(value, str) and TIME.fullmatch(value):
        value = datetime.fromisoformat(value)
    if value is None:
        return True, 0
    if isinstance(value, datetime):
        return False, sign * ((value - FIRST) // MICROSECOND)
    if isinstance(value, str):
        return False, [*(sign * (ord(letter) + 1) for letter in value), 0]
    return False, sign * value
