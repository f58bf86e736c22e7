"""Tests of one property as the value of a template's parameter, exactly or not at all.

A service takes one value per parameter and joins them by "and": a number, a date, a set or interval of them
(see `grammar`), or a text.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from stacbridge import geometry
from stacbridge.cql.conditions import Or, Predicate, moment, unsupported
from stacbridge.cql.evaluate import holds
from stacbridge.dialects.checked import told
from stacbridge.dialects.opensearch import grammar
from stacbridge.dialects.opensearch.grammar import Span
from stacbridge.errors import UnsupportedFilter
from stacbridge.mapping.families import Collection
from stacbridge.mapping.rows import Row
from stacbridge.model import Interval, Json
from stacbridge.spans import bounded

COMPARISONS = ("=", "<", "<=", ">", ">=")
_KINDS: dict[str, tuple[type, ...]] = {"Integer": (int, float), "Double": (int, float), "Boolean": (bool,)}

Check = tuple[Row, Callable[[Any], bool]]


@dataclass(slots=True)
class Pushed:
    """What a condition on one collection comes to: values by the upstream's name, item ids, areas, times.

    `checks` tell of a property's value whether it satisfies what is asked of it, by the path it is read at.
    Of several values of one name, each is a search of its own: no product has two. `tested` says which
    condition a value is for, `checked` which are not asked for, or not exactly.
    """

    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tested: dict[str, str] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    ids: frozenset[str] | None = None
    areas: tuple[Json, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    checked: list[str] = field(default_factory=list)

    def forget_ids(self) -> None:
        """Leave the ids to be checked: items are not looked up where others are searched for."""
        if self.ids is not None:
            self.ids, self.checked = None, [*self.checked, "'id' ="]

    def around(self, interval: Interval | None) -> Interval:
        """Return the time that all matches overlap, given that they overlap `interval`."""
        whole = interval or Interval(None, None)
        starts = [time for time in (whole.start, self.since) if time is not None]
        ends = [time for time in (whole.end, self.until) if time is not None]
        start, end = max(starts, default=None), min(ends, default=None)
        return whole if start and end and start > end else bounded(start, end)


def add(pushed: Pushed, name: str, tests: list[Predicate | Or], spec: Collection) -> bool:
    """Add the tests of one property; return whether anything can satisfy them. Raises `UnsupportedFilter`."""
    if name == "geometry":
        pushed.areas += tuple(_area(test) for test in tests)
        return True
    if name == "id":
        pushed.ids = frozenset.intersection(*[frozenset(_equals(test, (str,))) for test in tests])
        return bool(pushed.ids)
    row = spec.rows.get(name)
    if row is None:
        raise _refused(tests[0])
    if row.values is not None:
        return _add_closed(pushed, row, row.values, tests)
    if row.push == "order":
        return _add_interval(pushed, row, tests)
    return _put(pushed, row, _texts(row, tests), tests, lambda value: _all(tests, value))


def _all(tests: list[Predicate | Or], value: Any) -> bool:
    return all(_satisfies(test, value) for test in tests)


def _satisfies(test: Predicate | Or, value: Any) -> bool:
    if isinstance(test, Or):
        return any(holds(part, value) for part in test.parts if isinstance(part, Predicate))
    return holds(test, value)


def _add_closed(pushed: Pushed, row: Row, values: Iterable[Any], tests: list[Predicate | Or]) -> bool:
    """Test a property with a closed set of upstream values: one of them is asked for, all or none.

    A service cannot be asked for products without any.
    """
    if not row.required and _all(tests, None):
        raise _refused(tests[0])
    every = list(values)
    read = [row.read(*each) if isinstance(each, tuple) else row.read(each) for each in every]
    fitting = [value for value, found in zip(every, read, strict=True) if _all(tests, found)]
    if not fitting or (row.required and len(fitting) == len(every)):
        return bool(fitting)
    if row.push is None or isinstance(fitting[0], tuple):
        raise _refused(tests[0])
    return _put(pushed, row, tuple(map(str, fitting)), tests, lambda value: _all(tests, value))


def _put(
    pushed: Pushed,
    row: Row,
    texts: tuple[str, ...],
    tests: list[Predicate | Or],
    check: Callable[[Any], bool],
) -> bool:
    """Add the values that a property may have; return whether there is any.

    Raises `UnsupportedFilter` for two properties of one parameter.
    """
    name = row.paths[0].rpartition("/")[2]
    if name in pushed.values:
        raise unsupported(f"{row.stac!r}: its parameter is taken by another property.")
    pushed.values[name], pushed.tested[name] = texts, " and ".join(map(told, tests))
    pushed.checks[row.paths[0]] = row, check
    return bool(texts)


def _texts(row: Row, tests: list[Predicate | Or]) -> tuple[str, ...]:
    """Return the values that satisfy the tests."""
    if row.push is None or row.write is None:
        raise _refused(tests[0])
    kinds = _KINDS.get(row.type, (str,))
    wanted = set.intersection(*[set(_equals(test, kinds)) for test in tests])
    return tuple(sorted({_literal(text) for value in wanted for text in row.write(value)}))


def _add_interval(pushed: Pushed, row: Row, tests: list[Predicate | Or]) -> bool:
    """Test a property with an order: a span of values, or a set of them within it."""
    span = Span()
    for test in tests:
        if isinstance(test, Predicate):
            _check(test, row)
            span = span.both(grammar.comparison(test.op, _value(test, row)))
    kinds = _KINDS.get(row.type, (str,))
    sets = [set(_equals(test, kinds)) for test in tests if isinstance(test, Or)]
    if not sets:
        texts = () if span.empty else (grammar.write_span(span, _literal),)
        return _put(pushed, row, texts, tests, span.__contains__)
    wanted = sorted(value for value in set.intersection(*sets) if value in span)
    texts = (grammar.write_set(wanted, _literal),) if wanted else ()
    return _put(pushed, row, texts, tests, wanted.__contains__)


def _check(test: Predicate, row: Row) -> None:
    if test.op not in COMPARISONS or test.casei or test.negated:
        raise _refused(test)
    _check_kind(test, _KINDS.get(row.type, (str,)))


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


def _equals(test: Predicate | Or, kinds: tuple[type, ...]) -> list[Any]:
    found = _equal_parts(test)
    for part in found:
        _check_kind(part, kinds)
    return [part.value for part in found]


def _check_kind(test: Predicate, kinds: tuple[type, ...]) -> None:
    if not isinstance(test.value, kinds) or (isinstance(test.value, bool) and bool not in kinds):
        raise _refused(test)


def _area(test: Predicate | Or) -> Json:
    if isinstance(test, Or) or test.op != "s_intersects" or test.negated:
        raise _refused(test)
    value: Json = test.value
    return geometry.box(geometry.parse_bbox(value["bbox"], "filter")) if "bbox" in value else value


def _refused(test: Predicate | Or) -> UnsupportedFilter:
    return unsupported(f"{told(test)}: the upstream cannot answer this exactly.")
