"""Whether a Collection matches a CQL2 filter: its members, summaries and extent are its properties.

Where a Collection states several values (platforms, boxes) or a range (of times, of resolutions), a condition
holds that one of them satisfies. A condition on a property that it does not state is unknown, as for Items:
neither it nor its negation is a match.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

from stacbridge import geometry, scalars
from stacbridge.cql import build
from stacbridge.cql.matching import condition as item_condition
from stacbridge.errors import BadRequest, SearchTooWide
from stacbridge.model import Json

Judge = Callable[[Json], bool | None]
"""Tells of a Collection whether a condition holds; `None`: that is unknown."""

FIRST, LAST = "0001-01-01T00:00:00.000000Z", "9999-12-30T00:00:00.000000Z"
"""What an open end of time counts as: the last full day that cql2 (0.6.0) reads."""


def condition(filter: Json, most: int) -> Callable[[Json], bool]:
    """Return what decides for a Collection, trying each condition on `most` combinations of values at most.

    Raises `UnsupportedFilter` naming an unknown operator; deciding raises `SearchTooWide`.
    """
    judge = _judge(filter, most)
    return lambda stac: judge(stac) is True


def values(stac: Json, name: str, literals: list[Any] | None = None) -> list[Any]:
    """Return what a Collection has as a property: one value or more, `[None]` where it states nothing.

    Of a range these are its ends and, between them, what it is compared with (`literals`).
    """
    stated = _stated(stac, name)
    if isinstance(stated, dict) and {"minimum", "maximum"} <= stated.keys():
        return _within(stated["minimum"], stated["maximum"], literals or [])
    if not isinstance(stated, list):
        stated = [stated]
    known = [value for value in stated if isinstance(value, str | int | float) or name == "geometry"]
    return known or [None]


def names(stac: Json) -> list[str]:
    """Return the names of all properties that a Collection states."""
    candidates = dict.fromkeys([*stac, *FACTS, *stac.get("summaries", {})])
    return [name for name in candidates if values(stac, name) != [None]]


def places(stac: Json) -> list[Json]:
    """Return the boxes of a Collection as GeoJSON geometries; none where one of them cannot be read."""
    try:
        return [geometry.box(geometry.parse_bbox(box)) for box in stac["extent"]["spatial"]["bbox"]]
    except BadRequest:  # which is not the caller's doing
        return []


def _judge(node: Any, most: int) -> Judge:
    operator = str(node.get("op")).lower() if isinstance(node, dict) else None
    if operator == "not":
        inner = _judge(node["args"][0], most)
        return lambda stac: None if (told := inner(stac)) is None else not told
    if operator in ("and", "or"):
        parts, decisive = [_judge(arg, most) for arg in node["args"]], operator == "or"
        return lambda stac: _joined([part(stac) for part in parts], decisive)
    return _leaf(node, most)


def _joined(told: list[bool | None], decisive: bool) -> bool | None:
    """Join in three-valued logic: `decisive` (True of or, False of and) wins, then unknown."""
    return decisive if decisive in told else None if None in told else not decisive


def _leaf(node: Any, most: int) -> Judge:
    if isinstance(node, bool):
        return lambda stac: node
    tested, literals = sorted(set(_properties(node))), list(_literals(node))
    holds, fails = item_condition(node), item_condition(build.negated(node))
    whole = isinstance(node, dict) and str(node.get("op")).lower().startswith("a_")

    def judge(stac: Json) -> bool | None:
        stated = [[_stated(stac, name)] if whole else values(stac, name, literals) for name in tested]
        if prod(map(len, stated)) > most:
            raise SearchTooWide(
                f"{' and '.join(tested)} have more than {most} combinations of values in {stac['id']!r}.",
                parameter="filter",
                advice="Compare them one by one, or have the setting `max_combinations` raised.",
            )
        items = [_item(dict(zip(tested, each, strict=True))) for each in product(*stated)]
        if any(holds(item) for item in items):
            return True
        return False if any(fails(item) for item in items) else None

    return judge


def _properties(node: Any) -> Iterator[str]:
    if isinstance(node, dict) and isinstance(node.get("property"), str):
        yield node["property"].removeprefix("properties.")
    for arg in _args(node):
        yield from _properties(arg)


def _literals(node: Any) -> Iterator[Any]:
    """Yield the values in a condition; times as they are written everywhere here."""
    if isinstance(node, str | int | float):
        yield (scalars.time(node) if isinstance(node, str) else None) or node
    for arg in _args(node):
        yield from _literals(arg)


def _args(node: Any) -> list[Any]:
    if isinstance(node, list):
        return node
    if not isinstance(node, dict):
        return []
    found = node.get("args", node.get("interval", node.get("timestamp", node.get("date", []))))
    return found if isinstance(found, list) else [found]


def _within(low: Any, high: Any, literals: list[Any]) -> list[Any]:
    kind = str if isinstance(low, str) else (int, float)
    between = [each for each in literals if isinstance(each, kind) and low < each < high]
    return [low, *between, high]


def _item(stated: Json) -> Json:
    """Return values as an Item has them, since that is what filters are matched against."""
    top = {name: stated.pop(name) for name in ("id", "geometry") if stated.get(name) is not None}
    return {**top, "properties": {name: value for name, value in stated.items() if value is not None}}


def _stated(stac: Json, name: str) -> Any:
    if name in FACTS:
        return FACTS[name](stac)
    return stac[name] if name in stac else stac.get("summaries", {}).get(name)


def _times(stac: Json) -> tuple[str | None, str | None]:
    start, end = stac["extent"]["temporal"]["interval"][0]
    return start and scalars.time(start), end and scalars.time(end)


def _span(stac: Json) -> Json:
    start, end = _times(stac)
    return {"minimum": start or FIRST, "maximum": end or LAST}


FACTS: dict[str, Callable[[Json], Any]] = {
    "geometry": places,
    "datetime": _span,
    "start_datetime": lambda stac: _times(stac)[0],
    "end_datetime": lambda stac: _times(stac)[1],
    "organisationName": lambda stac: [entry.get("name") for entry in stac.get("providers", ())],
}
"""Properties that a Collection states in another form."""
