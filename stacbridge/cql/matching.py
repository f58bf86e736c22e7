"""Whether an Item matches a CQL2 filter, decided here rather than upstream."""

from collections.abc import Callable, Iterator
from typing import Any

import cql2

from stacbridge.errors import UnsupportedFilter
from stacbridge.model import Json

UNDECIDED = "Could not reduce expression to boolean"
"""cql2's words (0.6.0) where a condition is neither true nor false."""

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


def condition(filter: Json) -> Callable[[Json], bool]:
    """Return what decides for an Item. A property that it lacks makes a condition unknown: no match.

    Raises `UnsupportedFilter` naming an operator that is not CQL2's: cql2 would take it for unknown.
    """
    for operator in _operators(filter):
        if operator.lower() not in OPERATORS:
            raise UnsupportedFilter(f"The filter's operator {operator!r} is not known.", parameter="filter")
    expression = cql2.Expr(filter)

    def matches(item: Json) -> bool:
        try:
            return bool(expression.matches(item))
        except Exception as error:  # cql2 raises bare exceptions
            if str(error) == UNDECIDED:
                return False
            raise UnsupportedFilter(
                f"The filter cannot be evaluated: {error}.", parameter="filter"
            ) from error

    return matches


def _operators(expression: Any) -> Iterator[str]:
    if isinstance(expression, list):
        for part in expression:
            yield from _operators(part)
    elif isinstance(expression, dict) and "op" in expression:
        yield expression["op"]
        yield from _operators(expression.get("args", []))
