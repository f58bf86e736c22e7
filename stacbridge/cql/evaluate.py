"""Whether known values satisfy tests: those of Items, constants of a collection, closed sets of upstream
values.

A value of another kind than that of the test satisfies neither it nor its negation. Texts that are times are
compared as times with times, however they are written.
"""

import re
from collections.abc import Callable
from typing import Any

import orjson
import shapely
from shapely.errors import GEOSException
from shapely.geometry import shape

from stacbridge import geometry
from stacbridge.cql import times
from stacbridge.cql.conditions import ARRAYS, Predicate
from stacbridge.cql.operators import HELD_LIKE
from stacbridge.cql.times import Moment

LIKE_TOKEN = re.compile(r"\\.|.", re.DOTALL)
"""A character of a LIKE pattern, or one that a backslash takes as it is."""

Test = Callable[[Any], bool]
Compare = Callable[[Any, Any], bool]

_COMPARE: dict[str, Compare] = {
    "=": lambda value, wanted: value == wanted,
    "<>": lambda value, wanted: value != wanted,
    "<": lambda value, wanted: value < wanted,
    "<=": lambda value, wanted: value <= wanted,
    ">": lambda value, wanted: value > wanted,
    ">=": lambda value, wanted: value >= wanted,
}
_ARRAYS: dict[str, Callable[[set[Any], set[Any]], bool]] = {
    "a_contains": set.issuperset,
    "a_containedby": set.issubset,
    "a_overlaps": lambda value, wanted: not value.isdisjoint(wanted),
    "a_equals": set.__eq__,
}


def holds(test: Predicate, value: Any) -> bool:
    """Tell whether a property of this value satisfies a test; `None` (missing) satisfies only `isnull`."""
    return tester(test)(value)


def tester(test: Predicate) -> Test:
    """Return what tells whether values satisfy a test, prepared once for many."""
    if test.op == "isnull":
        return lambda value: (value is None) != test.negated
    if test.op == "like":
        return _like(test)
    if test.op == HELD_LIKE:
        return _held_like(test)
    if test.op == "s_intersects":
        return _intersects(test)
    return _array(test) if test.op in ARRAYS else _comparison(test)


def _comparison(test: Predicate) -> Test:
    compare, wanted = _COMPARE[test.op], test.value
    if isinstance(wanted, bool):
        return lambda value: isinstance(value, bool) and compare(value, wanted)
    if isinstance(wanted, int | float):
        return lambda value: type(value) in (int, float) and compare(value, wanted)
    if isinstance(wanted, Moment):
        return lambda value: (at := times.date_or_instant(value)) is not None and compare(at, wanted)
    if test.casei:
        folded = wanted.casefold()
        return lambda value: isinstance(value, str) and compare(value.casefold(), folded)
    return _text(compare, wanted)


def _text(compare: Compare, wanted: str) -> Test:
    moment = times.instant(wanted)

    def compared(value: Any) -> bool:
        at = moment and times.instant(value)
        return compare(at, moment) if at else isinstance(value, str) and compare(value, wanted)

    return compared


def _like(test: Predicate) -> Test:
    matches = _matching(test)
    return lambda value: isinstance(value, str) and matches(value) != test.negated


def _held_like(test: Predicate) -> Test:
    matches = _matching(test)

    def holds(value: Any) -> bool:
        if not isinstance(value, list):
            return False
        return any(isinstance(entry, str) and matches(entry) for entry in value) != test.negated

    return holds


def _matching(test: Predicate) -> Callable[[str], bool]:
    """Return what tells whether a text is like a test's pattern."""
    matches = re.compile(like(test.value.casefold() if test.casei else test.value), re.DOTALL).fullmatch
    return lambda text: matches(text.casefold() if test.casei else text) is not None


def _array(test: Predicate) -> Test:
    relation, wanted = _ARRAYS[test.op], set(map(_entry, test.value))
    return lambda value: isinstance(value, list) and relation(set(map(_entry, value)), wanted) != test.negated


def _entry(value: Any) -> Any:
    """Return what equals only its like: true is no 1, objects are the same as their equals."""
    if isinstance(value, bool | list | dict) or value is None:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return value


def _intersects(test: Predicate) -> Test:
    area = shape(
        geometry.box(geometry.parse_bbox(test.value["bbox"], "filter"))
        if "bbox" in test.value
        else test.value
    )
    shapely.prepare(area)

    def intersects(value: Any) -> bool:
        try:
            return isinstance(value, dict) and bool(area.intersects(shape(value))) != test.negated
        except (GEOSException, ValueError, KeyError, TypeError, AttributeError):
            return False  # what cannot be read as a geometry is unknown

    return intersects


def like(pattern: str) -> str:
    """Return the regular expression of a LIKE pattern: `%` any text, `_` one character, `\\` takes what
    follows as it is.

    Each `%` but the last stops for good where what follows it is first found, so that no pattern takes long.
    """
    parts: list[list[str]] = [[]]
    for token in LIKE_TOKEN.findall(pattern):
        if token == "%":
            parts.append([])
        else:
            parts[-1].append("." if token == "_" else re.escape(token[-1]))
    first, *further = ["".join(part) for part in parts]
    if not further:
        return first
    *inner, last = further
    return "".join([first, *[f"(?>.*?{part})" for part in inner if part], ".*", last])
