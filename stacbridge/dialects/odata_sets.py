"""All entity sets of an OData archive as one: each asked on its own, and their answers put in one order.

    position = {"at": [{…}, null, …], "m": …}

A search is one walk, or several: one for each entity set that it concerns, and of these one for as many ids
as a request can hold. `at` says where each goes on (`null`: it has ended), `m` is the number of all matches,
where it was counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import merge
from itertools import chain

from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.odata import DEFAULT_ORDER, PRODUCTS, OData
from stacbridge.dialects.odata_order import Place
from stacbridge.dialects.odata_scope import ENTITY_SETS
from stacbridge.dialects.odata_walk import Part, Walk
from stacbridge.dialects.together import together
from stacbridge.errors import BadRequest
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Page, Query

START: Json = {}
"""The position of a walk that has not begun."""
Entry = tuple[int, int]
"""A record: the number of its walk, and its own among the records of that."""


class ODataSets:
    """The dialect of a catalogue with `Products` and further entity sets."""

    def __init__(self, mapping: Mapping) -> None:
        families = {spec.family for spec in mapping.specs.values()}
        own = [name for name in ENTITY_SETS if name in families]
        self._sets = [OData(mapping, name) for name in (PRODUCTS, *own)]

    def walk(self, query: Query) -> Conversation[Page]:
        """Return a page. Raises `UnsupportedFilter` and `BadRequest`, `UpstreamError`."""
        found = {one: one.find(query) for one in self._sets}
        scopes = {one: scope for one, scope in found.items() if scope.text is not False}
        walks = [
            Walk(one, part, scope)
            for one, scope in scopes.items()
            for part in one.split(_sortable(one, scopes, query), scope)
        ]
        if not walks:
            return Page([], matched=0 if query.count else None)
        places = _read(query.position, len(walks))
        going = [(walk, Place.read(at)) for walk, at in zip(walks, places, strict=True) if at is not None]
        found_parts = iter((yield from together(walk.part(place) for walk, place in going)))
        parts = [None if at is None else next(found_parts) for at in places]
        checked = dict.fromkeys(chain.from_iterable(scope.checked for scope in scopes.values()))
        return _page(parts, query, tuple(checked))


def _sortable(one: OData, concerned: Iterable[OData], query: Query) -> Query:
    """Leave out an order by what the set's items lack: they come last, in the order of no other."""
    key = query.sortby[0] if query.sortby else DEFAULT_ORDER
    lacking = not one.knows(key) and any(other.knows(key) for other in concerned)
    return replace(query, sortby=()) if lacking else query


def _page(parts: list[Part | None], query: Query, checked: tuple[str, ...]) -> Page:
    chosen: list[Entry] = []
    left = query.limit
    taken = [0] * len(parts)
    for walk, number in _in_order(parts, query):
        part = parts[walk]
        assert part is not None
        if part.wanted[number]:
            if not left:
                break
            chosen.append((walk, number))
            left -= part.times[number] is not None  # else the page would begin where it ends
        taken[walk] = number + 1
        if taken[walk] == len(part.records) and part.after(taken[walk]) is not None:
            break  # what follows in this walk may come before the records of the others
    matched = _matched(parts, query, checked)
    records = [part.records[number] for walk, number in chosen if (part := parts[walk]) is not None]
    position = _position(parts, dict(enumerate(taken)), matched)

    def after(count: int) -> Json | None:
        return _position(parts, {walk: number + 1 for walk, number in chosen[:count]}, matched)

    return Page(records, position, matched, checked, after=after)


def _in_order(parts: list[Part | None], query: Query) -> Iterator[Entry]:
    """Return all records in the order that was asked for; those of sets that lack its property come last."""
    key = query.sortby[0] if query.sortby else DEFAULT_ORDER

    def entries(walk: int, part: Part) -> list[tuple[str, Entry]]:
        return [(part.time(number), (walk, number)) for number in range(len(part.records))]

    asked = [(walk, part) for walk, part in enumerate(parts) if part is not None]
    if len(asked) == 1:
        walk, part = asked[0]
        return ((walk, number) for number in range(len(part.records)))
    having = [entries(walk, part) for walk, part in asked if part.of.knows(key)]
    lacking = [entries(walk, part) for walk, part in asked if not part.of.knows(key)]
    ordered = merge(*having, key=lambda entry: entry[0], reverse=key.descending)
    return (entry for _, entry in chain(ordered, *lacking))


def _read(position: Json | None, walks: int) -> list[Json | None]:
    if not position:
        return [START] * walks
    found = position.get("at")
    if not isinstance(found, list) or len(found) != walks:
        raise BadRequest("The page token does not say where the last page ended.", parameter="token")
    return found


def _position(parts: list[Part | None], taken: dict[int, int], matched: int | None) -> Json | None:
    found = [None if part is None else part.after(taken.get(walk, 0)) for walk, part in enumerate(parts)]
    if all(at is None for at in found):
        return None
    return {"at": found} if matched is None else {"at": found, "m": matched}


def _matched(parts: list[Part | None], query: Query, checked: tuple[str, ...]) -> int | None:
    """Return how many match in all: carried along, or counted on the first page."""
    if checked or (query.position and "m" not in query.position):
        return None
    if query.position:
        return int(query.position["m"])
    counts = [part.count for part in parts if part is not None]
    return None if None in counts else sum(count for count in counts if count is not None)
