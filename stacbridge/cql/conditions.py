"""A CQL2 filter as a small tree that a catalogue can push: tests of one property each, joined by and and or.

Negation is pushed down to the tests, which is exact in CQL2's three-valued logic: a missing property
satisfies neither a test nor its negation. `between`, `in`, dates and the temporal functions become
comparisons.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from stacbridge import scalars
from stacbridge.errors import UnsupportedFilter
from stacbridge.model import Json

INVERSE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
FLIPPED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
ARRAYS = ("a_contains", "a_containedby", "a_overlaps", "a_equals")
_MAX_DEPTH = 500


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition on one property.

    `op` is a comparison, "like", "isnull", "s_intersects" or an array operator; `negated` only occurs with
    the latter four. `value` is a scalar, a LIKE pattern, a GeoJSON geometry or `{"bbox": […]}`, or a list;
    times are RFC 3339 in UTC with six digits, so that they compare as text. With `casei`, case does not
    matter.
    """

    name: str
    op: str
    value: Any = None
    negated: bool = False
    casei: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple["Condition", ...]


Condition = bool | Predicate | And | Or


def conjunction(parts: Iterable[Condition]) -> Condition:
    """Join parts that must all hold; constants are folded."""
    kept: list[Condition] = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept += part.parts if isinstance(part, And) else (part,)
    return True if not kept else kept[0] if len(kept) == 1 else And(tuple(kept))


def disjunction(parts: Iterable[Condition]) -> Condition:
    """Join parts of which one must hold; constants are folded."""
    kept: list[Condition] = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept += part.parts if isinstance(part, Or) else (part,)
    return False if not kept else kept[0] if len(kept) == 1 else Or(tuple(kept))


def parse(filter: Json) -> Condition:
    """Turn CQL2 JSON into a condition. Raises `UnsupportedFilter` naming property and operator."""
    return _parse(filter, False, 0)


def names(condition: Condition) -> set[str]:
    """Return the names of all properties that a condition tests."""
    if isinstance(condition, And | Or):
        return set().union(*map(names, condition.parts))
    return {condition.name} if isinstance(condition, Predicate) else set()


def unsupported(description: str) -> UnsupportedFilter:
    """Make the failure of a filter that cannot be answered exactly."""
    return UnsupportedFilter(description, parameter="filter")


def _parse(node: Any, negated: bool, depth: int) -> Condition:
    if isinstance(node, bool):
        return node != negated
    if not isinstance(node, dict) or "op" not in node or depth > _MAX_DEPTH:
        raise unsupported(f"A filter is made of conditions; {_short(node)} is none.")
    op, args = str(node["op"]).lower(), node.get("args")
    if not isinstance(args, list):
        raise unsupported(f"Operator {op!r} needs `args`.")
    if op == "not" and len(args) == 1:
        return _parse(args[0], not negated, depth + 1)
    if op in ("and", "or"):
        join = conjunction if (op == "and") != negated else disjunction
        return join([_parse(arg, negated, depth + 1) for arg in args])
    return _leaf(op, args, negated)


def _leaf(op: str, args: list[Any], negated: bool) -> Condition:
    if op in INVERSE and len(args) == 2:
        return _compare(op, args, negated)
    if op in _SPECIAL and args:
        name, casei = _property(args[0], op)
        return _SPECIAL[op](replace(Predicate(name, op), casei=casei, negated=negated), args[1:])
    raise unsupported(f"Operator {op!r} cannot be answered with these arguments.")


def _compare(op: str, args: list[Any], negated: bool) -> Condition:
    left, right = args
    if _is_literal(left) and not _is_literal(right):
        left, right, op = right, left, FLIPPED[op]
    name, casei = _property(left, op)
    return comparison(name, INVERSE[op] if negated else op, right, casei)


def comparison(name: str, op: str, literal: Any, casei: bool = False) -> Condition:
    """Return the test of a comparison with a CQL2 literal; a date is the whole day it names."""
    value = _inner(literal)
    if casei != _is_op(literal, "casei") and isinstance(value, str):
        raise unsupported(f"{name!r} {op}: CASEI must be on both sides or none.")
    if isinstance(value, dict) and "date" in value:
        first, after = _day(name, value["date"])
        bounds: dict[str, Condition] = {
            "=": And((Predicate(name, ">=", first), Predicate(name, "<", after))),
            "<>": Or((Predicate(name, "<", first), Predicate(name, ">=", after))),
            "<": Predicate(name, "<", first),
            "<=": Predicate(name, "<", after),
            ">": Predicate(name, ">=", after),
            ">=": Predicate(name, ">=", first),
        }
        return bounds[op]
    return Predicate(name, op, _scalar(name, op, value), casei=casei)


def _between(test: Predicate, args: list[Any]) -> Condition:
    if len(args) != 2:
        raise unsupported(f"{test.name!r} between: needs two bounds.")
    bounds = zip((">=", "<="), args, strict=True)
    if test.negated:
        return disjunction([comparison(test.name, INVERSE[op], bound, test.casei) for op, bound in bounds])
    return conjunction([comparison(test.name, op, bound, test.casei) for op, bound in bounds])


def _in(test: Predicate, args: list[Any]) -> Condition:
    if len(args) != 1 or not isinstance(args[0], list):
        raise unsupported(f"{test.name!r} in: needs a list.")
    op, join = ("<>", conjunction) if test.negated else ("=", disjunction)
    return join([comparison(test.name, op, value, test.casei) for value in args[0]])


