"""What of one catalogue matches a search, as aggregations ask for it: counted by the catalogue, or read here.

Both kinds answer alike. A range of values starts with its lower edge and ends before its upper one; the last
edge may be `None`, an open end. Items without a value are in no range.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Protocol

from stacbridge import scalars
from stacbridge.cql import build
from stacbridge.errors import SearchTooWide
from stacbridge.federation import Federation, Results
from stacbridge.model import Json, Query, SortKey
from stacbridge.ordering import value as ordered_value
from stacbridge.settings import Settings

Edges = Sequence[Any]
START = "start"
VALUES = (START, "datetime", "collection", "eo:cloud_cover", "sat:orbit_state", "sat:relative_orbit")
"""What is read of Items: where they start, as they are sorted, and properties."""


class Holding(Protocol):
    """The Items of one catalogue that match a search."""

    total: int

    def terms(self, name: str, candidates: Iterable[str]) -> dict[str, int]:
        """Return how many Items have each of the candidates as a property."""
        ...

    def ranges(self, name: str, edges: Edges) -> list[int]:
        """Return for each pair of neighbouring edges how many Items have a property between them."""
        ...

    def times(self) -> list[str]:
        """Return the first and the last start of Items; none where there are no Items."""
        ...


class Budget:
    """Searches of a federation, as many and for as many Items as one aggregation may make and read."""

    def __init__(self, federation: Federation, settings: Settings, root: str) -> None:
        self._federation, self._root = federation, root
        self._page = settings.max_limit
        self.items = self._most = settings.aggregation_items
        self._requests = settings.aggregation_requests

    def told(self, query: Query) -> int | None:
        """Return how many Items match, where the catalogue says so."""
        results = self.ask(replace(query, limit=1, count=True, sortby=()))
        return len(results.items) if results.token is None else results.matched

    def count(self, query: Query) -> int:
        """Return how many Items match, counting them here where the catalogue does not say."""
        told = self.told(query)
        return sum(1 for _ in self.walk(query)) if told is None else told

    def walk(self, query: Query) -> Iterator[Json]:
        """Yield all Items that match. Raises `SearchTooWide` rather than yield only some."""
        query, token = replace(query, limit=self._page, count=False, sortby=()), None
        while True:
            results = self.ask(query, token)
            self.items -= len(results.items)
            if self.items < 0:
                raise _too_wide(f"read more than {self._most} Items (aggregation_items)")
            yield from results.items
            token = results.token
            if token is None:
                return

    def ask(self, query: Query, token: str | None = None) -> Results:
        """Return a page. Raises `SearchTooWide` once there were too many, and as `Federation.search` does."""
        self._requests -= 1
        if self._requests < 0:
            raise _too_wide("make more searches than `aggregation_requests` allows")
        return self._federation.search(query, token, self._root, ready=True)


def held(query: Query, budget: Budget, *, reading: bool) -> Holding:
    """Return what matches a search of one catalogue.

    With `reading`, Items are read where the budget holds that many; in any case where they are not counted.
    """
    total = budget.told(query)
    if total is None or (reading and 0 < total <= budget.items):
        return Read(budget.walk(query))
    return Counted(query, total, budget)


class Counted:
    """Items that the catalogue counts, by searches that are narrowed."""

    def __init__(self, query: Query, total: int, budget: Budget) -> None:
        self.total = total
        self._query, self._budget = query, budget

    def terms(self, name: str, candidates: Iterable[str]) -> dict[str, int]:
        """Ask for the number of each candidate; a catalogue has no collections but its own."""
        if not self.total:
            return {}
        if name == "collection":
            candidates = [id for id in candidates if id in self._query.collections]
        return {term: self._budget.count(self._equal(name, term)) for term in candidates}

    def ranges(self, name: str, edges: Edges) -> list[int]:
        """Ask for the numbers of halves, of halves of these … and of none where nothing is."""
        found = [0] * (len(edges) - 1)
        if not self.total:
            return found
        pending = [(0, len(found), self._within(name, edges[0], edges[-1]))]
        while pending:
            low, high, number = pending.pop()
            if number <= 0:
                continue
            if high - low == 1:
                found[low] = number
                continue
            middle = (low + high) // 2
            lower = self._within(name, edges[low], edges[middle])
            pending += [(middle, high, number - lower), (low, middle, lower)]
        return found

    def times(self) -> list[str]:
        """Ask for the first and the last Item."""
        if not self.total:
            return []
        ends = list[str]()
        for descending in (False, True):
            order = (SortKey("datetime", descending),)
            found = self._budget.ask(replace(self._query, limit=1, sortby=order)).items
            ends += [ordered_value(item, "datetime") for item in found]
        return ends

    def _equal(self, name: str, term: str) -> Query:
        if name == "collection":
            return replace(self._query, collections=(term,))
        return self._narrowed([build.compared(name, "=", term)])

    def _within(self, name: str, low: Any, high: Any) -> int:
        bounds = [(">=", low), ("<", high)]
        tests = [build.compared(name, op, _literal(edge)) for op, edge in bounds if edge is not None]
        return self._budget.count(self._narrowed(tests))

    def _narrowed(self, tests: list[Json]) -> Query:
        given = [] if self._query.filter is None else [self._query.filter]
        return replace(self._query, filter=build.conjunction([*given, *tests]))


class Read:
    """Items whose values were read here; only those of `VALUES` are kept."""

    def __init__(self, items: Iterable[Json]) -> None:
        rows = [tuple(_value(item, name) for name in VALUES) for item in items]
        self.total = len(rows)
        columns = zip(*rows, strict=True) if rows else [()] * len(VALUES)
        self._columns: dict[str, tuple[Any, ...]] = dict(zip(VALUES, columns, strict=True))

    def terms(self, name: str, candidates: Iterable[str]) -> dict[str, int]:
        """Count the Items of each candidate."""
        found = Counter(self._columns[name])
        return {term: found[term] for term in candidates}

    def ranges(self, name: str, edges: Edges) -> list[int]:
        """Count the Items of each range."""
        kind = str if name == "datetime" else (int, float)
        values = sorted(value for value in self._columns[name] if isinstance(value, kind))
        lower = [bisect_left(values, edge) for edge in edges[:-1]]
        last = len(values) if edges[-1] is None else bisect_left(values, edges[-1])
        return [after - before for before, after in pairwise([*lower, last])]

    def times(self) -> list[str]:
        """Return the ends of what is at hand."""
        starts = [start for start in self._columns[START] if start is not None]
        return [min(starts), max(starts)] if starts else []


def _value(item: Json, name: str) -> Any:
    """Return a property, times as they are written everywhere here."""
    if name == START:
        return ordered_value(item, "datetime")
    if name == "collection":
        return item[name]
    found = item["properties"].get(name)
    return scalars.time(found) if name == "datetime" else found


def _literal(edge: Any) -> Any:
    return {"timestamp": edge} if isinstance(edge, str) else edge


def _too_wide(what: str) -> SearchTooWide:
    return SearchTooWide(
        f"To aggregate this the bridge would have to {what}.",
        parameter="aggregations",
        advice="Narrow datetime, bbox, collections or filter, ask for fewer aggregations, or for longer "
        "intervals with datetime_frequency_interval.",
    )
