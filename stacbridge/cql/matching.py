"""Whether an Item matches a CQL2 filter, decided here rather than upstream."""

from collections.abc import Callable
from typing import Any

from stacbridge.cql import conditions, opaque
from stacbridge.cql.conditions import And, Condition, Opaque, Or, Predicate
from stacbridge.cql.evaluate import tester
from stacbridge.model import Json

Match = Callable[[Json], bool]
Special = Callable[[Predicate | Opaque], Match | None]
"""What decides a test in a way of its own, `None` for the others."""
_MEMBERS = ("id", "collection", "geometry")


def condition(filter: Json) -> Match:
    """Return what decides for an Item, prepared once for many. What a missing property leaves unknown is no
    match.

    A property is `id`, `collection`, `geometry`, or one of the Item's `properties`; with dots also a member
    of one that is an object. Raises `UnsupportedFilter` for what is not CQL2.
    """
    return matcher(conditions.parse(filter))


def matcher(condition: Condition, special: Special = lambda test: None) -> Match:
    """Return what decides for an Item whether a condition holds."""
    if isinstance(condition, bool):
        return lambda item: condition
    if isinstance(condition, And | Or):
        parts = [matcher(part, special) for part in condition.parts]
        holds = all if isinstance(condition, And) else any
        return lambda item: holds(part(item) for part in parts)
    own = special(condition)
    if own is not None:
        return own
    return _opaque(condition) if isinstance(condition, Opaque) else _predicate(condition)


def _predicate(test: Predicate) -> Match:
    name, fits = test.name, tester(test)
    return lambda item: fits(value(item, name))


def _opaque(test: Opaque) -> Match:
    names, decide = conditions.names(test), opaque.decider(test.node)
    return lambda item: decide({name: value(item, name) for name in names})


def value(item: Json, name: str) -> Any:
    """Return an Item's value of a property, `None` where it has none."""
    if name in _MEMBERS:
        return item.get(name)
    found = item["properties"]
    if name in found or "." not in name:
        return found.get(name)
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
