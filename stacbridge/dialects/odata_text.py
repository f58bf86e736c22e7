"""Pieces of OData `$filter` text."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Text = str | bool
"""`$filter` text, or whether all or no products satisfy it."""


@dataclass(frozen=True, slots=True)
class Told:
    """A test as text; where it is not `exact`, products satisfy the text that do not satisfy the test."""

    text: Text
    exact: bool = True


UNTOLD = Told(True, exact=False)
"""Of a test that no text tells: all products may satisfy it."""


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
