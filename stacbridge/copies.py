"""Which Items of other catalogues are of the same scenes: each catalogue asked once for all, all at once.

Most are asked for ids. One that would look up each id on its own (`SlowById`) is asked for the time of the
scenes instead, in halves where more is in it than a page holds.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from stacbridge.catalogue import Catalogue, Selective, SlowById
from stacbridge.errors import BadRequest, StacbridgeError
from stacbridge.federation import Federation
from stacbridge.model import Found, Interval, Json, Query
from stacbridge.patience import Asked
from stacbridge.scalars import instant
from stacbridge.settings import Settings
from stacbridge.spans import FIRST, LAST, bounded

log = logging.getLogger(__name__)

ENDINGS = (".SAFE.zip", ".SEN3.zip", ".SAFE", ".SEN3", ".zip", "")
DATED = re.compile(r"(?<!\d)(?:19|20)\d{6}(?!\d)", re.ASCII)
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
"""How far catalogues may be apart in the time that they state of one scene: one that is asked by time, and
one that is asked for ids, in some of its years rather than all."""

Span = tuple[datetime, datetime]
Copies = dict[str, list[tuple[str, Json]]]
"""Items by the name of their scene, each with the id of its catalogue."""


def scene(id: str) -> str | None:
    """Return the name of the product that an Item's id names, without the ending of its package."""
    name = id.removesuffix(next(ending for ending in ENDINGS if id.endswith(ending)))
    return name if DATED.search(name) else None


@dataclass(frozen=True, slots=True)
class Errand:
    """What a catalogue is asked for: ids, or Items of the `times` of scenes `within` that of the search."""

    catalogue: Catalogue
    query: Query
    within: Interval | None = None
    times: Mapping[str, Span] = field(default_factory=dict)

    def further(self, found: Found | None) -> "list[Errand]":
        """Return what is left to ask behind an answer; `None` is one that would have been too long."""
        if found is not None and found.position is None:
            return []
        if self.query.ids and found is not None:
            return [replace(self, query=replace(self.query, position=found.position))]
        if self.query.ids:
            return []
        names = sorted(self.times, key=lambda name: self.times[name])
        if len(names) == 1:
            return [replace(self, query=replace(self.query, ids=_spelt(names, self.catalogue, ())))]
        half = len(names) // 2
        return [self._of(names[:half]), self._of(names[half:])]

    def _of(self, names: Iterable[str]) -> "Errand":
        times = {name: self.times[name] for name in names}
        return replace(self, query=during(self.query, self.within, times, AN_HOUR), times=times)


class Register:
    """Finds the copies of scenes in the catalogues of a federation."""

    def __init__(self, federation: Federation, settings: Settings) -> None:
        self._federation = federation
        self._ids, self._limit = settings.max_ids, settings.max_limit
        self._rounds, self._deadline = settings.max_upstream_pages, settings.catalogue_deadline

    def copies(
        self, items: Sequence[Json], wanted: Mapping[str, Set[str]], query: Query, root: str
    ) -> Copies:
        """Return Items that match `query` and are of the same scenes as `items`, these included.

        `wanted` are the names of the scenes that each catalogue is asked for, by its id. Those that fail or
        are late tell none.
        """
        owners, found, seen = self._federation.owners(), Copies(), set[tuple[str, str]]()
        held = ((owners.get(item["collection"], ""), item) for item in items)
        for owner, item in [*held, *self._asked(self._errands(items, wanted, query), root)]:
            name, key = scene(item["id"]), (item["collection"], item["id"])
            if name is not None and key not in seen and (not query.ids or item["id"] in query.ids):
                found.setdefault(name, []).append((owner, item))
                seen.add(key)
        return found

    def _errands(
        self, items: Sequence[Json], wanted: Mapping[str, Set[str]], query: Query
    ) -> Iterator[Errand]:
        known = _times(items)
        query = replace(query, sortby=(), count=False)
        for catalogue, own in self._federation.steps(replace(query, ids=())):
            times = {name: known[name] for name in sorted(wanted.get(catalogue.id, ())) if name in known}
            ids = _spelt(times, catalogue, query.ids)
            if not ids:
                continue
            own = replace(own, limit=self._limit)
            if isinstance(catalogue, SlowById) and catalogue.slow_by_id:
                yield Errand(catalogue, during(own, query.interval, times, AN_HOUR), query.interval, times)
                continue
            own = during(own, query.interval, times, A_DAY)
            for some in batches(ids, self._ids):
                yield Errand(catalogue, replace(own, ids=some))

    def _asked(self, errands: Iterable[Errand], root: str) -> Iterator[tuple[str, Json]]:
        """Yield what comes of errands and of those that follow, as far as they go within the deadline."""
        clock = self._federation.clock
        until, pending = clock() + self._deadline, list(errands)
        for _ in range(self._rounds):
            asked = [(each, self._federation.ask(each.catalogue, each.query, root)) for each in pending]
            wait([one.answer for _, one in asked], max(0, until - clock()))
            pending = []
            for errand, one in asked:
                found = _told(errand, one)
                yield from ((errand.catalogue.id, item) for item in (found.items if found else ()))
                pending += errand.further(found)
            if not pending:
                return
        log.warning("Copies of scenes are not all known: there are more than %d pages.", self._rounds)


def batches(ids: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    """Yield the ids, `size` of them at a time."""
    for start in range(0, len(ids), size):
        yield tuple(ids[start : start + size])


def during(query: Query, within: Interval | None, times: Mapping[str, Span], around: timedelta) -> Query:
    """Return a search of the time of scenes, and so long before and after.

    What overlaps that and the time `within` which a search is overlaps what these share, as they meet.
    """
    starts, ends = zip(*times.values(), strict=True)
    first, last = max(min(starts), FIRST) - around, min(max(ends), LAST) + around
    since, until = (within.start, within.end) if within else (None, None)
    return replace(query, interval=bounded(max(first, since or first), min(last, until or last)))


def _told(errand: Errand, asked: Asked) -> Found | None:
    """Return an answer: one of nothing where it failed or is late, `None` where it would be too long."""
    try:
        found: Found = asked.answer.result(0)
        return found
    except BadRequest as failure:
        if not errand.query.ids:
            return None
        reason = str(failure)
    except TimeoutError:
        reason = "it has not answered yet"
    except StacbridgeError as failure:
        reason = str(failure)
    log.warning("Copies of scenes in %s are not known: %s", errand.catalogue.id, reason)
    return Found([])


def _spelt(names: Iterable[str], catalogue: Catalogue, among: Sequence[str]) -> tuple[str, ...]:
    """Return the ids that Items of these scenes may have in a catalogue, `among` those of a search."""
    spelt = (f"{name}{ending}" for name in names for ending in ENDINGS)
    ids = [id for id in spelt if not among or id in among]
    return tuple(id for id in ids if not isinstance(catalogue, Selective) or catalogue.may_hold(id))


def _times(items: Iterable[Json]) -> dict[str, Span]:
    """Return the first and the last time that Items state, by the name of their scene."""
    found: dict[str, Span] = {}
    for item in items:
        told = (item["properties"].get(name) for name in ("datetime", "start_datetime", "end_datetime"))
        times = [time for time in map(instant, told) if time]
        if (name := scene(item["id"])) is not None and times:
            times += found.get(name, ())
            found[name] = min(times), max(times)
    return found
