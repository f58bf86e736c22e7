"""All entity sets of an OData archive as one: each asked on its own, and their answers put in one order.

    position = {"m": …, "Products": {…}, "Bursts": …}

A search that concerns one set is walked as `odata` does. Where several are concerned, the position holds
where each goes on (`None`: it has ended; absent: it starts), and `m` as there.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from heapq import merge
from itertools import chain, islice
from typing import NamedTuple

from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.odata import DEFAULT_ORDER, PRODUCTS, OData
from stacbridge.dialects.odata_records import Listing
from stacbridge.dialects.odata_scope import ENTITY_SETS
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Page, Query, Reply, Request

START: Json = {}
"""The position of a set that was not asked yet."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One set's share of a page: the query that it was asked, and what it answered."""

    of: OData
    query: Query
    listing: Listing


class _Entry(NamedTuple):
    """A record on its way into a page, and the number of the part that it comes from."""

    part: int
    record: Json


class ODataSets:
    """The dialect of a catalogue with `Products` and further entity sets."""

    def __init__(self, mapping: Mapping) -> None:
        families = {spec.family for spec in mapping.specs.values()}
        own = [name for name in ENTITY_SETS if name in families]
        self._sets = [OData(mapping, name) for name in (PRODUCTS, *own)]

    def walk(self, query: Query) -> Conversation[Page]:
        """Return a page. Raises `UnsupportedFilter` and `BadRequest`, `UpstreamError`."""
        concerned = [one for one in self._sets if one.concerns(query)]
        if not concerned:
            return Page([], matched=0 if query.count else None)
        if len(concerned) > 1:
            return (yield from _together(concerned, query))
        (only,) = concerned
        request = only.ask(query)
        return Page([]) if request is None else only.read((yield request), query)


def _together(sets: list[OData], query: Query) -> Conversation[Page]:
    before = query.position or START
    parts: list[_Part] = []
    for one in sets:
        at = before.get(one.entity_set, START)
        if at is not None:
            parts.append((yield from _part(one, replace(_sortable(one, query), position=at or None))))
    chosen = _chosen(parts, query)
    position: dict[str, Json | None] = {one.entity_set: None for one in sets}
    for number, part in enumerate(parts):
        position[part.of.entity_set] = _after(part, _of(number, chosen))
    records = _wanted(parts, chosen)
    matched = before.get("m", _count(parts) if query.count and not before else None)
    checked = tuple(dict.fromkeys(name for one in sets for name in one.checked(query)))
    if all(at is None for at in position.values()):
        return Page(records, None, matched, checked)
    counted = {} if matched is None else {"m": matched}
    return Page(records, {**counted, **position}, matched, checked)


def _part(one: OData, query: Query) -> Generator[Request, Reply, _Part]:
    request = one.ask(query)
    listing = Listing([], False, None) if request is None else one.listing((yield request), query)
    return _Part(one, query, listing)


def _sortable(one: OData, query: Query) -> Query:
    """Leave out an order by what the set's items lack: they come last, in the order of no other."""
    return query if all(map(one.knows, query.sortby)) else replace(query, sortby=())


def _chosen(parts: list[_Part], query: Query) -> list[_Entry]:
    """Return the records of the page, in the order that was asked for."""
    key = query.sortby[0] if query.sortby else DEFAULT_ORDER
    having = [number for number, part in enumerate(parts) if part.of.knows(key)]
    lacking = [number for number in range(len(parts)) if number not in having]

    def value(entry: _Entry) -> str:
        return parts[entry.part].of.sort_value(parts[entry.part].query, entry.record)

    ordered = merge(*(_entries(parts, number) for number in having), key=value, reverse=key.descending)
    rest = chain.from_iterable(_entries(parts, number) for number in lacking)
    return list(islice(chain(ordered, rest), query.limit))


def _entries(parts: list[_Part], number: int) -> list[_Entry]:
    return [_Entry(number, record) for record in parts[number].listing.records]


def _of(number: int, chosen: list[_Entry]) -> list[Json]:
    return [entry.record for entry in chosen if entry.part == number]


def _after(part: _Part, taken: list[Json]) -> Json | None:
    """Return where a set goes on after what was taken of its records."""
    if not taken and part.listing.records:
        return part.query.position or START
    more = part.listing.more or len(taken) < len(part.listing.records)
    return part.of.position(part.query, taken, more=more)


def _wanted(parts: list[_Part], chosen: list[_Entry]) -> list[Json]:
    keep = {
        id(record)
        for number, part in enumerate(parts)
        for record in part.of.wanted(part.query, _of(number, chosen))
    }
    return [entry.record for entry in chosen if id(entry.record) in keep]


def _count(parts: list[_Part]) -> int | None:
    counts = [part.listing.count for part in parts]
    return None if None in counts else sum(count for count in counts if count is not None)
