"""CQL2's temporal functions, said with comparisons of the ends of instants and intervals.

An instant starts and ends at once. A DATE is the day from its first to its last microsecond, and so is one
within an INTERVAL. An end that is open (`..`) comes before, or after, every time.
"""

from collections.abc import Callable
from operator import eq, ge, gt, le, lt
from typing import Any

from stacbridge.cql import times
from stacbridge.cql.operators import properties
from stacbridge.model import Json

RELATIONS: dict[str, tuple[str, ...]] = {
    "t_after": ("s>e",),
    "t_before": ("e<s",),
    "t_contains": ("s<s", "e>e"),
    "t_disjoint": ("s>e", "e<s"),
    "t_during": ("s>s", "e<e"),
    "t_equals": ("s=s", "e=e"),
    "t_finishedby": ("s<s", "e=e"),
    "t_finishes": ("s>s", "e=e"),
    "t_intersects": ("s<=e", "e>=s"),
    "t_meets": ("e=s",),
    "t_metby": ("s=e",),
    "t_overlappedby": ("s>s", "s<e", "e>e"),
    "t_overlaps": ("s<s", "e>s", "e<e"),
    "t_startedby": ("s=s", "e>e"),
    "t_starts": ("s=s", "e<e"),
}
"""What must hold of the start (s) and end (e) of the first argument and those of the second: all of it, but
for t_disjoint any."""

FIRST, LAST = -1, 1
"""Stand for the open ends of intervals, before and after every time."""
_ORDER: dict[str, Callable[[int, int], bool]] = {"<": lt, "<=": le, "=": eq, ">": gt, ">=": ge}

End = Json | int
Span = tuple[End, End]


def spelt_out(op: str, args: list[Any]) -> tuple[Json, set[str]]:
    """Return a temporal function as comparisons, and the properties that must be there besides.

    Without these it is unknown, although what it compares may not need all of them. Raises
    `UnsupportedFilter` for what is no time.
    """
    left, right = _span(args[0]), _span(args[1])
    parts = [_compared(relation, left, right) for relation in RELATIONS[op]]
    named = set(properties([*left, *right]))
    joined = "or" if op == "t_disjoint" else "and"
    compared = [part for part in parts if part is not (joined == "and")]
    told = len(named) == 1 and bool(compared) and all(isinstance(part, dict) for part in compared)
    return {"op": joined, "args": parts}, set() if told else named


def _compared(relation: str, left: Span, right: Span) -> Json | bool:
    one, op, other = left["se".index(relation[0])], relation[1:-1], right["se".index(relation[-1])]
    if isinstance(one, dict) and isinstance(other, dict):
        return {"op": op, "args": [one, other]}
    return _ORDER[op](_rank(one), _rank(other))


def _rank(end: End) -> int:
    return end if isinstance(end, int) else 0


def _span(node: Any) -> Span:
    if isinstance(node, dict) and isinstance(node.get("interval"), list) and len(node["interval"]) == 2:
        first, last = node["interval"]
        start = FIRST if first == ".." else _ends(first)[0]
        return start, LAST if last == ".." else _ends(last)[1]
    return _ends(node)


def _ends(node: Any) -> tuple[Json, Json]:
    if isinstance(node, dict) and "property" in node:
        return node, node
    text = node.get("timestamp", node.get("date")) if isinstance(node, dict) else node
    if isinstance(text, str) and len(text) == 10:
        first, last = times.day(text)
        return {"timestamp": first}, {"timestamp": last}
    times.moment(text)
    return {"timestamp": text}, {"timestamp": text}
