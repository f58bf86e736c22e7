"""Whether a known value satisfies a test: for constants of a collection and closed sets of upstream
values."""

import re
from collections.abc import Callable
from typing import Any

from stacbridge.cql.conditions import ARRAYS, Predicate, unsupported

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "<>": lambda value, wanted: value != wanted,
    "<": lambda value, wanted: value < wanted,
    "<=": lambda value, wanted: value <= wanted,
    ">": lambda value, wanted: value > wanted,
    ">=": lambda value, wanted: value >= wanted,
    "like": lambda value, pattern: re.fullmatch(like(pattern), value, re.DOTALL) is not None,
}
_ARRAYS: dict[str, Callable[[set[Any], set[Any]], bool]] = {
    "a_contains": set.issuperset,
    "a_containedby": set.issubset,
    "a_overlaps": lambda value, wanted: not value.isdisjoint(wanted),
    "a_equals": set.__eq__,
}


def holds(test: Predicate, value: Any) -> bool:
    """Tell whether a property of this value satisfies a test; `None` (missing) satisfies only `isnull`.

    Raises `UnsupportedFilter` where value and test are of different kinds.
    """
    if test.op == "isnull":
        return (value is None) != test.negated
    if value is None:
        return False
    wanted = test.value
    if (test.op in ARRAYS) != isinstance(value, list) or not _comparable(value, wanted, test.op):
        raise unsupported(f"{test.name!r} {test.op}: its values are like {value!r}, not like {wanted!r}.")
    if test.casei:
        value, wanted = _folded(value), _folded(wanted)
    if isinstance(value, list):
        return _ARRAYS[test.op](set(value), set(wanted)) != test.negated
    return _COMPARE[test.op](value, wanted) != test.negated


def _comparable(value: Any, wanted: Any, op: str) -> bool:
    if op in ARRAYS:
        return True
    if op == "like":
        return isinstance(value, str)
    if op not in _COMPARE:
        return False
    if isinstance(value, bool) or isinstance(wanted, bool):
        return isinstance(value, bool) and isinstance(wanted, bool)
    return isinstance(value, str) == isinstance(wanted, str)


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(entry) for entry in value]
    return value.casefold() if isinstance(value, str) else value


def like(pattern: str) -> str:
    """Return the regular expression of a LIKE pattern: `%` any text, `_` one character, `\\` takes either as
    it is."""
    wild = {"%": ".*", "_": "."}
    tokens = re.findall(r"\\[%_\\]|.", pattern, re.DOTALL)
    return "".join(wild.get(token) or re.escape(token[-1]) for token in tokens)