def _like(test: Predicate, args: list[Any]) -> Condition:
    literal = args[0] if len(args) == 1 else None
    pattern = _inner(literal)
    if not isinstance(pattern, str) or test.casei != _is_op(literal, "casei"):
        raise unsupported(f"{test.name!r} like: needs a text, and CASEI on both sides or none.")
    return replace(test, value=pattern)


def _is_null(test: Predicate, args: list[Any]) -> Condition:
    return test


def _spatial(test: Predicate, args: list[Any]) -> Condition:
    if len(args) != 1 or not isinstance(args[0], dict) or not {"type", "bbox"} & args[0].keys():
        raise unsupported(f"{test.name!r} {test.op}: needs a geometry.")
    return replace(test, value=args[0])


def _array(test: Predicate, args: list[Any]) -> Condition:
    values = args[0] if len(args) == 1 else None
    if not isinstance(values, list) or not all(isinstance(value, str | int | float) for value in values):
        raise unsupported(f"{test.name!r} {test.op}: needs a list of values.")
    return replace(test, value=values)


def _temporal(test: Predicate, args: list[Any]) -> Condition:
    """Compare an instant (all times of an Item are) with an instant or interval."""
    start, end = _span(test, args)
    if test.op == "t_equals" and start != end:
        raise unsupported(f"{test.name!r} t_equals: an instant never equals an interval; use t_intersects.")
    tests = {
        "t_after": [(">", end)],
        "t_before": [("<", start)],
        "t_equals": [("=", start)],
        "t_intersects": [(">=", start), ("<=", end)],
        "t_disjoint": [(">=", start), ("<=", end)],
        "t_during": [(">", start), ("<", end)],
    }[test.op]
    if all(bound is None for _, bound in tests):
        raise unsupported(f"{test.name!r} {test.op}: the interval has no end that could be compared.")
    negated = test.negated != (test.op == "t_disjoint")
    parts = [
        Predicate(test.name, INVERSE[op] if negated else op, bound)
        for op, bound in tests
        if bound is not None
    ]
    return disjunction(parts) if negated else conjunction(parts)


def _span(test: Predicate, args: list[Any]) -> tuple[str | None, str | None]:
    literal = args[0] if len(args) == 1 else None
    if isinstance(literal, dict) and "interval" in literal and len(literal["interval"]) == 2:
        start, end = literal["interval"]
        return _bound(test.name, start, first=True), _bound(test.name, end, first=False)
    if isinstance(literal, dict) and ("timestamp" in literal or "date" in literal):
        text = literal.get("timestamp", literal.get("date"))
        return _bound(test.name, text, first=True), _bound(test.name, text, first=False)
    raise unsupported(f"{test.name!r} {test.op}: needs a TIMESTAMP, a DATE or an INTERVAL.")


def _bound(name: str, literal: Any, *, first: bool) -> str | None:
    text = literal.get("timestamp", literal.get("date")) if isinstance(literal, dict) else literal
    if text == "..":
        return None
    if isinstance(text, str) and len(text) == 10:
        start, after = _day(name, text)
        return start if first else f"{text}T23:59:59.999999Z" if after else None
    return moment(name, text)


_SPECIAL: dict[str, Callable[[Predicate, list[Any]], Condition]] = {
    "between": _between,
    "in": _in,
    "like": _like,
    "isnull": _is_null,
    "s_intersects": _spatial,
    **dict.fromkeys(ARRAYS, _array),
    **dict.fromkeys(("t_after", "t_before", "t_equals", "t_intersects", "t_disjoint", "t_during"), _temporal),
}


def _is_op(node: Any, op: str) -> bool:
    return isinstance(node, dict) and str(node.get("op")).lower() == op and len(node.get("args") or ()) == 1


def _inner(node: Any) -> Any:
    """Return what CASEI wraps, or the node itself."""
    return node["args"][0] if _is_op(node, "casei") else node


def _is_literal(node: Any) -> bool:
    inner = _inner(node)
    return not isinstance(inner, dict) or bool({"timestamp", "date"} & inner.keys())


def _property(node: Any, op: str) -> tuple[str, bool]:
    casei = _is_op(node, "casei")
    inner = _inner(node)
    if isinstance(inner, dict) and isinstance(inner.get("property"), str):
        return inner["property"].removeprefix("properties."), casei
    raise unsupported(
        f"Operator {op!r} needs a property on one side and a value on the other, not {_short(node)}."
    )


def _scalar(name: str, op: str, value: Any) -> Any:
    if isinstance(value, dict) and "timestamp" in value:
        return moment(name, value["timestamp"])
    if isinstance(value, bool | str | int) or (isinstance(value, float) and abs(value) != float("inf")):
        return value
    raise unsupported(f"{name!r} {op}: cannot be compared with {_short(value)}.")


def moment(name: str, text: Any) -> str:
    """Return a timestamp as RFC 3339 in UTC with six digits; more would not be kept."""
    found = scalars.time(text) if isinstance(text, str) and "T" in text.upper() else None
    if found is None or re.search(r"\.\d{6}\d*[1-9]", text):
        raise unsupported(f"{name!r}: {_short(text)} is not a time of at most microseconds.")
    return found


def _day(name: str, text: Any) -> tuple[str, str]:
    """Return the first moments of a day and of the next one."""
    start = (
        scalars.instant(text) if isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    )
    if start is None or start.year == 9999:
        raise unsupported(f"{name!r}: {_short(text)} is not a date.")
    return scalars.rfc3339(start), scalars.rfc3339(start + timedelta(days=1))


def _short(value: Any) -> str:
    return repr(value)[:80]
