"""CQL2 by the book, on values: three-valued logic, one case per operator, nothing shared with the package.

`truth` is true, false, or `None`: unknown. Times are datetimes, intervals pairs of them; a date is the pair
of its first and last microsecond. Values of different kinds cannot be compared: unknown.
"""

import math
import operator
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shapely import MultiPolygon
from shapely import box as rectangle
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from stacbridge.model import Json

Interval = tuple[datetime, datetime]
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:.*")

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "%": math.fmod,
    "div": lambda one, other: math.trunc(one / other),
}
ARRAYS: dict[str, Callable[[list[Any], list[Any]], bool]] = {
    "a_contains": lambda one, other: all(entry in one for entry in other),
    "a_containedby": lambda one, other: all(entry in other for entry in one),
    "a_overlaps": lambda one, other: any(entry in other for entry in one),
    "a_equals": lambda one, other: all(e in one for e in other) and all(e in other for e in one),
}
TEMPORAL: dict[str, Callable[[Interval, Interval], bool]] = {
    "t_after": lambda a, b: a[0] > b[1],
    "t_before": lambda a, b: a[1] < b[0],
    "t_contains": lambda a, b: a[0] < b[0] and b[1] < a[1],
    "t_disjoint": lambda a, b: a[1] < b[0] or b[1] < a[0],
    "t_during": lambda a, b: b[0] < a[0] and a[1] < b[1],
    "t_equals": lambda a, b: a == b,
    "t_finishedby": lambda a, b: a[0] < b[0] and a[1] == b[1],
    "t_finishes": lambda a, b: b[0] < a[0] and a[1] == b[1],
    "t_intersects": lambda a, b: a[0] <= b[1] and b[0] <= a[1],
    "t_meets": lambda a, b: a[1] == b[0],
    "t_metby": lambda a, b: b[1] == a[0],
    "t_overlappedby": lambda a, b: b[0] < a[0] < b[1] < a[1],
    "t_overlaps": lambda a, b: a[0] < b[0] < a[1] < b[1],
    "t_startedby": lambda a, b: a[0] == b[0] and b[1] < a[1],
    "t_starts": lambda a, b: a[0] == b[0] and a[1] < b[1],
}


def truth(node: Any, item: Json) -> bool | None:
    """Evaluate a condition on an Item."""
    if isinstance(node, bool):
        return node
    if "property" in node:
        found = value(node, item)
        return found if isinstance(found, bool) else None
    op, args = node["op"].lower(), node["args"]
    if op in ("and", "or", "not"):
        return _logic(op, [truth(arg, item) for arg in args])
    if op == "isnull":
        return value(args[0], item) is None
    if op == "between":
        lower = {"op": ">=", "args": [args[0], args[1]]}
        return _logic("and", [truth(lower, item), truth({"op": "<=", "args": [args[0], args[2]]}, item)])
    if op == "in":
        return _logic("or", [truth({"op": "=", "args": [args[0], one]}, item) for one in args[1]])
    return _test(op, [value(arg, item) for arg in args])


def _logic(op: str, parts: list[bool | None]) -> bool | None:
    if op == "not":
        return None if parts[0] is None else not parts[0]
    decisive = op == "or"
    return decisive if decisive in parts else None if None in parts else not decisive


def _test(op: str, args: list[Any]) -> bool | None:
    one, other = args
    if one is None or other is None:
        return None
    if op in COMPARE:
        return _compared(op, one, other)
    if op == "like":
        return _like(other).fullmatch(one) is not None if isinstance(one, str) else None
    if op in ARRAYS:
        return ARRAYS[op](one, other) if isinstance(one, list) and isinstance(other, list) else None
    if op in TEMPORAL:
        spans = _span(one), _span(other)
        return TEMPORAL[op](spans[0], spans[1]) if spans[0] and spans[1] else None
    if isinstance(one, BaseGeometry) and isinstance(other, BaseGeometry):
        return bool(getattr(one, op.removeprefix("s_"))(other))
    return None


