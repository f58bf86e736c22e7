"""Numbers of the Items that match a search, in all and by time, collection, cloud cover and orbit."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from stacbridge import periods, scalars
from stacbridge.errors import SearchTooWide
from stacbridge.federation import Federation
from stacbridge.holdings import Budget, Edges, Holding, held
from stacbridge.model import Json, Query
from stacbridge.settings import Settings

CLOUD_EDGES: Edges = (0, 5, 15, 40, None)
"""Percent of cloud: clear, few, some, many; edges that public STAC APIs use."""
RELATIVE_ORBITS = tuple(range(1, 512))
"""Numbers of relative orbits, the last excluded; Sentinel-3 has 385, the longest cycle of those served."""
ORBIT_STATES = ("ascending", "descending", "geostationary")
AUTOMATIC = 100
"""Buckets at most where a search of times leaves their length to the bridge."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an aggregation is made from: the parts of the search by catalogue, and how long periods are."""

    holdings: list[Holding]
    collections: tuple[str, ...]
    interval: str | None
    most: int

    @property
    def total(self) -> int:
        """Return the number of all Items that match."""
        return sum(part.total for part in self.holdings)


def aggregate(
    names: Sequence[str],
    query: Query,
    interval: str | None,
    federation: Federation,
    settings: Settings,
    root: str,
) -> list[Json]:
    """Return the aggregations of these names. All of them are exact.

    `interval` is one of `periods.PERIODS`; without it, it follows from the time that the Items cover. Raises
    `SearchTooWide`, and what catalogues raise: a number without a catalogue that is down would be wrong.
    """
    budget, parts = Budget(federation, settings, root), federation.shares(query)
    reading = any(AGGREGATIONS[name].spreads for name in names)
    holdings = [held(replace(query, collections=ids), budget, reading=reading) for ids in parts]
    collections = tuple(id for ids in parts for id in ids)
    asked = Asked(holdings, collections, interval, settings.aggregation_buckets)
    return [AGGREGATIONS[name].make(name, asked) for name in names]


def _total(name: str, asked: Asked) -> Json:
    return {"name": name, "data_type": "integer", "value": asked.total}


def _end(choose: Callable[..., str | None]) -> Callable[[str, Asked], Json]:
    def make(name: str, asked: Asked) -> Json:
        ends = [time for part in asked.holdings for time in part.times()]
        return {"name": name, "data_type": "datetime", "value": choose(ends, default=None)}

    return make


def _datetimes(name: str, asked: Asked) -> Json:
    ends = [at for part in asked.holdings for time in part.times() if (at := scalars.instant(time))]
    if not ends:
        return _distribution(name, f"interval_{asked.interval or 'day'}", [], asked)
    first, last = min(ends), max(ends)
    interval = asked.interval or periods.finest(first, last, min(AUTOMATIC, asked.most))
    edges = periods.edges(first, last, interval, asked.most)
    if edges is None:
        span = f"From {scalars.rfc3339(first)} to {scalars.rfc3339(last)}"
        raise SearchTooWide(
            f"{span} there are more than {asked.most} times a {interval} (aggregation_buckets).",
            parameter="datetime_frequency_interval",
            advice="Ask for longer intervals, or narrow datetime.",
        )
    numbers = _ranges("datetime", edges, asked)
    buckets = [
        {"key": edge, "data_type": "datetime", "frequency": number}
        for edge, number in zip(edges, numbers, strict=False)
    ]
    return _distribution(name, f"interval_{interval}", buckets, asked)


def _clouds(name: str, asked: Asked) -> Json:
    numbers = _ranges("eo:cloud_cover", CLOUD_EDGES, asked)
    ranges = zip(pairwise(CLOUD_EDGES), numbers, strict=True)
    buckets = [_range(low, high, number) for (low, high), number in ranges]
    return _distribution(name, "numeric", buckets, asked)


def _range(low: int, high: int | None, number: int) -> Json:
    ends = {"from": low} if high is None else {"from": low, "to": high}
    key = f"{low}-{'*' if high is None else high}"
    return {"key": key, "data_type": "numeric", "frequency": number, **ends}


def _orbits(name: str, asked: Asked) -> Json:
    numbers = _ranges("sat:relative_orbit", RELATIVE_ORBITS, asked)
    found = {str(orbit): number for orbit, number in zip(RELATIVE_ORBITS, numbers, strict=False)}
    return _distribution(name, "numeric", _term_buckets(found, "numeric"), asked)


def _orbit_states(name: str, asked: Asked) -> Json:
    found = _terms("sat:orbit_state", ORBIT_STATES, asked)
    return _distribution(name, "string", _term_buckets(found, "string"), asked)


def _collections(name: str, asked: Asked) -> Json:
    found = _terms("collection", asked.collections, asked)
    return _distribution(name, "string", _term_buckets(found, "string"), asked)


def _ranges(name: str, edges: Edges, asked: Asked) -> list[int]:
    by_part = [part.ranges(name, edges) for part in asked.holdings]
    return [sum(numbers) for numbers in zip(*by_part, strict=True)] or [0] * (len(edges) - 1)


def _terms(name: str, candidates: Iterable[str], asked: Asked) -> dict[str, int]:
    found: Counter[str] = Counter()
    for part in asked.holdings:
        found.update(part.terms(name, candidates))
    return found


def _term_buckets(found: dict[str, int], data_type: str) -> list[Json]:
    """Return a bucket for each term that there is, in their own order."""
    return [
        {"key": term, "data_type": data_type, "frequency": number} for term, number in found.items() if number
    ]


def _distribution(name: str, data_type: str, buckets: list[Json], asked: Asked) -> Json:
    """Return an aggregation; Items that are in none of its buckets, as they lack the value, are overflow."""
    outside = asked.total - sum(bucket["frequency"] for bucket in buckets)
    overflow = {"overflow": outside} if outside > 0 else {}
    return {"name": name, "data_type": data_type, "buckets": buckets, **overflow}


@dataclass(frozen=True, slots=True)
class Aggregation:
    """How an aggregation is made, whether of many numbers, and the property that Items need for it."""

    data_type: str
    make: Callable[[str, Asked], Json]
    spreads: bool = True
    needs: str | None = None


AGGREGATIONS: dict[str, Aggregation] = {
    "total_count": Aggregation("integer", _total, spreads=False),
    "datetime_min": Aggregation("datetime", _end(min), spreads=False),
    "datetime_max": Aggregation("datetime", _end(max), spreads=False),
    "datetime_frequency": Aggregation("datetime", _datetimes),
    "collection_frequency": Aggregation("string", _collections),
    "cloud_cover_frequency": Aggregation("numeric", _clouds, needs="eo:cloud_cover"),
    "sat_orbit_state_frequency": Aggregation("string", _orbit_states, needs="sat:orbit_state"),
    "sat_relative_orbit_frequency": Aggregation("numeric", _orbits, needs="sat:relative_orbit"),
}


def available(properties: Iterable[Any]) -> dict[str, Aggregation]:
    """Return the aggregations of Items that have these properties."""
    known = set(properties)
    return {name: each for name, each in AGGREGATIONS.items() if each.needs is None or each.needs in known}
