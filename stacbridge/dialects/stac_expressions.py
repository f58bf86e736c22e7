"""CQL2 JSON as it is sent to a STAC API."""

from typing import Any

from stacbridge.model import Json

Expression = Json | bool
"""CQL2 JSON, or whether all or no items satisfy it."""


def both(expressions: list[Expression]) -> Expression:
    """Join what must all hold."""
    kept = [part for part in expressions if part is not True]
    return False if False in kept else _joint("and", kept) if kept else True


def either(expressions: list[Expression]) -> Expression:
    """Join what must hold once."""
    kept = [part for part in expressions if part is not False]
    return True if True in kept else _joint("or", kept) if kept else False


def node(op: str, name: str, value: Any, *, casei: bool = False) -> Json:
    """Return a test of a property, of its text without regard to case if so asked."""
    if op == "isnull":
        return {"op": "isNull", "args": [{"property": name}]}
    args = [{"property": name}, value]
    return {"op": _SPELLED.get(op, op), "args": [_folded(arg) for arg in args] if casei else args}


def _joint(op: str, parts: list[Any]) -> Json:
    return parts[0] if len(parts) == 1 else {"op": op, "args": parts}


_SPELLED = {"a_containedby": "a_containedBy"}


def _folded(arg: Any) -> Json:
    return {"op": "casei", "args": [arg]}
