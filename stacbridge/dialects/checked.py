"""What an upstream is not asked for, or not exactly: conditions that are checked on each Item; see `Page`."""

from collections.abc import Callable

from stacbridge.cql import conditions
from stacbridge.cql.conditions import And, Condition, Or, Predicate, conjunction, disjunction
from stacbridge.errors import UnsupportedFilter
from stacbridge.model import Json

Checked = tuple[str, ...]


def parsed(filter: Json | None) -> tuple[Condition, Checked]:
    """Return a filter as a condition, or else that nothing of it can be asked for, and why."""
    try:
        return (conditions.parse(filter) if filter else True), ()
    except UnsupportedFilter as failure:
        return True, (failure.description,)


def told(condition: Condition) -> str:
    """Return a condition in words, such as `'eo:cloud_cover' isnull`."""
    if isinstance(condition, Predicate):
        operator = f"not {condition.op}" if condition.negated else condition.op
        return f"{condition.name!r} {operator}{' with CASEI' if condition.casei else ''}"
    if isinstance(condition, And | Or):
        word = " and " if isinstance(condition, And) else " or "
        return word.join(map(_within, condition.parts))
    return str(getattr(condition, "text", condition))


def decided(condition: Condition, decide: Callable[[Predicate], Condition]) -> Condition:
    """Return a condition with each test replaced by what is known of it."""
    if isinstance(condition, And):
        return conjunction(decided(part, decide) for part in condition.parts)
    if isinstance(condition, Or):
        return disjunction(decided(part, decide) for part in condition.parts)
    return decide(condition) if isinstance(condition, Predicate) else condition


def _within(condition: Condition) -> str:
    text = told(condition)
    return f"({text})" if isinstance(condition, And | Or) else text
