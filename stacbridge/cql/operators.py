"""The operators and functions of CQL2, so that what is none of them is told from what merely is unknown."""

from collections.abc import Iterator
from typing import Any

from stacbridge.errors import UnsupportedFilter
from stacbridge.model import Json

LOGIC = ("and", "or", "not")
COMPARISON = ("=", "<>", "<", "<=", ">", ">=", "between", "in", "like", "isNull", "casei", "accenti")
ARITHMETIC = ("+", "-", "*", "/", "^", "%", "div")
SPATIAL = ("contains", "crosses", "disjoint", "equals", "intersects", "overlaps", "touches", "within")
ARRAYS = ("contains", "containedBy", "equals", "overlaps")
TEMPORAL = (
    *("after", "before", "contains", "disjoint", "during", "equals", "finishedBy", "finishes", "intersects"),
    *("meets", "metBy", "overlappedBy", "overlaps", "startedBy", "starts"),
)
OPERATORS = frozenset(
    name.lower()
    for name in (
        *(*LOGIC, *COMPARISON, *ARITHMETIC),
        *(f"s_{name}" for name in SPATIAL),
        *(f"a_{name}" for name in ARRAYS),
        *(f"t_{name}" for name in TEMPORAL),
    )
)

SCALAR = frozenset({*COMPARISON, *ARITHMETIC} - {"isNull"})
"""Operators whose arguments are no lists and no objects."""
HELD_LIKE = "a_like"
"""One entry of a list is a text like a pattern. CQL2 has no such function: only the bridge asks for it."""

_TWO = ("=", "<>", "<", "<=", ">", ">=", "in", "like", "/", "^", "%", "div")
_ARGUMENTS: dict[str, int | None] = {
    **dict.fromkeys(OPERATORS),
    **dict.fromkeys(("not", "isnull", "casei", "accenti"), 1),
    **{name: 2 for name in OPERATORS if name in _TWO or name[:2] in ("s_", "a_", "t_")},
    "between": 3,
    HELD_LIKE: 2,
}


def check(filter: Json) -> None:
    """Raise `UnsupportedFilter` naming an operator that is not known, or that has too few or too many
    arguments: cql2 would take it for unknown."""
    for node in _nodes(filter):
        if "op" not in node:
            continue
        operator, args = str(node["op"]).lower(), node.get("args")
        if operator not in _ARGUMENTS:
            raise UnsupportedFilter(f"The filter's operator {operator!r} is not known.", parameter="filter")
        wanted = _ARGUMENTS[operator]
        if not isinstance(args, list) or (wanted is not None and len(args) != wanted):
            number = "several" if wanted is None else wanted
            raise UnsupportedFilter(f"Operator {operator!r} takes {number} arguments.", parameter="filter")


def used(node: Any) -> Iterator[str]:
    """Yield the operators of an expression, in lower case."""
    for part in _nodes(node):
        if "op" in part:
            yield str(part["op"]).lower()


def properties(node: Any) -> Iterator[str]:
    """Yield the names of the properties in an expression."""
    for part in _nodes(node):
        if isinstance(part.get("property"), str):
            yield part["property"].removeprefix("properties.")


def _nodes(node: Any) -> Iterator[Json]:
    if isinstance(node, list):
        for part in node:
            yield from _nodes(part)
    elif isinstance(node, dict):
        yield node
        yield from _nodes(node.get("args") or node.get("interval") or ())
