"""What of a filter a service is asked for: exactly, or else named as checked on each Item."""

from math import prod

from stacbridge import scalars
from stacbridge.cql.conditions import And, Condition, Or, Predicate
from stacbridge.cql.evaluate import holds
from stacbridge.dialects.checked import decided, told
from stacbridge.dialects.opensearch.values import COMPARISONS, Pushed, add
from stacbridge.errors import UnsupportedFilter
from stacbridge.mapping.families import Collection
from stacbridge.mapping.items import ISSUE
from stacbridge.mapping.rows import Row

MAX_COMBINATIONS = 20
"""Searches that one filter may come to for one collection."""
TIMES = (("ContentDate/Start",), ("ContentDate/End",))
MEMBERS = frozenset(
    (
        *("id", "type", "collection", "geometry", "bbox", "stac_version", "stac_extensions", "links"),
        *("assets", "auth:schemes", "storage:schemes", ISSUE),
    )
)
"""What an Item has whichever rows there are."""


def push(condition: Condition, spec: Collection) -> Pushed | None:
    """Return what to ask for; `None` where nothing of the collection can match."""
    condition = decided(condition, lambda test: _known(test, spec))
    pushed = Pushed()
    tests: dict[str, list[Predicate | Or]] = {}
    for part in condition.parts if isinstance(condition, And) else (condition,):
        name = _name(part)
        if part is False:
            return None
        if isinstance(part, Predicate | Or) and name is not None:
            tests.setdefault(name, []).append(part)
        elif part is not True:
            pushed.checked.append(told(part))
    for name, group in tests.items():
        if not _push(pushed, name, group, spec):
            return None
    _limit(pushed)
    return pushed


def _known(test: Predicate, spec: Collection) -> Condition:
    """Return what is known of a test whichever product it is of: of its collection, of constants, of
    properties that all products have, or none."""
    try:
        if test.name == "collection" or test.name in spec.constants:
            return holds(test, spec.id if test.name == "collection" else spec.constants[test.name])
    except UnsupportedFilter:
        return test
    row = spec.rows.get(test.name)
    if row is None and test.name not in MEMBERS and "." not in test.name:
        return test.op == "isnull" and not test.negated
    always = test.name in ("id", "datetime") or (row is not None and row.required)
    return test.negated if always and test.op == "isnull" else test


def _name(part: Condition) -> str | None:
    """Return the one property that a part tests."""
    if isinstance(part, Predicate):
        return part.name
    if not isinstance(part, Or) or not all(isinstance(each, Predicate) for each in part.parts):
        return None
    names = {_name(each) for each in part.parts}
    return names.pop() if len(names) == 1 else None


def _push(pushed: Pushed, name: str, tests: list[Predicate | Or], spec: Collection) -> bool:
    """Add what can be asked of the tests of one property; return whether anything can satisfy it."""
    _narrow(pushed, tests, spec.rows.get(name))
    known = [test for test in tests if _is_pushable(name, test, spec)]
    pushed.checked += [told(test) for test in tests if test not in known]
    try:
        return not known or add(pushed, name, known, spec)
    except UnsupportedFilter:
        pushed.checked += map(told, known)
        return True


def _is_pushable(name: str, test: Predicate | Or, spec: Collection) -> bool:
    try:
        add(Pushed(), name, [test], spec)
    except UnsupportedFilter:
        return False
    return True


def _narrow(pushed: Pushed, tests: list[Predicate | Or], row: Row | None) -> None:
    """Narrow the time by tests of start or end: what starts after a moment also ends after it."""
    for test in tests if row is not None and row.paths in TIMES else ():
        if not isinstance(test, Predicate) or test.op not in COMPARISONS:
            continue
        found = scalars.instant(test.value) if test.value == scalars.time(test.value) else None
        if found is not None and test.op in ("=", ">", ">="):
            pushed.since = max(found, pushed.since or found)
        if found is not None and test.op in ("=", "<", "<="):
            pushed.until = min(found, pushed.until or found)


def _limit(pushed: Pushed) -> None:
    """Leave the properties with most values to be checked, where all would be too many searches."""
    values = pushed.values
    while prod(map(len, values.values())) > MAX_COMBINATIONS:
        widest = max(values, key=lambda name: len(values[name]))
        pushed.checked.append(pushed.tested[widest])
        del values[widest]