def _compared(op: str, one: Any, other: Any) -> bool | None:
    if isinstance(one, tuple) or isinstance(other, tuple):
        return _with_day(op, one, other)
    if _kind(one) is None or _kind(one) != _kind(other):
        return None
    return COMPARE[op](one, other)


def _with_day(op: str, one: Any, day: Any) -> bool | None:
    if not isinstance(one, datetime) or not isinstance(day, tuple):
        return None
    inside = day[0] <= one <= day[1]
    answers: dict[str, bool] = {
        "=": inside,
        "<>": not inside,
        "<": one < day[0],
        "<=": one <= day[1],
        ">": one > day[1],
        ">=": one >= day[0],
    }
    return answers[op]


def _kind(found: Any) -> str | None:
    kinds = {bool: "truth", int: "number", float: "number", datetime: "time"}
    return kinds.get(type(found), "text" if isinstance(found, str) else None)


def _span(found: Any) -> Interval | None:
    if isinstance(found, datetime):
        return found, found
    return found if isinstance(found, tuple) and None not in found else None


def value(node: Any, item: Json) -> Any:
    """Return what an expression comes to; `None` for nothing."""
    if isinstance(node, list):
        return [value(part, item) for part in node]
    if not isinstance(node, dict):
        return node
    if "property" in node:
        return _read(node["property"], item)
    if "timestamp" in node:
        return datetime.fromisoformat(node["timestamp"])
    if "date" in node:
        return _edge(node["date"], first=True), _edge(node["date"], first=False)
    if "interval" in node:
        start, end = node["interval"]
        return _end(start, item, first=True), _end(end, item, first=False)
    return _computed(node, item) if "op" in node else _geometry(node)


def _read(name: str, item: Json) -> Any:
    name = name.removeprefix("properties.")
    found = item[name] if name in ("id", "collection", "geometry") else item["properties"].get(name)
    if isinstance(found, dict):
        return _geometry(found) if "coordinates" in found else found
    return datetime.fromisoformat(found) if isinstance(found, str) and TIME.fullmatch(found) else found


def _end(node: Any, item: Json, *, first: bool) -> Any:
    if isinstance(node, str):
        return (FIRST if first else LAST) if node == ".." else _edge(node, first=first)
    found = value(node, item)
    if isinstance(found, tuple):
        return found[0 if first else 1]
    return found if isinstance(found, datetime) else None


def _edge(text: str, *, first: bool) -> datetime:
    """Read a time, or the first or last microsecond of a date."""
    if len(text) > 10:
        return datetime.fromisoformat(text)
    return datetime.fromisoformat(f"{text}T00:00:00Z" if first else f"{text}T23:59:59.999999Z")


def _computed(node: Json, item: Json) -> Any:
    op, args = node["op"].lower(), [value(arg, item) for arg in node["args"]]
    if op in ("casei", "accenti"):
        if not isinstance(args[0], str):
            return None
        plain = "".join(c for c in unicodedata.normalize("NFD", args[0]) if not unicodedata.combining(c))
        return args[0].casefold() if op == "casei" else plain
    if any(_kind(arg) != "number" for arg in args):
        return None
    return ARITHMETIC[op](*args)


def _geometry(node: Json) -> BaseGeometry:
    if "bbox" not in node:
        return shape(node)
    west, south, east, north = node["bbox"]
    spans = [(west, east)] if west <= east else [(west, 180), (-180, east)]
    return MultiPolygon([rectangle(left, south, right, north) for left, right in spans])


def _like(pattern: str) -> re.Pattern[str]:
    wild = {"%": ".*", "_": "."}
    tokens = re.findall(r"\\.|.", pattern, re.DOTALL)
    return re.compile("".join(wild.get(token) or re.escape(token[-1]) for token in tokens), re.DOTALL)
