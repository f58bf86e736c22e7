"""Sets and intervals of numbers and dates as OGC 13-026r9 writes them.

    n   {n1,n2}   [n1,n2]   ]n1,n2[   [n1   ]n1   n2]   n2[

A bracket that faces inward includes its end. Empty text means that anything will do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """Values between two ends, either of which may be open (`None`) or itself excluded."""

    low: Any = None
    high: Any = None
    above: bool = False
    """Whether `low` itself is excluded."""
    below: bool = False
    """Whether `high` itself is excluded."""

    def both(self, other: "Span") -> "Span":
        """Return the values that are in both."""
        low, above = self.low, self.above
        if low is None or (other.low is not None and (other.low, other.above) > (low, above)):
            low, above = other.low, other.above
        high, below = self.high, self.below
        if high is None or (other.high is not None and (other.high, not other.below) < (high, not below)):
            high, below = other.high, other.below
        return Span(low, high, above, below)

    @property
    def empty(self) -> bool:
        """Whether no value is in it."""
        if self.low is None or self.high is None:
            return False
        excluded = self.above or self.below
        return bool(self.low > self.high or (self.low == self.high and excluded))

    def __contains__(self, value: Any) -> bool:
        high_enough = self.low is None or value > self.low or (value == self.low and not self.above)
        low_enough = self.high is None or value < self.high or (value == self.high and not self.below)
        return bool(high_enough and low_enough)


def comparison(op: str, value: Any) -> Span:
    """Return the span of a comparison (`=` `<` `<=` `>` `>=`)."""
    spans = {
        "=": Span(value, value),
        "<": Span(high=value, below=True),
        "<=": Span(high=value),
        ">": Span(low=value, above=True),
        ">=": Span(low=value),
    }
    return spans[op]


def write_span(span: Span, literal: Callable[[Any], str]) -> str:
    """Return the text of a span that is not empty."""
    if span.low is not None and span.low == span.high:
        return literal(span.low)
    low = "" if span.low is None else f"{']' if span.above else '['}{literal(span.low)}"
    high = "" if span.high is None else f"{literal(span.high)}{'[' if span.below else ']'}"
    return ",".join(filter(None, (low, high)))


def write_set(values: Sequence[Any], literal: Callable[[Any], str]) -> str:
    """Return the text of a set of at least one value."""
    return literal(values[0]) if len(values) == 1 else "{" + ",".join(map(literal, values)) + "}"
