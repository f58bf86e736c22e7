"""What filters of an API name and its Items do not show, so that it cannot be checked on them here.

Other names of a property become the property's own. Of what else only filters know, the API is asked, with
those of a page's Items on whose account a search hangs: which of them satisfy a test.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stacbridge.cql import conditions
from stacbridge.cql.conditions import Condition, Opaque, Predicate, unsupported
from stacbridge.cql.matching import Match, matcher
from stacbridge.dialects.checked import told
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.stac_expressions import Expression
from stacbridge.dialects.stac_filter import Vocabulary, Wording
from stacbridge.dialects.together import together
from stacbridge.errors import UnsupportedFilter
from stacbridge.mapping.passthrough import Field
from stacbridge.model import Json

Key = tuple[str, str]
Ask = Callable[[Json | None, tuple[str, ...], tuple[str, ...]], Conversation[list[Json]]]
"""Finds the records that satisfy a filter among those of some collections and ids."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A test that only the API can decide: Items of these `collections` satisfy it that satisfy `filter`, or
    with `inverted` all others."""

    test: Predicate
    filter: Expression
    inverted: bool
    collections: frozenset[str]


def shown(condition: Condition, fields: Mapping[str, Field]) -> Condition:
    """Return a condition with properties under the names that Items have for them."""
    own = {name: field for field in fields.values() for name in field.names[1:]}

    def renamed(test: Predicate | Opaque) -> Condition:
        if isinstance(test, Opaque):
            return replace(test, node=_renamed(test.node, own))
        field = own.get(test.name)
        if field is None:
            return test
        return _converted(test, field) if field.converted else replace(test, name=field.stac)

    return conditions.mapped(condition, renamed)


def _converted(test: Predicate, field: Field) -> Condition:
    """Return the test of a property whose values Items tell in other words than filters."""
    if test.op == "isnull":
        return replace(test, name=field.stac)
    if test.op not in ("=", "<>"):
        return test
    if not isinstance(test.value, str):
        return False
    value = field.read(test.value)
    if value is None:  # no Item has what this value would become
        return test.op == "<>" and Predicate(field.stac, "isnull", negated=True)
    return Predicate(field.stac, test.op, value)


def _renamed(node: Any, own: Mapping[str, Field]) -> Any:
    if isinstance(node, list):
        return [_renamed(part, own) for part in node]
    if not isinstance(node, dict):
        return node
    field = own.get(str(node.get("property", "")).removeprefix("properties."))
    if field is not None and not field.converted:
        return {"property": field.stac}
    return {key: _renamed(part, own) if key in ("args", "interval") else part for key, part in node.items()}


def hidden(condition: Condition, foreign: frozenset[str]) -> list[Predicate | Opaque]:
    """Return the tests that cannot be decided on Items, each once."""
    found: list[Predicate | Opaque] = []
    for test in conditions.leaves(condition):
        if not foreign.isdisjoint(conditions.names(test)) and test not in found:
            found.append(test)
    return found


def fact(
    test: Predicate | Opaque, wording: Wording, vocabularies: Mapping[str, Vocabulary], title: str
) -> Fact:
    """Return how a test is decided that Items cannot be checked for. Raises `UnsupportedFilter`."""
    if isinstance(test, Opaque):
        raise unsupported(f"{told(test)}: {title} cannot compute with what its items do not show.")
    holders = {id: known for id, known in vocabularies.items() if wording.knows(test.name, known)}
    vocabulary: Vocabulary | None = None
    for known in holders.values():
        vocabulary = known if vocabulary is None else vocabulary.meet(known)
    try:
        filter, inverted = replace(wording, vocabulary=vocabulary or Vocabulary({})).exactly(test)
    except UnsupportedFilter:
        raise unsupported(
            f"{told(test)}: {title} can filter by it, but not by this condition, which cannot be checked "
            "here either: its items do not show it."
        ) from None
    return Fact(test, filter, inverted, frozenset(holders))


def decided(left: Condition, facts: Sequence[Fact], items: Sequence[Json], ask: Ask) -> Conversation[Match]:
    """Return what decides whether these Items satisfy a condition, the API having been asked for facts."""
    sure, possible = _matching(left, facts, _never), _matching(left, facts, _always)
    unclear = [item for item in items if not sure(item) and possible(item)]
    held = yield from together(_holders(fact, unclear, ask) for fact in facts)
    return _matching(left, facts, lambda number, item: (_key(item) in held[number]) != facts[number].inverted)


def _never(number: int, item: Json) -> bool:
    return False


def _always(number: int, item: Json) -> bool:
    return True


def _holders(fact: Fact, items: Iterable[Json], ask: Ask) -> Conversation[set[Key]]:
    keys = [_key(item) for item in items if item["collection"] in fact.collections]
    if not keys or fact.filter is False:
        return set()
    filter = fact.filter if isinstance(fact.filter, dict) else None
    collections = tuple(sorted({collection for collection, _ in keys}))
    records = yield from ask(filter, collections, tuple(dict.fromkeys(id for _, id in keys)))
    return {_key(record) for record in records}


def _matching(left: Condition, facts: Sequence[Fact], holds: Callable[[int, Json], bool]) -> Match:
    def special(test: Predicate | Opaque) -> Match | None:
        for number, fact in enumerate(facts):
            if fact.test == test:
                return lambda item: holds(number, item)
        return None

    return matcher(left, special)


def _key(item: Json) -> Key:
    return str(item.get("collection")), str(item.get("id"))
