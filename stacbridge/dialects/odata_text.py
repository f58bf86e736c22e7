"""Pieces of OData `$filter` text."""

from decimal import Decimal
from typing import Any

from stacbridge.cql.conditions import Predicate, unsupported
from stacbridge.errors import UnsupportedFilter

Text = str | bool
"""`$filter` text, or whether all or no products satisfy it."""


def both(texts: list[Text]) -> Text:
    """Join texts that must all hold."""
    kept = [text for text in texts if text is not True]
    if False in kept:
        return False
    return " and ".join(map(str, kept)) if kept else True


def either(texts: list[Text]) -> Text:
    """Join texts of which one must hold, in parentheses where there are several."""
    kept = list(dict.fromkeys(text for text in texts if text is not False))
    if True in kept:
        return True
    return False if not kept else str(kept[0]) if len(kept) == 1 else f"({' or '.join(map(str, kept))})"


def attribute(name: str, kind: str, operator: str, value: Any) -> str:
    """Return the test of an attribute."""
    path = f"OData.CSC.{kind}Attribute"
    test = f"att/Name eq {quoted(name)} and att/{path}/Value {operator} {literal(kind, value)}"
    return f"Attributes/{path}/any(att:{test})"


def quoted(text: str) -> str:
    """Return a string literal."""
    return "'" + text.replace("'", "''") + "'"


def literal(kind: str, value: Any) -> str:
    """Return a value of an upstream type as OData writes it; numbers without exponent, at full precision."""
    if kind == "String":
        return quoted(str(value))
    if kind == "Boolean":
        return "true" if value else "false"
    if kind == "DateTimeOffset":
        return str(value)
    return format(Decimal(repr(value)), "f")


def refused(test: Predicate) -> UnsupportedFilter:
    """Make the failure of a predicate that cannot be pushed."""
    operator = f"not {test.op}" if test.negated else test.op
    folded = " with CASEI" if test.casei else ""
    return unsupported(f"{test.name!r} {operator}{folded}: the upstream cannot answer this exactly.")
