"""Conditions as values of a template's parameters, exactly or not at all.

A service takes one value per parameter and joins them by "and": a number, a date, a set or interval of them
(see `grammar`), or a text.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from stacbridge import geometry
from stacbridge.cql.conditions import And, Condition, Or, Predicate, moment, unsupported
from stacbridge.cql.evaluate import holds
from stacbridge.dialects.opensearch import grammar
from stacbridge.dialects.opensearch.grammar import Span
from stacbridge.mapping.families import Collection
from stacbridge.mapping.rows import Row
from stacbridge.model import Json

COMPARISONS = ("=", "<", "<=", ">", ">=")
KINDS: dict[str, tuple[type, ...]] = {"Integer": (int, float), "Double": (int, float), "Boolean": (bool,)}

Check = tuple[Row, Callable[[Any], bool]]


@dataclass(slots=True)
class Pushed:
    """What a condition on one collection comes to: values by the upstream's name, item ids, areas.

    `checks` tell of a property's value whether it satisfies what is asked of it, by the path it is read at.
    Of several values of one name, each is a search of its own: no product has two. `by_name` tells which
    property a value is of, for errors.
    """

    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    by_name: dict[str, str] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    ids: frozenset[str] | None = None
    areas: tuple[Json, ...] = ()


def push(condition: Condition, spec: Collection) -> Pushed | None:
    """Return what to ask for; `None` where nothing of the collection can match.

    Raises `UnsupportedFilter` naming property and operator.
    """
    pushed = Pushed()
    tests: dict[str, list[Predicate | Or]] = {}
    for part in condition.parts if isinstance(condition, And) else (condition,):
        if part is False:
            return None
        if isinstance(part, Predicate | Or):
            tests.setdefault(_name(part), []).append(part)
    for name, group in tests.items():
        if not _add(pushed, name, group, spec):
            return None
    return pushed


def _name(part: Condition) -> str:
    """Return the one property that a part tests."""
    if isinstance(part, Predicate):
        return part.name
    names = {_name(each) for each in part.parts} if isinstance(part, Or) else set()
    if len(names) != 1:
        tested = " or ".join(sorted(map(repr, names))) or "a condition within another"
        raise unsupported(f"{tested}: the upstream joins conditions on several properties by `and` only.")
    return names.pop()


def _add(pushed: Pushed, name: str, tests: list[Predicate | Or], spec: Collection) -> bool:
    """Add the tests of one property; return whether anything can satisfy them."""
    if name == "geometry":
        pushed.areas += tuple(_area(test) for test in tests)
        return True
    if name == "id":
        pushed.ids = frozenset.intersection(*[frozenset(_equals(test)) for test in tests])
        return bool(pushed.ids)
    row = spec.rows.get(name)
    if name == "collection" or name in spec.constants or row is None:
        known = spec.id if name == "collection" else spec.constants.get(name)
        return all(_satisfies(test, known) for test in tests)
    if row.values is not None:
        return _add_closed(pushed, row, row.values, tests)
    if row.push == "order":
        return _add_interval(pushed, row, tests)
    return _put(pushed, row, _texts(row, tests), lambda value: all(_satisfies(test, value) for test in tests))


def _satisfies(test: Predicate | Or, value: Any) -> bool:
    if isinstance(test, Or):
        return any(holds(part, value) for part in test.parts if isinstance(part, Predicate))
    return holds(test, value)


def _add_closed(pushed: Pushed, row: Row, values: Iterable[Any], tests: list[Predicate | Or]) -> bool:
    """Test a property with a closed set of upstream values: one of them is asked for, all or none."""
    every = list(values)
    read = [row.read(*each) if isinstance(each, tuple) else row.read(each) for each in every]
    fitting = [
        v for v, found in zip(every, read, strict=True) if all(_satisfies(test, found) for test in tests)
    ]
    if not fitting or (row.required and len(fitting) == len(every)):
        return bool(fitting)
    if row.push is None or isinstance(fitting[0], tuple):
        raise _refused(tests[0])
    texts = tuple(map(str, fitting))
    return _put(pushed, row, texts, lambda value: all(_satisfies(test, value) for test in tests))


def _put(pushed: Pushed, row: Row, texts: tuple[str, ...], check: Callable[[Any], bool]) -> bool:
    """Add the values that a property may have; return whether there is any.

    Raises `UnsupportedFilter` for two properties of one parameter.
    """
    name = row.paths[0].rpartition("/")[2]
    if name in pushed.values:
        raise unsupported(
            f"{row.stac!r} and {pushed.by_name[name]!r} are one to the upstream; test one of them."
        )
    pushed.values[name], pushed.by_name[name] = texts, row.stac
    pushed.checks[row.paths[0]] = row, check
    return bool(texts)


def _texts(row: Row, tests: list[Predicate | Or]) -> tuple[str, ...]:
    """Return the values that satisfy the tests."""
    if row.push is None or row.write is None:
        raise _refused(tests[0])
    wanted = set.intersection(*[set(_equals(test)) for test in tests])
    return tuple(sorted({_literal(text) for value in wanted for text in row.write(value)}))


def _add_interval(pushed: Pushed, row: Row, tests: list[Predicate | Or]) -> bool:
    """Test a property with an order: a span of values, or a set of them within it."""
    span = Span()
    for test in tests:
        if isinstance(test, Predicate):
            _check(test, row)
            span = span.both(grammar.comparison(test.op, _value(test, row)))
    sets = [{_value(part, row) for part in _equal_parts(test)} for test in tests if isinstance(test, Or)]
    if not sets:
        texts = () if span.empty else (grammar.write_span(span, _literal),)
        return _put(pushed, row, texts, span.__contains__)
    wanted = sorted(value for value in set.intersection(*sets) if value in span)
    texts = (grammar.write_set(wanted, _literal),) if wanted else ()
    return _put(pushed, row, texts, wanted.__contains__)


def _check(test: Predicate, row: Row) -> None:
    if test.op not in COMPARISONS or test.casei or test.negated:
        raise _refused(test)
    kinds = KINDS.get(row.type, (str,))
    if not isinstance(test.value, kinds) or (isinstance(test.value, bool) and bool not in kinds):
        raise unsupported(f"{test.name!r} {test.op}: {test.value!r} is not of type {row.type}.")


def _value(test: Predicate, row: Row) -> Any:
    return moment(test.name, test.value) if row.type == "DateTimeOffset" else test.value


def _literal(value: Any) -> str:
    """Return a value as text; numbers without exponent, at full precision."""
    if isinstance(value, str):
        return value.replace(".000000Z", "Z")
    return str(value).lower() if isinstance(value, bool) else format(Decimal(repr(value)), "f")


def _equal_parts(test: Predicate | Or) -> list[Predicate]:
    parts = test.parts if isinstance(test, Or) else (test,)
    found = [part for part in parts if isinstance(part, Predicate)]
    for part in found:
        if part.op != "=" or part.casei or part.negated:
            raise _refused(part)
    return found


def _equals(test: Predicate | Or) -> list[Any]:
    return [part.value for part in _equal_parts(test)]


def _area(test: Predicate | Or) -> Json:
    if isinstance(test, Or) or test.op != "s_intersects" or test.negated:
        raise _refused(test)
    value: Json = test.value
    return geometry.box(geometry.parse_bbox(value["bbox"], "filter")) if "bbox" in value else value


def _refused(test: Predicate | Or) -> Exception:
    if isinstance(test, Or):
        return unsupported(f"{_name(test)!r} or: the upstream cannot answer this exactly.")
    operator = f"not {test.op}" if test.negated else test.op
    folded = " with CASEI" if test.casei else ""
    return unsupported(f"{test.name!r} {operator}{folded}: the upstream cannot answer this exactly.")
