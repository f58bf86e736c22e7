"""A CQL2 filter as a small tree that a catalogue can push: tests of one property each, joined by and and or.

Negation is pushed down to the tests, which is exact in CQL2's three-valued logic: a missing property
satisfies neither a test nor its negation. So a test may be taken for true, and more is found, never less.
`between`, `in`, dates and the temporal functions become comparisons. What is no test of one property is
`Opaque`: no catalogue is asked for it.
"""

from collections.abc import Callable
from dataclasses import replace
from math import isinf
from typing import Any

from stacbridge.cql import opaque, operators, temporal, times
from stacbridge.cql.spelling import FLIPPED, spelt_out
from stacbridge.cql.tree import (
    And,
    Condition,
    Opaque,
    Or,
    Predicate,
    all_told,
    conjunction,
    conjuncts,
    disjunction,
    leaves,
    mapped,
    names,
    told,
    without,
)
from stacbridge.errors import UnsupportedFilter
from stacbridge.model import Json

__all__ = [
    "ARRAYS",
    "INVERSE",
    "LISTS",
    "And",
    "Condition",
    "Opaque",
    "Or",
    "Predicate",
    "all_told",
    "conjunction",
    "conjuncts",
    "disjunction",
    "leaves",
    "mapped",
    "moment",
    "names",
    "parse",
    "told",
    "unsupported",
    "without",
]

INVERSE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
ARRAYS = ("a_contains", "a_containedby", "a_overlaps", "a_equals")
LISTS = (*ARRAYS, operators.HELD_LIKE)
"""Operators that test lists."""
MEETING = ("s_contains", "s_crosses", "s_equals", "s_overlaps", "s_touches", "s_within")
"""Spatial functions of two geometries that meet."""
_MAX_DEPTH = 500


def parse(filter: Json) -> Condition:
    """Turn CQL2 JSON into a condition.

    Raises `UnsupportedFilter` for what is not CQL2: an unknown operator, the wrong arguments, no time.
    """
    operators.check(filter)
    return _parse(filter, False, 0)


def unsupported(description: str) -> UnsupportedFilter:
    """Make the failure of a filter that is not CQL2."""
    return UnsupportedFilter(description, parameter="filter")


def moment(name: str, text: Any) -> str:
    """Return the time that a text names, of a property; finer than microseconds is refused."""
    found = times.instant(text)
    if found is None or times.is_finer(text):
        raise unsupported(f"{name!r}: {_short(text)} is not a time of at most microseconds.")
    return found


def _parse(node: Any, negated: bool, depth: int) -> Condition:
    if isinstance(node, bool):
        return node != negated
    if (named := _named(node)) is not None:
        return Predicate(named[0], "=", not negated)
    if not isinstance(node, dict) or "op" not in node or depth > _MAX_DEPTH:
        raise unsupported(f"A filter is made of conditions; {_short(node)} is none.")
    op, args = str(node["op"]).lower(), node["args"]
    if op == "not":
        return _parse(args[0], not negated, depth + 1)
    if op in ("and", "or"):
        join = conjunction if (op == "and") != negated else disjunction
        return join([_parse(arg, negated, depth + 1) for arg in args])
    return _test(op, args, negated, depth + 1)


def _test(op: str, args: list[Any], negated: bool, depth: int) -> Condition:
    longer = spelt_out(op, args)
    if longer is not None:
        return _parse(longer, negated, depth)
    if op in temporal.RELATIONS:
        whole, present = temporal.spelt_out(op, args)
        there = [Predicate(name, "isnull", negated=True) for name in sorted(present)]
        return conjunction([_parse(whole, negated, depth), *there])
    return _leaf(op, args, negated)


