"""What a dialect makes of a condition, found by asking it: which operators it takes of a property."""

from collections.abc import Callable, Iterable
from typing import Any

from stacbridge.errors import UnsupportedFilter
from stacbridge.mapping.rows import Row
from stacbridge.model import Json

TIME = "2024-05-01T00:00:00Z"
TEXTS = ("A", "X", "Z", "ASCENDING", "DESCENDING", "MGRS-31UFS")
"""Texts of which each converter reads or writes one."""
OPERATORS = {
    **{op: f"`{op}`" for op in ("=", "<>", "<", "<=", ">", ">=")},
    "between": "`BETWEEN`",
    "in": "`IN`",
    "like": "`LIKE`",
    "casei": "`CASEI(…) =`",
    "isNull": "`IS NULL`",
    "a_contains": "`A_CONTAINS`",
    "a_containedBy": "`A_CONTAINEDBY`",
    "a_overlaps": "`A_OVERLAPS`",
    "a_equals": "`A_EQUALS`",
}

Takes = Callable[[Json], bool]
"""Tells whether a dialect takes a filter; it may refuse one with `UnsupportedFilter`."""


def samples(row: Row) -> list[Any]:
    """Return values of a property as CQL2 writes them: all of a closed set, else some of its type."""
    if row.values:
        read = [row.read(*value) if isinstance(value, tuple) else row.read(value) for value in row.values]
        return [value for value in read if value is not None]
    return typed(row.schema)


def typed(schema: Json) -> list[Any]:
    """Return values of a schema's type, as CQL2 writes them."""
    if schema.get("format") == "date-time":
        return [{"timestamp": TIME}]
    known = {"array": ["VV"], "boolean": True, "integer": 1, "number": 1.5}
    kind = schema.get("type", "string")
    return [known[kind]] if kind in known else list(TEXTS)


def operators(name: str, values: Iterable[Any], takes: Takes) -> str:
    """Say in words which operators are taken of a property, for any of these values."""
    values = list(values)
    taken = {op for op in OPERATORS for value in values if _taken(takes, _filter(op, name, value))}
    return " ".join(word for op, word in OPERATORS.items() if op in taken)


def _taken(takes: Takes, filter: Json | None) -> bool:
    try:
        return filter is not None and takes(filter)
    except UnsupportedFilter:
        return False


def _filter(op: str, name: str, value: Any) -> Json | None:
    """Return a test of a property in CQL2 JSON; none where the operator is not for values of this kind."""
    if op.startswith("a_") != isinstance(value, list) and op != "isNull":
        return None
    if op == "casei":
        folded: list[Json] = [{"op": op, "args": [part]} for part in ({"property": name}, value)]
        return {"op": "=", "args": folded} if isinstance(value, str) else None
    args = {"between": [value, value], "in": [[value, _other(value)]], "isNull": []}.get(op, [value])
    return {"op": op, "args": [{"property": name}, *args]}


def _other(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, dict):
        return {"timestamp": TIME.replace("2024", "2023")}
    if isinstance(value, bool):
        return not value
    return value + (value if isinstance(value, str | list) else 1)
