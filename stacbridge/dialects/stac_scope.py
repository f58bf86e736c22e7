"""What a query asks of a STAC API, whichever page of the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from stacbridge import scalars
from stacbridge.cql.conditions import And, Condition, Or, Predicate, conjunction, disjunction
from stacbridge.cql.evaluate import holds
from stacbridge.dialects.checked import Checked, decided
from stacbridge.dialects.stac_foreign import Fact
from stacbridge.errors import UnsupportedFilter
from stacbridge.model import Interval, Json
from stacbridge.spans import bounded


@dataclass(frozen=True, slots=True)
class Scope:
    """The filter in the upstream's words, and the collections (none: all), ids (none: any) and time to ask
    for. `checked` are the conditions that this tells more widely, `left` is what is to be checked of them on
    Items (`None`: the filter), with the help of `facts`."""

    filter: Json | None
    collections: tuple[str, ...]
    ids: tuple[str, ...]
    interval: Interval | None
    checked: Checked = ()
    left: Condition | None = None
    facts: tuple[Fact, ...] = ()


def divided(
    condition: Condition, chosen: tuple[str, ...], known: Callable[[str, Predicate], Condition]
) -> tuple[Condition, tuple[str, ...], Checked]:
    """Return what is asked of items of which of these collections, and what is to be checked of it.

    `known` tells what is known of a test in a collection.
    """
    asked = {id: decided(decided(condition, partial(_known, id)), partial(known, id)) for id in chosen}
    asked = {id: rest for id, rest in asked.items() if rest is not False}
    rests: list[Condition] = []
    for rest in asked.values():
        rests += [rest] if rest not in rests else []
    if len(rests) <= 1:
        return (rests[0] if rests else False), tuple(asked), ()
    return disjunction(rests), tuple(asked), ("'collection'",)


def ids(condition: Condition, given: tuple[str, ...]) -> tuple[tuple[str, ...] | None, Condition]:
    """Return the item ids that are asked for (each once; `None` for any), and the rest of the condition."""
    found = dict.fromkeys(given) if given else None
    rest: list[Condition] = []
    for part in condition.parts if isinstance(condition, And) else (condition,):
        named = _ids(part)
        if named is None:
            rest.append(part)
        else:
            found = dict.fromkeys(id for id in (named if found is None else found) if id in named)
    return (None if found is None else tuple(found)), conjunction(rest)


def _ids(condition: Condition) -> list[str] | None:
    """Return the ids that a condition names, `None` where it is about something else."""
    tests = condition.parts if isinstance(condition, Or) else (condition,)
    named = [
        test.value
        for test in tests
        if isinstance(test, Predicate)
        and (test.name, test.op, test.casei) == ("id", "=", False)
        and isinstance(test.value, str)
    ]
    return named if len(named) == len(tests) else None


def _known(collection: str, test: Predicate) -> Condition:
    try:
        return holds(test, collection) if test.name == "collection" else test
    except UnsupportedFilter:
        return test


def during(condition: Condition, interval: Interval | None) -> Interval | None:
    """Return the time that all matches overlap, narrowed by tests of `datetime`, which is within an Item's
    time."""
    since: list[datetime] = [interval.start] if interval and interval.start else []
    until: list[datetime] = [interval.end] if interval and interval.end else []
    for test in condition.parts if isinstance(condition, And) else (condition,):
        if (
            not isinstance(test, Predicate)
            or test.name != "datetime"
            or test.value != scalars.time(test.value)
        ):
            continue
        moment = scalars.instant(test.value)
        since += [moment] if moment and test.op in ("=", ">", ">=") else []
        until += [moment] if moment and test.op in ("=", "<", "<=") else []
    start, end = max(since, default=None), min(until, default=None)
    if (start is None and end is None) or (start and end and start > end):
        return interval
    return bounded(start, end)
