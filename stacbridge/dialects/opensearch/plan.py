"""What a search comes to at a service that is asked for one collection, one area and one id at a time."""

import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import product
from typing import Any

import shapely
from shapely.geometry import shape

from stacbridge import geometry, scalars
from stacbridge.dialects.checked import Checked, parsed
from stacbridge.dialects.opensearch import filters
from stacbridge.dialects.opensearch.options import Options
from stacbridge.dialects.opensearch.template import Template
from stacbridge.dialects.opensearch.values import Check, Pushed
from stacbridge.mapping.families import Collection
from stacbridge.mapping.footprints import footprints
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Bbox, Interval, Json, Query

PARENT = "parentIdentifier"
"""The attribute that names the collection of a record, in the service's words."""


@dataclass(frozen=True)
class Area:
    """A place to search, in GeoJSON; `bbox` and `wkt` are two ways to ask for it or for more."""

    place: Json
    exact: bool
    """Whether `bbox` is all of it."""

    @cached_property
    def bbox(self) -> Bbox:
        """West, south, east, north around it."""
        west, south, east, north = self.shape.bounds
        return west, south, east, north

    @cached_property
    def wkt(self) -> str | None:
        """Its text, where it is one geometry."""
        texts = geometry.wkts(self.place)
        return texts[0] if len(texts) == 1 else None

    @cached_property
    def shape(self) -> Any:
        """Its prepared geometry."""
        found = shape(self.place)
        shapely.prepare(found)
        return found


@dataclass(frozen=True)
class Step:
    """One walk over pages: `areas` are the place to ask for and others to test, `apart` is not to be given
    again, as another step gives it. `name` tells it from the others of the search."""

    name: str
    spec: Collection
    key: str | None
    """What the service calls the collection."""
    values: dict[str, str]
    tested: dict[str, str]
    """The conditions that the values are for."""
    checks: dict[str, Check]
    """What a record's value must satisfy, by the path it is at."""
    interval: Interval
    """The time that all matches overlap; they also overlap the one that the search names."""
    checked: Checked
    item: str | None = None
    areas: tuple[Area, ...] = ()
    apart: Area | None = None

    @property
    def extent(self) -> tuple[datetime | None, datetime | None]:
        """When the collection begins and ends, as far as the service tells."""
        start, end = self.spec.stac["extent"]["temporal"]["interval"][0]
        return scalars.instant(start), scalars.instant(end)

    def counted(self, trusted: Container[str]) -> bool:
        """Tell whether the service's count is exact: it tests no more than it was asked."""
        by_area = "area" in trusted or not self.areas
        whole = (self.interval.start, self.interval.end) == (None, None)
        by_time = "time" in trusted or whole
        return by_area and by_time and self.apart is None and self.item is None and not self.checked

    def fitted(self, template: Template, options: Options) -> "Step":
        """Return the step without values that the service has no parameter for; they are checked instead."""
        known = {
            name: value
            for name, value in self.values.items()
            if template.find(options.parameters.get(name, name)) is not None
        }
        missing = [self.tested[name] for name in self.values if name not in known]
        return replace(self, values=known, checked=(*self.checked, *missing)) if missing else self


def steps(query: Query, mapping: Mapping) -> list[Step]:
    """Return the walks that a search takes."""
    condition, checked = parsed(query.filter)
    specs = mapping.specs
    chosen = [specs[name] for name in query.collections or specs if name in specs]
    pairs = [(spec, pushed) for spec in chosen if (pushed := filters.push(condition, spec)) is not None]
    if not query.ids and any(pushed.ids is None for _, pushed in pairs):
        for _, pushed in pairs:
            pushed.forget_ids()
    return [step for spec, pushed in pairs for step in _of(spec, query, pushed, checked)]


def told_as(spec: Collection) -> str | None:
    """Return what the service calls a collection, where it has a name for it."""
    names = spec.match.get(PARENT, frozenset())
    return str(next(iter(names))) if len(names) == 1 else None


def _of(spec: Collection, query: Query, pushed: Pushed, checked: Checked) -> Iterator[Step]:
    ids: list[str | None] = [None]
    if query.ids or pushed.ids is not None:
        named = dict.fromkeys(query.ids or sorted(pushed.ids or ()))
        ids = [id for id in named if pushed.ids is None or id in pushed.ids]
    others = tuple(Area(place, exact=False) for place in pushed.areas)
    if query.intersects:
        others = (Area(query.intersects, exact=False), *others)
    values = [dict(zip(pushed.values, each, strict=True)) for each in product(*pushed.values.values())]
    halves = _halves(query.bbox)
    for id, asked, half in product(ids, values, halves):
        yield Step(
            name=_short((spec.id, id, sorted(asked.items()), halves.index(half))),
            spec=spec,
            key=told_as(spec),
            values=asked,
            tested=pushed.tested,
            checks=pushed.checks,
            interval=pushed.around(query.interval),
            checked=(*checked, *pushed.checked),
            item=id,
            areas=(half, *others) if half else others,
            apart=halves[0] if half is not halves[0] else None,
        )


def _short(name: object) -> str:
    return format(zlib.crc32(repr(name).encode()), "x")


def _halves(bbox: Bbox | None) -> list[Area | None]:
    """Return the boxes of a bbox, two where it crosses the antimeridian; one of nothing without a bbox."""
    if bbox is None:
        return [None]
    west, south, east, north = bbox
    if west <= east:
        return [Area(geometry.box(bbox), exact=True)]
    halves: list[Bbox] = [(west, south, 180.0, north), (-180.0, south, east, north)]
    return [Area(geometry.box(half), exact=True) for half in halves]


def fitting(records: list[Json], step: Step, interval: Interval | None, *, area: bool) -> list[Json]:
    """Return the records that are truly within what was asked; `area` tells whether to test that.

    Of a property that a record does not state, the service's word is taken. Faulty records stay, so that they
    are counted and their fault is told.
    """
    shapes = (
        [_shape(found) for found, _ in footprints(records)] if area and (step.areas or step.apart) else []
    )
    return [
        record
        for number, record in enumerate(records)
        if "Unfit" in record
        or (
            step.item in (None, record["Name"])
            and _within(record, interval)
            and _satisfies(record, step)
            and (not shapes or _touches(shapes[number], step))
        )
    ]


def _satisfies(record: Json, step: Step) -> bool:
    """Tell whether nothing that a record states contradicts what was asked for."""
    for path, (row, check) in step.checks.items():
        member, _, name = path.partition("/")
        within = record.get(member)
        stated = within.get(name) if isinstance(within, dict) else within
        value = None if stated is None else row.read(stated)
        if value is not None and not check(value):
            return False
    return True


def _shape(place: Json | None) -> Any:
    return None if place is None else shape(place)


def _touches(found: Any, step: Step) -> bool:
    if found is None:
        return False
    inside = all(area.shape.intersects(found) for area in step.areas)
    return inside and not (step.apart is not None and step.apart.shape.intersects(found))


def _within(record: Json, interval: Interval | None) -> bool:
    """Tell whether a record's time meets an interval; one without a time stays, to be told of."""
    start = scalars.instant(record["ContentDate"]["Start"])
    end = scalars.instant(record["ContentDate"]["End"]) or start
    if interval is None or start is None or end is None:
        return True
    return (interval.end is None or start <= interval.end) and (
        interval.start is None or end >= interval.start
    )
