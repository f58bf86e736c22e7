"""What a search comes to at a service that is asked for one collection, one area and one id at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import shapely
from shapely.geometry import shape

from stacbridge import geometry, scalars
from stacbridge.cql import conditions
from stacbridge.cql.conditions import Condition, unsupported
from stacbridge.dialects.opensearch import filters
from stacbridge.dialects.opensearch.filters import Check, Pushed
from stacbridge.errors import UnsupportedFilter
from stacbridge.mapping.families import Collection
from stacbridge.mapping.footprints import footprints
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Bbox, Interval, Json, Query

PARENT = "parentIdentifier"
"""The attribute that names the collection of a record, in the service's words."""
MAX_COMBINATIONS = 20
"""Searches that one filter may come to for one collection."""


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
    again, as an earlier step did."""

    spec: Collection
    key: str | None
    """What the service calls the collection."""
    values: dict[str, str]
    by_name: dict[str, str]
    checks: dict[str, Check]
    """What a record's value must satisfy, by the path it is at."""
    item: str | None = None
    areas: tuple[Area, ...] = ()
    apart: Area | None = None


def steps(query: Query, mapping: Mapping) -> list[Step]:
    """Return the walks that a search takes, in order. Raises `UnsupportedFilter`."""
    condition = conditions.parse(query.filter) if query.filter else True
    specs = mapping.specs
    known = {"id", "collection", "geometry"}.union(*({*s.rows, *s.constants} for s in specs.values()))
    if unknown := conditions.names(condition) - known:
        raise unsupported(f"{mapping.title} has no property {', '.join(sorted(map(repr, unknown)))}.")
    chosen = [specs[name] for name in query.collections or specs if name in specs]
    return [step for spec in chosen for step in _of(spec, query, condition)]


def told_as(spec: Collection) -> str | None:
    """Return what the service calls a collection, where it has a name for it."""
    names = spec.match.get(PARENT, frozenset())
    return str(next(iter(names))) if len(names) == 1 else None


def _of(spec: Collection, query: Query, condition: Condition) -> Iterator[Step]:
    try:
        pushed = filters.push(condition, spec)
    except UnsupportedFilter as failure:
        failure.advice = f"Collection {spec.id!r} cannot; name others, or test something else."
        raise
    if pushed is None:
        return
    ids: list[str | None] = [None]
    if query.ids or pushed.ids is not None:
        named = dict.fromkeys(query.ids or sorted(pushed.ids or ()))
        ids = [id for id in named if pushed.ids is None or id in pushed.ids]
    others = tuple(Area(place, exact=False) for place in pushed.areas)
    if query.intersects:
        others = (Area(query.intersects, exact=False), *others)
    key = told_as(spec)
    for id, values in product(ids, _combinations(pushed)):
        halves = _halves(query.bbox)
        for half in halves:
            apart = halves[0] if half is not halves[0] else None
            areas = (half, *others) if half else others
            yield Step(spec, key, values, pushed.by_name, pushed.checks, id, areas, apart)


def _combinations(pushed: Pushed) -> list[dict[str, str]]:
    """Return each way to give every parameter one value. Raises `UnsupportedFilter` for too many."""
    if prod(map(len, pushed.values.values())) > MAX_COMBINATIONS:
        names = ", ".join(sorted(map(repr, pushed.by_name.values())))
        raise unsupported(
            f"{names}: the upstream takes one value at a time, "
            f"and this would be more than {MAX_COMBINATIONS} searches."
        )
    return [dict(zip(pushed.values, each, strict=True)) for each in product(*pushed.values.values())]


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
