"""Conditions that are no test of one property, decided on a few values of an Item: by the cql2 library,
spatial functions by GEOS (`spatial`).

The library sees nothing of an Item but the values of the properties that the condition names, under names of
our own, times in one form: whole Items are slow to hand over, and some of their values no CQL2 literals.
"""

from collections.abc import Callable
from typing import Any

import cql2

from stacbridge import geometry
from stacbridge.cql import operators, spatial, times
from stacbridge.errors import UnsupportedFilter
from stacbridge.model import Json

UNDECIDED = "Could not reduce expression to boolean"
"""cql2's words (0.6.0) where a condition is neither true nor false."""
_LOOSE = {"and", "or", "isnull"}
"""Operators that may be known although an argument is not."""
_SHOWN = 100

Values = dict[str, Any]


def decider(node: Json) -> Callable[[Values], bool]:
    """Return what decides a condition by the values of its properties. A missing one makes it unknown: false.

    Raises `UnsupportedFilter` for arguments that an operator does not take.
    """
    spatially = spatial.decider(node)
    if spatially is not None:
        return spatially
    names = sorted(set(operators.properties(node)))
    slots = {name: f"{number}" for number, name in enumerate(names)}
    try:
        expression = cql2.Expr(_renamed(node, slots))
    except Exception as error:  # cql2 raises bare exceptions
        raise _refused(node, error) from error

    def decide(values: Values) -> bool:
        given = _given({slots[name]: literal(values.get(name)) for name in names})
        try:
            return bool(expression.matches({"properties": given}))
        except Exception as error:  # cql2 raises bare exceptions
            if str(error) == UNDECIDED:
                return False
            raise _refused(node, error) from error

    decide({})
    return decide


def is_strict(node: Json) -> bool:
    """Tell whether a condition is unknown as soon as one of its properties is missing."""
    return _LOOSE.isdisjoint(operators.used(node))


def text(node: Json) -> str:
    """Return a condition as CQL2 text, or as JSON where text has no words for it; shortened."""
    try:
        whole = str(cql2.Expr(node).to_text())
    except Exception:  # cql2 raises bare exceptions
        whole = str(node)
    return whole if len(whole) <= _SHOWN else f"{whole[:_SHOWN]}…"


def literal(value: Any) -> Any:
    """Return an Item's value as one of CQL2, times in UTC with six digits; `None` for what CQL2 has none."""
    if isinstance(value, str):
        return times.instant(value) or value
    if isinstance(value, dict):
        return value if value.get("type") in geometry.DEPTHS and "coordinates" in value else None
    if isinstance(value, list) and not all(isinstance(entry, str | int | float) for entry in value):
        return None
    return value


def _given(values: Values) -> Values:
    """Return what is known, by slot, as any value and again as a scalar where it is one: cql2 compares lists,
    which in CQL2 have no order and no equals."""
    known = {slot: value for slot, value in values.items() if value is not None}
    scalars = {f"s{slot}": value for slot, value in known.items() if not isinstance(value, list | dict)}
    return {f"p{slot}": value for slot, value in known.items()} | scalars


def _renamed(node: Any, slots: dict[str, str], kind: str = "p") -> Any:
    """Name properties by their slots, and give boxes as geometries: cql2 knows none across the
    antimeridian."""
    if isinstance(node, list):
        return [_renamed(part, slots, kind) for part in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("property"), str):
        return {"property": kind + slots[node["property"].removeprefix("properties.")]}
    if "bbox" in node:
        return geometry.box(geometry.parse_bbox(node["bbox"], "filter"))
    if "timestamp" in node:
        return {"timestamp": times.moment(node["timestamp"])}
    kind = "s" if str(node.get("op")).lower() in operators.SCALAR else "p"
    within = ("args", "interval")
    return {key: _renamed(part, slots, kind) if key in within else part for key, part in node.items()}


def _refused(node: Json, error: Exception) -> UnsupportedFilter:
    reason = " ".join(str(error).split())[:200]
    return UnsupportedFilter(f"The filter cannot be evaluated: {text(node)}: {reason}", parameter="filter")
