"""Searches of SeDAS that are whole: an answer as long as answers get is taken for cut, and asked again in
parts.

SeDAS has no paging, no order and no count, and leaves out silently what an answer does not hold (assumed from
Geocento's API, whose limit is 100 by default). Time is split first; products of one second, such as the tiles
of a Sentinel-2 datatake, are told apart by area. Where a page's requests do not suffice to see them all, they
are walked as a crowd (see `crowd`).
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from statistics import median
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from stacbridge.dialects.crowd import Crowd, Jumbled, Placed
from stacbridge.dialects.sedas_matches import times
from stacbridge.dialects.sedas_products import Products, listed
from stacbridge.dialects.sedas_scope import Ask, Scope, wkt
from stacbridge.dialects.sedas_windows import Window
from stacbridge.errors import SearchTooWide
from stacbridge.mapping.footprints import footprints
from stacbridge.model import Json, Reply, Request

JSON = {"Content-Type": "application/json", "Accept": "application/json"}

JUMBLED = "they start at several instants, whose order is known only when all have been seen"

Records = Generator[Request, Reply, list[Json]]


@dataclass(frozen=True, slots=True)
class Service:
    """One SeDAS: its URL, how many products an answer holds at most, how many requests a page may take."""

    upstream: str
    url: str
    cap: int
    requests: int
    products: Products

    def records(self, reply: Reply, group: str | None) -> list[Json]:
        """Return the records in an answer. Raises `UpstreamError` where there are none."""
        entries = listed(reply, self.upstream)
        return [self.products.record(entry if isinstance(entry, dict) else {}, group) for entry in entries]


@dataclass(slots=True)
class Search:
    """The searches of one page, over the service's requests. `found` are the records so far, in their order,
    each from one of `sources`; `odd` those without a name or a time, which have no place in it; `matched` is
    how many match in all, as soon as that is known."""

    service: Service
    scope: Scope
    limit: int
    found: list[Json] = field(default_factory=list)
    sources: list[Window | Crowd] = field(default_factory=list)
    odd: list[Json] = field(default_factory=list)
    matched: int | None = None
    _made: int = 0

    def fill(self, start: Window | Crowd) -> Generator[Request, Reply, Window | Crowd]:
        """Find records up to `limit`, as far as the requests reach; return what comes next.

        Raises `SearchTooWide` where more records are in one place than an answer holds.
        """
        at, counted = start, 0
        while len(self.found) < self.limit:
            if isinstance(at, Crowd):
                if self._spent():
                    break
                at = yield from self._step(at)
                continue
            if at.over:
                break
            try:
                records = yield from self._whole(at)
            except _Cut as cut:
                at = at.narrowed(cut.keys)
                continue
            except _Spent:
                at = self._crowd(at) if at == start else at
                break
            placed = self._placed(at, self.scope.keep(records))
            counted += len(placed)
            self.matched = counted if at.end > at.last and isinstance(start, Window) else None
            at = self._taken(at, placed)
        return at

    def after(self, count: int) -> Json:
        """Return the position behind the first `count` records; odd ones go with the last."""
        last = min(count, len(self.found)) - 1
        source = self.sources[last]
        return source.resting(*_place(source, self.found[last])).position()

    def _give(self, records: list[Json], source: Window | Crowd) -> None:
        self.found += records
        self.sources += [source] * len(records)

    def _crowd(self, window: Window) -> Crowd:
        if not window.narrowest:
            raise self._crowded(window)
        return Crowd(window)

    def _step(self, crowd: Crowd) -> Generator[Request, Reply, Window | Crowd]:
        """Give what comes next of a cell, and return what comes then."""
        try:
            records = yield from self._in_cell(crowd)
            placed = [Placed(*_place(crowd.window, record), record) for record in self.scope.keep(records)]
            given, following = crowd.take(placed, self.limit - len(self.found))
        except _Cut as cut:
            narrowed = crowd.narrowed(cut.keys)
            if narrowed is None:
                raise self._crowded(crowd.window) from None
            return narrowed
        except Jumbled:
            raise self._crowded(crowd.window, JUMBLED) from None
        self._give(given, crowd)
        return following or crowd.window.following(len(given), self.service.cap)

    def _in_cell(self, crowd: Crowd) -> Records:
        """Return the records of a cell that have a place in the order. Raises `_Cut`."""
        bounds = shapely.geometrycollections(list(self.scope.areas)).bounds
        cell = replace(crowd.cell, root=bounds)
        box = shapely.box(*cell.box)
        if not any(area.intersects(box) for area in self.scope.areas):
            return []
        try:
            found = yield from self._in_box(crowd, box, self.scope.asks)
        except _Cut:
            if self.scope.asks == self.scope.each:
                raise
            found = yield from self._in_box(crowd, box, self.scope.each)
        return cell.own([record for record in found if record["Name"] and times(record)[0]])

    def _in_box(self, crowd: Crowd, box: BaseGeometry, asks: tuple[Ask, ...]) -> Records:
        found: list[Json] = []
        for ask in asks:
            self._made += 1
            reply = yield _request(f"{self.service.url}/search", crowd.asked, ask, box)
            records = self.service.records(reply, ask.group)
            if len(records) >= self.service.cap:
                raise _Cut([_place(crowd.window, record)[0] for record in records if times(record)[0]])
            found += records
        return found

    def _spent(self) -> bool:
        """Tell whether the page may not make the requests for another cell."""
        most = len(self.scope.asks) + len(self.scope.each)
        return self._made > 0 and self._made + most > self.service.requests

    def _taken(self, window: Window, placed: list[Json]) -> Window:
        left = self.limit - len(self.found)
        self._give(placed[:left], window)
        if len(placed) <= left:
            return window.following(len(placed), self.service.cap)
        return window.resting(*_place(window, placed[left - 1]))

    def _placed(self, window: Window, records: list[Json]) -> list[Json]:
        """Return the records of a window in their order; put aside those that have no place in it."""
        known = [record for record in records if record["Name"] and times(record)[0]]
        self.odd += [record for record in records if not record["Name"] or not times(record)[0]]
        inside = [record for record in known if window.holds(*_place(window, record))]
        return sorted(inside, key=lambda record: _place(window, record))

    def _whole(self, window: Window) -> Records:
        """Return all records of a window, each once. Raises `_Cut`, `_Spent`."""
        found: dict[Any, Json] = {}
        for ask, area in product(self.scope.asks, self.scope.areas):
            for record in (yield from self._part(window, ask, area)):
                found.setdefault(record["Name"] or id(record), record)
        return list(found.values())

    def _part(self, window: Window, ask: Ask, area: BaseGeometry) -> Records:
        if self._made >= self.service.requests:
            raise _Spent
        self._made += 1
        request = _request(f"{self.service.url}/search", window, ask, area)
        records = self.service.records((yield request), ask.group)
        if len(records) < self.service.cap:
            return records
        if not window.narrowest:
            raise _Cut([_place(window, record)[0] for record in records if times(record)[0]])
        parts: list[Json] = []
        for quarter in _quarters(area, records):
            parts += yield from self._part(window, ask, quarter)
        return parts

    def _crowded(self, window: Window, why: str = "neither time nor area tells them apart") -> SearchTooWide:
        service, (start, stop) = self.service, window.bounds
        return SearchTooWide(
            f"{service.upstream} cuts its answers at {service.cap} products, and has more from {start} to "
            f"{stop}: {why}.",
            upstream=service.upstream,
            parameter="collections",
            advice="Narrow the search by platform, or by a property among the queryables that is pushed.",
        )


class _Cut(Exception):
    """An answer was as long as answers get; `keys` are the times in it."""

    def __init__(self, keys: list[int]) -> None:
        super().__init__()
        self.keys = keys


class _Spent(Exception):
    """The page has made all requests that it may."""


def _place(window: Window | Crowd, record: Json) -> tuple[int, str]:
    start, _ = times(record)
    assert start is not None
    return window.key(start), record["Name"] or ""


def _request(url: str, window: Window, ask: Ask, area: BaseGeometry) -> Request:
    start, stop = window.bounds
    body: Json = {
        "sensorFilters": {"type": ask.sensor},
        "filters": ask.filters,
        "aoiWKT": wkt(area),
        "start": start,
        "stop": stop,
    }
    named = {"satelliteName": ask.satellite, "sourceGroup": ask.group}
    body |= {name: value for name, value in named.items() if value}
    return Request("POST", url, headers=JSON, body=orjson.dumps(body), safe=True)


def _quarters(area: BaseGeometry, records: list[Json]) -> list[BaseGeometry]:
    """Return four boxes that together cover an area, with about as many of these records in each."""
    west, south, east, north = area.bounds
    boxes = [bbox for _, bbox in footprints(records) if bbox is not None]
    x = _middle(west, east, [(bbox[0] + bbox[2]) / 2 for bbox in boxes])
    y = _middle(south, north, [(bbox[1] + bbox[3]) / 2 for bbox in boxes])
    return [
        shapely.box(left, low, right, high)
        for left, right in pairwise((west, x, east))
        for low, high in pairwise((south, y, north))
    ]


def _middle(low: float, high: float, values: list[float]) -> float:
    """Return the median of the values between two bounds, or what lies halfway where there are none."""
    inside = [value for value in values if low < value < high]
    return median(inside) if inside else (low + high) / 2
