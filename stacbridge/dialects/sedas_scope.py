"""What a query asks of SeDAS, whichever part of the time: what is sent to narrow the search, and what is
checked here.

SeDAS ignores filters that it does not know, and how it applies those that it does is not published. So all
that is sent only narrows: areas are convex hulls, percentages are rounded outwards, and what could be meant
otherwise than CQL2 means it is not sent. Every record is then checked here against times, places, ids and
collections; against the filter, as far as its collection does not decide that, by whoever asked.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil, floor

import shapely
from shapely.geometry import mapping as geojson
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from stacbridge import geometry, scalars
from stacbridge.cql import conditions, times
from stacbridge.cql.conditions import Condition, Opaque, Predicate
from stacbridge.cql.evaluate import holds
from stacbridge.dialects.sedas_matches import Keep, keeping
from stacbridge.dialects.sedas_products import satellites
from stacbridge.mapping.families import Collection
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Bbox, Json, Query

WORLD: Bbox = (-180.0, -90.0, 180.0, 90.0)
MAX_AREAS = 2
"""Parts of a geometry that are asked for one by one (a box has two across the antimeridian); of more, all in
one hull."""
MAX_GROUPS = 3
"""Source groups that are asked for one by one; of more, all are."""
DURATION = 1800
"""Seconds that an acquisition lasts at most, where the catalogue does not say."""
BY_TIME = ("datetime", "start_datetime")
"""Properties that are the start of an acquisition."""
PAD = 0.0001
"""Degrees around a point or line, to make an area of it."""

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ask:
    """What one request of a search says besides time and area."""

    sensor: str = "All"
    group: str | None = None
    satellite: str | None = None
    filters: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """The requests that together find everything, the areas of each, and what keeps of records those that
    match; `since` and `until` are between which times these start; `checked` as in a `Page`. `each` finds
    everything, too, by one request for each source group."""

    asks: tuple[Ask, ...]
    each: tuple[Ask, ...]
    areas: tuple[BaseGeometry, ...]
    keep: Keep
    since: datetime | None
    until: datetime | None
    checked: tuple[str, ...] = ()


def scope(query: Query, mapping: Mapping) -> Scope:
    """Return the scope of a query. Raises `UnsupportedFilter`."""
    condition = conditions.parse(query.filter) if query.filter else True
    chosen = [mapping.specs[name] for name in query.collections or mapping.specs if name in mapping.specs]
    left = {spec.id: _left(condition, spec, mapping.names(spec.id)) for spec in chosen}
    fitting = [spec for spec in chosen if left[spec.id] is not False]
    tests = [test for test in conditions.conjuncts(condition) if isinstance(test, Predicate)]
    return Scope(
        tuple(_asks(fitting, tests, list(mapping.specs.values()))),
        tuple(_each(fitting, tests)),
        tuple(_areas(query.intersects or geometry.box(query.bbox or _box(tests)))),
        keeping(query, mapping, {spec.id for spec in fitting}),
        *_starts(query, tests, mapping.limits.get("duration", DURATION)),
        tuple(
            dict.fromkeys(conditions.told(test) for part in left.values() for test in conditions.leaves(part))
        ),
    )


def sensor(spec: Collection) -> str:
    """Return SeDAS's word for the kind of a collection's sensor: all but those of radars are optical."""
    return "SAR" if any(name.startswith("sar:") for name in (*spec.rows, *spec.constants)) else "Optical"


def _left(condition: Condition, spec: Collection, names: Container[str]) -> Condition:
    """Return what of a condition remains to be tested on the products of a collection."""

    def left(test: Predicate | Opaque) -> Condition:
        if isinstance(test, Opaque):
            return test
        if test.name == "collection":
            return holds(test, spec.id)
        if test.name in spec.constants:
            return holds(test, spec.constants[test.name])
        row = spec.rows.get(test.name)
        if row is None or row.values is None or test.op == "isnull":
            return test
        return any(holds(test, row.read(value)) for value in row.values) and test

    return conditions.mapped(conditions.without(condition, names), left)


def _asks(fitting: list[Collection], tests: list[Predicate], everything: list[Collection]) -> Iterator[Ask]:
    """Yield one request for each source group, or one for all where many or all of a kind are wanted."""
    kinds = {sensor(spec) for spec in fitting}
    whole = len(fitting) == sum(sensor(spec) in kinds for spec in everything)
    if len(fitting) > (1 if whole else MAX_GROUPS):
        kind = kinds.pop() if len(kinds) == 1 else "All"
        yield Ask(kind, filters=_filters(tests, kind))
        return
    yield from _each(fitting, tests)


def _each(fitting: list[Collection], tests: list[Predicate]) -> Iterator[Ask]:
    for spec in fitting:
        kind = sensor(spec)
        yield Ask(kind, spec.family, _satellite(tests, spec), _filters(tests, kind))


def _satellite(tests: Iterable[Predicate], spec: Collection) -> str | None:
    """Return the one satellite that the tests leave over."""
    about = [test for test in tests if test.name == "platform" and test.op != "isnull"]
    row = spec.rows.get("platform")
    if not about or row is None:
        return None
    left = [name for name in satellites(spec) if all(holds(test, row.read(name)) for test in about)]
    return left[0] if len(left) == 1 else None


def _filters(tests: list[Predicate], kind: str) -> Json:
    return _clouds(tests) if kind == "Optical" else _radar(tests) if kind == "SAR" else {}


def _clouds(tests: list[Predicate]) -> Json:
    found: Json = {}
    for test in tests:
        if test.name != "eo:cloud_cover" or type(test.value) not in (int, float):
            continue
        if test.op in ("<", "<=", "="):
            found["maxCloudPercent"] = min(ceil(test.value), found.get("maxCloudPercent", 100))
        if test.op in (">", ">=", "="):
            found["minCloudPercent"] = max(floor(test.value), found.get("minCloudPercent", 0))
    return found


def _radar(tests: list[Predicate]) -> Json:
    """Return the filters of radar products; of polarisations only a single one, whose form is certain."""
    found: Json = {}
    for test in tests:
        if (test.name, test.op) == ("product:type", "=") and not test.casei:
            found["sarProductType"] = test.value
        alone = test.op == "a_equals" and not test.negated and len(test.value) == 1
        if test.name == "sar:polarizations" and alone and not test.casei:
            found["polarisation"] = test.value[0]
    return found


def _starts(query: Query, tests: list[Predicate], duration: int) -> tuple[datetime | None, datetime | None]:
    """Return between which times products start that can match: those that meet an interval last no longer
    than `duration` seconds."""
    since, until = (query.interval.start, query.interval.end) if query.interval else (None, None)
    earliest = [] if since is None else [since - min(timedelta(seconds=duration), since - _BEGINNING)]
    latest = [] if until is None else [until]
    for test in tests:
        bound = scalars.instant(times.instant(test.value)) if test.name in BY_TIME else None
        if bound is not None and test.op in (">", ">=", "="):
            earliest.append(bound)
        if bound is not None and test.op in ("<", "<=", "="):
            latest.append(bound)
    return max(earliest, default=None), min(latest, default=None)


def _box(tests: list[Predicate]) -> Bbox:
    """Return the box of a geometry that every product must meet by the filter, or the world."""
    for test in tests:
        if (test.name, test.op) == ("geometry", "s_intersects") and not test.negated:
            if "bbox" in test.value:
                return geometry.parse_bbox(test.value["bbox"], "filter")
            west, south, east, north = shape(test.value).bounds
            return west, south, east, north
    return WORLD


def _areas(place: Json) -> Iterator[BaseGeometry]:
    """Yield convex areas that together cover a place; SeDAS takes plain polygons only."""
    parts = [part for part in _parts(shape(place)) if not part.is_empty]
    if len(parts) > MAX_AREAS:
        parts = [shapely.geometrycollections(parts)]
    for part in parts:
        hull = part.convex_hull
        yield hull if hull.geom_type == "Polygon" else _padded(hull)


def _parts(found: BaseGeometry) -> list[BaseGeometry]:
    parts = shapely.get_parts(found).tolist()
    return [piece for part in parts for piece in shapely.get_parts(part).tolist()]


def _padded(flat: BaseGeometry) -> BaseGeometry:
    west, south, east, north = flat.bounds
    return shapely.box(
        max(west - PAD, -180), max(south - PAD, -90), min(east + PAD, 180), min(north + PAD, 90)
    )


def wkt(area: BaseGeometry) -> str:
    """Return an area as the WKT that SeDAS takes: longitude latitude, at full precision."""
    ring = [list(position) for position in geojson(area)["coordinates"][0]]
    return geometry.wkts({"type": "Polygon", "coordinates": [ring]})[0]
