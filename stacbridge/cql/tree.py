"""The tree of a filter's conditions: tests, joined by and and or, and what can be made of them."""

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stacbridge.cql import opaque, operators
from stacbridge.model import Json


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition on one property.

    `op` is a comparison, "like", "isnull", "s_intersects" or an array operator; `negated` only occurs with
    the latter four. `value` is a scalar, a LIKE pattern, a GeoJSON geometry or `{"bbox": […]}`, or a list;
    times are `times.Moment`s. With `casei`, case does not matter.
    """

    name: str
    op: str
    value: Any = None
    negated: bool = False
    casei: bool = False


@dataclass(frozen=True, slots=True)
class Opaque:
    """A condition that is no test of one property, such as one with arithmetic; evaluated on Items, here.

    `text` is its CQL2 text, shortened; `node` its CQL2 JSON.
    """

    text: str
    node: Json = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple["Condition", ...]


Condition = bool | Predicate | Opaque | And | Or


def conjunction(parts: Iterable[Condition]) -> Condition:
    """Join parts that must all hold; constants are folded."""
    kept: list[Condition] = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept += part.parts if isinstance(part, And) else (part,)
    return True if not kept else kept[0] if len(kept) == 1 else And(tuple(kept))


def disjunction(parts: Iterable[Condition]) -> Condition:
    """Join parts of which one must hold; constants are folded."""
    kept: list[Condition] = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept += part.parts if isinstance(part, Or) else (part,)
    return False if not kept else kept[0] if len(kept) == 1 else Or(tuple(kept))


def conjuncts(condition: Condition) -> tuple[Condition, ...]:
    """Return the parts that must all hold."""
    return condition.parts if isinstance(condition, And) else (condition,)


def leaves(condition: Condition) -> Iterator[Predicate | Opaque]:
    """Yield the tests that a condition is made of."""
    if isinstance(condition, And | Or):
        for part in condition.parts:
            yield from leaves(part)
    elif not isinstance(condition, bool):
        yield condition


def names(condition: Condition) -> set[str]:
    """Return the names of all properties that a condition tests."""
    found: set[str] = set()
    for test in leaves(condition):
        found.update(operators.properties(test.node) if isinstance(test, Opaque) else (test.name,))
    return found


def mapped(condition: Condition, change: Callable[[Predicate | Opaque], Condition]) -> Condition:
    """Return a condition with something in the place of each of its tests."""
    if isinstance(condition, And):
        return conjunction(mapped(part, change) for part in condition.parts)
    if isinstance(condition, Or):
        return disjunction(mapped(part, change) for part in condition.parts)
    return condition if isinstance(condition, bool) else change(condition)


def told(test: Predicate | Opaque) -> str:
    """Return what a test is called where it is spoken of, such as `'eo:cloud_cover' not isnull`."""
    if isinstance(test, Opaque):
        return test.text
    return f"{test.name!r} {'not ' if test.negated else ''}{test.op}{' with CASEI' if test.casei else ''}"


def all_told(conditions: Iterable[Condition]) -> tuple[str, ...]:
    """Return what the tests of several conditions are called, each once."""
    return tuple(dict.fromkeys(told(test) for condition in conditions for test in leaves(condition)))


def without(condition: Condition, known: Container[str]) -> Condition:
    """Return what is left of a condition on Items that have no properties but the known ones.

    A test of a property that is not there is unknown, but for its being null. A known object has members of
    any name, which a test names after a dot.
    """

    def left(test: Predicate | Opaque) -> Condition:
        if all(name in known or name.partition(".")[0] in known for name in names(test)):
            return test
        if isinstance(test, Opaque):
            return not opaque.is_strict(test.node) and test
        return test.op == "isnull" and not test.negated

    return mapped(condition, left)