def _leaf(op: str, args: list[Any], negated: bool) -> Condition:
    flipped = FLIPPED.get(op) or _SWAPPED.get(op)
    if flipped and _named(args[0]) is None and _named(args[1]) is not None:
        op, args = flipped, args[::-1]
    named = _named(args[0]) if args else None
    found = None
    if named is not None and op in INVERSE:
        found = _comparison(named[0], INVERSE[op] if negated else op, args[1], named[1])
    elif named is not None and op in _SPECIAL:
        found = _SPECIAL[op](Predicate(named[0], op, casei=named[1], negated=negated), args[1:])
    if found is None:
        found = _opaque({"op": op, "args": args}, negated)
        if op in MEETING and named is not None and not negated:
            meeting = _spatial(Predicate(named[0], "s_intersects"), args[1:])
            return found if meeting is None else conjunction([meeting, found])
    return found


def _opaque(node: Json, negated: bool) -> Condition:
    whole = {"op": "not", "args": [node]} if negated else node
    decide = opaque.decider(whole)
    if not any(operators.properties(node)):
        return decide({})
    return Opaque(opaque.text(whole), whole)


def _comparison(name: str, op: str, literal: Any, casei: bool) -> Condition | None:
    value = _inner(literal)
    if value is None:  # nothing is equal to null, nor unequal
        return False
    if isinstance(value, str) and casei != _is_op(literal, "casei"):
        return None
    if isinstance(value, dict) and "timestamp" in value:
        return Predicate(name, op, times.moment(value["timestamp"]))
    if isinstance(value, bool | str | int) or (isinstance(value, float) and not isinf(value)):
        return Predicate(name, op, value, casei=casei)
    return None


def _like(test: Predicate, args: list[Any]) -> Condition | None:
    pattern = _inner(args[0])
    if not isinstance(pattern, str):
        raise unsupported(f"{test.name!r} like: needs a text.")
    return replace(test, value=pattern) if test.casei == _is_op(args[0], "casei") else None


def _is_null(test: Predicate, args: list[Any]) -> Condition:
    return replace(test, casei=False)


def _spatial(test: Predicate, args: list[Any]) -> Condition | None:
    if test.casei:
        return None
    known = isinstance(args[0], dict) and {"coordinates", "geometries", "bbox"} & args[0].keys()
    return replace(test, value=args[0]) if known else None


def _disjoint(test: Predicate, args: list[Any]) -> Condition | None:
    return _spatial(replace(test, op="s_intersects", negated=not test.negated), args)


def _array(test: Predicate, args: list[Any]) -> Condition | None:
    values = args[0]
    plain = isinstance(values, list) and all(isinstance(value, str | int | float) for value in values)
    return replace(test, value=values) if plain and not test.casei else None


_SPECIAL: dict[str, Callable[[Predicate, list[Any]], Condition | None]] = {
    "like": _like,
    operators.HELD_LIKE: _like,
    "isnull": _is_null,
    "s_intersects": _spatial,
    "s_disjoint": _disjoint,
    **dict.fromkeys(ARRAYS, _array),
}
_SWAPPED = {
    **{op: op for op in ("s_intersects", "s_disjoint", "a_overlaps", "a_equals")},
    **{op: op for op in ("s_crosses", "s_equals", "s_overlaps", "s_touches")},
    "s_contains": "s_within",
    "s_within": "s_contains",
    "a_contains": "a_containedby",
    "a_containedby": "a_contains",
}
"""Functions whose arguments may change places, and what they are called then."""


def _is_op(node: Any, op: str) -> bool:
    return isinstance(node, dict) and str(node.get("op")).lower() == op and len(node.get("args") or ()) == 1


def _inner(node: Any) -> Any:
    """Return what CASEI wraps, or the node itself."""
    return node["args"][0] if _is_op(node, "casei") else node


def _named(node: Any) -> tuple[str, bool] | None:
    """Return the property that a node is, and whether CASEI wraps it."""
    inner = _inner(node)
    if isinstance(inner, dict) and isinstance(inner.get("property"), str):
        return inner["property"].removeprefix("properties."), _is_op(node, "casei")
    return None


def _short(value: Any) -> str:
    return repr(value)[:80]
