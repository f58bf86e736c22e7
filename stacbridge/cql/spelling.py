"""Shorter forms of CQL2, spelt out in CQL2 JSON: BETWEEN and IN, and comparisons with days and with times
that are finer than those of Items."""

from collections.abc import Callable
from typing import Any

from stacbridge.cql import times
from stacbridge.errors import UnsupportedFilter
from stacbridge.model import Json

FLIPPED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def spelt_out(op: str, args: list[Any]) -> Json | bool | None:
    """Return a condition in longer words, `None` where there are none. Raises `UnsupportedFilter`."""
    if op in _FORMS:
        return _FORMS[op](args)
    if op not in FLIPPED:
        return None
    left, right = args
    if isinstance(left, dict) and {"date", "timestamp"} & left.keys():
        op, left, right = FLIPPED[op], right, left
    if isinstance(right, dict) and "date" in right:
        return _on_day(op, left, right["date"])
    if isinstance(right, dict) and "timestamp" in right:
        return _between_microseconds(op, left, right["timestamp"])
    return None


def _between(args: list[Any]) -> Json:
    return _joined("and", _node(">=", args[0], args[1]), _node("<=", args[0], args[2]))


def _in(args: list[Any]) -> Json:
    if not isinstance(args[1], list):
        raise UnsupportedFilter("IN needs a list.", parameter="filter")
    return _joined("or", *[_node("=", args[0], value) for value in args[1]])


_FORMS: dict[str, Callable[[list[Any]], Json]] = {"between": _between, "in": _in}


def _on_day(op: str, left: Any, text: Any) -> Json:
    """Compare with a date: it is the whole day."""
    first, last = times.day(text)
    after = times.following(last)
    before, since = _node("<", left, _at(first)), _node(">=", left, _at(first))
    until = _node("<", left, _at(after)) if after else _node("<=", left, _at(last))
    later = _node(">=", left, _at(after)) if after else _node(">", left, _at(last))
    return {
        "=": _joined("and", since, until),
        "<>": _joined("or", before, later),
        "<": before,
        "<=": until,
        ">": later,
        ">=": since,
    }[op]


def _between_microseconds(op: str, left: Any, text: Any) -> Json | bool | None:
    """Compare with a time that lies between two microseconds, where no Item's time does."""
    before = times.moment(text)
    if not times.is_finer(text):
        return None
    if op in ("=", "<>"):
        bounds = (_node("<=", left, _at(before)), _node(">", left, _at(before)))
        return _joined("and" if op == "=" else "or", *bounds)
    return _node("<=" if op in ("<", "<=") else ">", left, _at(before))


def _at(moment: str) -> Json:
    return {"timestamp": moment}


def _node(op: str, left: Any, right: Any) -> Json:
    return {"op": op, "args": [left, right]}


def _joined(op: str, *parts: Json) -> Json:
    return {"op": op, "args": list(parts)}
