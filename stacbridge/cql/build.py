"""CQL2 JSON made by us rather than by a caller."""

import re
from collections.abc import Iterable
from typing import Any

from stacbridge.cql.operators import HELD_LIKE
from stacbridge.model import Json

WILDCARDS = re.compile(r"[\\%_]")


def property(name: str) -> Json:
    """Return the reference to a property."""
    return {"property": name}


def compared(name: str, operator: str, value: Any) -> Json:
    """Return the comparison of a property with a literal."""
    return {"op": operator, "args": [property(name), value]}


def missing(name: str) -> Json:
    """Return the test that a property has no value."""
    return {"op": "isNull", "args": [property(name)]}


def among(name: str, values: list[Any]) -> Json:
    """Return the test that a property is one of some literals."""
    return {"op": "in", "args": [property(name), values]}


def like(name: str, pattern: str) -> Json:
    """Return the test that a property is like a pattern."""
    return {"op": "like", "args": [property(name), pattern]}


def like_in_any_case(name: str, pattern: str) -> Json:
    """Return the test that a property is like a pattern, whatever the case of either."""
    return {"op": "like", "args": [_casei(property(name)), _casei(pattern)]}


def holding_in_any_case(name: str, pattern: str) -> Json:
    """Return the test that a property, which is a list, holds a text like a pattern, whatever their case."""
    return {"op": HELD_LIKE, "args": [_casei(property(name)), _casei(pattern)]}


def negated(condition: Json) -> Json:
    """Return the opposite of a condition."""
    return {"op": "not", "args": [condition]}


def conjunction(conditions: Iterable[Json]) -> Json | None:
    """Join conditions that must all hold; `None` where there are none."""
    return _joined("and", list(conditions))


def disjunction(conditions: Iterable[Json]) -> Json | None:
    """Join conditions of which one must hold; `None` where there are none."""
    return _joined("or", list(conditions))


def escaped(text: str) -> str:
    """Return the LIKE pattern that only this text is like."""
    return WILDCARDS.sub(r"\\\g<0>", text)


def _casei(operand: Any) -> Json:
    return {"op": "casei", "args": [operand]}


def _joined(operator: str, conditions: list[Json]) -> Json | None:
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return {"op": operator, "args": conditions}
