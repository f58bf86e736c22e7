"""The walk through one entity set, part after part, however many entities share a time.

A walk goes on behind `n` entities of one time by `$skip`, which reaches `OData.offset`. Where a run of
entities is longer than a page, one request tells whether it is longer than that, too: then it is left to a
walk of its own, sorted by another time, which passes over what was given of it before. Entities that have all
times in common are told apart by the beginnings of their names: as many are walked together as `$skip`
reaches, by their ids, which the upstream sorts by where times are equal.
"""

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, replace
from itertools import takewhile

from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.odata import OData
from stacbridge.dialects.odata_order import Place, Run
from stacbridge.dialects.odata_records import sort_value
from stacbridge.dialects.odata_scope import Scope
from stacbridge.errors import SearchTooWide, UpstreamError
from stacbridge.model import Json, Query, Reply, Request


@dataclass(frozen=True, slots=True)
class Part:
    """Some records of a walk, in order: the time of each in it, and whether it was asked for.

    A malformed record may have no time, `None`, and is found nowhere else: it goes with the one before it, or
    the first that has one. `start` is the place that was asked for, `place` the same as it is now, with the
    entities of its time that have come or gone. `more` tells that others follow those of the place, `count`
    how many match in all, if told.
    """

    of: OData
    start: Place
    place: Place
    records: list[Json]
    times: list[str | None]
    wanted: list[bool]
    more: bool
    count: int | None

    def time(self, number: int) -> str:
        """Return the time that a record is sorted by in the whole walk, whichever run it is in."""
        if self.place.within:
            return self.place.within[0].time
        return self.times[number] or next(filter(None, [*self.times[number::-1], *self.times]))

    def known(self, taken: int | None = None) -> list[str]:
        """Return the times that the first `taken` records have, or all."""
        return [time for time in self.times[:taken] if time is not None]

    def after(self, taken: int) -> Json | None:
        """Return the position behind the first `taken` records, `None` at the end of the walk."""
        if taken < len(self.records) or self.more:
            return self._behind(taken).position()
        outside = self.place.outside()
        return None if outside is None else outside.position()

    def _behind(self, taken: int) -> Place:
        known = [number for number, time in enumerate(self.times[:taken]) if time is not None]
        if not known:
            return self.start
        last = self.records[known[-1]].get("Id")
        return self.place.behind(self.known(taken), last if isinstance(last, str) else None)

    def long_run(self) -> Run | None:
        """Return the run that all records are of, where they make it longer than the largest page."""
        times = self.known()
        if not self.more or not times or times[0] != times[-1]:
            return None
        given = self.place.given_of(times[0])
        return Run(times[0], given) if given < self.of.page <= given + len(times) else None


@dataclass(frozen=True, slots=True)
class Walk:
    """The walk of a query through one entity set; `scope` is what the query asks of it."""

    of: OData
    query: Query
    scope: Scope

    def part(self, place: Place) -> Conversation[Part]:
        """Return what comes next at a place. Raises `BadRequest`, `SearchTooWide`, `UpstreamError`."""
        alike = self.of.order(self.query).alike(place)
        if alike and (place.time is None or place.given > self.of.offset):
            place = yield from self._within_reach(replace(place, time=None, given=0, last=None))
        elif place.time is not None and place.given > self.of.offset:
            return (yield from self._inside(place, Run(place.time, place.given)))
        found = yield from self._found(place)
        run = None if alike else found.long_run()
        if run is not None and (yield from self._is_out_of_reach(place.inside(run))):
            return (yield from self._inside(place, run))
        outside = place.outside()
        if not found.records and outside is not None:
            return (yield from self.part(outside))
        return found

    def _inside(self, place: Place, run: Run) -> Conversation[Part]:
        inside = place.inside(run)
        found = yield from self.part(inside)
        if found.place.within[: len(inside.within)] != inside.within:
            raise UpstreamError(
                f"It has entities of {run.time}, but finds none when asked for exactly these.",
                upstream=self.of.upstream,
            )
        return found

    def _within_reach(self, place: Place) -> Conversation[Place]:
        """Return where to begin among entities that are alike: at all of them, or at those of one stem."""
        while (yield from self._is_out_of_reach(place)):
            reply = yield self.of.ask_part(self.query, self.scope, place, 0, self.of.page, "Name")
            names = [str(record.get("Name")) for record in self.of.read(reply).records]
            place = place.among(self._stem(place, names))
        return place

    def _stem(self, place: Place, names: list[str]) -> str:
        """Return the beginning of many of these names. Raises `SearchTooWide` where they do not differ."""
        known = place.stems[-1].text if place.stems else ""
        common = _common(names)
        following = Counter(name[len(common)] for name in names if len(name) > len(common))
        stem = common + following.most_common(1)[0][0] if following else common
        if len(stem) <= len(known):
            raise SearchTooWide(
                f"More than {self.of.offset} items have not only all their times, but the name {common} too.",
                upstream=self.of.upstream,
                advice="Narrow the search by collection, area or a filter on another property.",
            )
        return stem

    def _found(self, place: Place, *, moved: bool = False) -> Conversation[Part]:
        """Return what follows a place; where all of the answer was given before, once more behind that.

        Raises `UpstreamError` where nothing of it is new then either.
        """
        one = self.of
        request = one.ask(replace(self.query, position=place.position()), self.scope)
        if request is None:
            return Part(one, place, place, [], [], [], False, 0)
        listing = one.read((yield request))
        order = one.order(self.query)
        path = order.path(place)
        first = next(filter(None, (sort_value(record, path) for record in listing.records)), None)
        if first is not None and order.goes_back(place, first):
            raise self._repeated()
        asked = dict(request.params)
        more = bool(listing.records) and (len(listing.records) >= int(asked["$top"]) or listing.more)
        here, records = _behind_last(place, int(asked.get("$skip", 0)), listing.records)
        if more and not records:
            if moved:
                raise self._repeated()
            return (yield from self._found(here, moved=True))
        before = yield from self._given(place)
        wanted = one.wanted(self.scope, records)
        if before:
            wanted = [
                each and record.get("Id") not in before for each, record in zip(wanted, records, strict=True)
            ]
        times = one.times(records, path)
        return Part(one, place, here, records, times, wanted, more, listing.count)

    def _repeated(self) -> UpstreamError:
        return UpstreamError(
            "It was asked for what follows, and answers what was given before.", upstream=self.of.upstream
        )

    def _is_out_of_reach(self, inside: Place) -> Generator[Request, Reply, bool]:
        """Tell whether `$skip` cannot reach all entities of a run."""
        return bool((yield from self._ids(inside, self.of.offset, 1)))

    def _given(self, place: Place) -> Generator[Request, Reply, set[str]]:
        """Return the ids of what was given of the runs at a place, before they were walked by themselves."""
        ids: set[str] = set()
        for depth, run in enumerate(place.within, 1):
            for start in range(0, run.given, self.of.page):
                skip = min(start, self.of.offset)
                top = min(self.of.page, run.given - skip)
                ids |= yield from self._ids(Place(place.within[:depth]), skip, top)
        return ids

    def _ids(self, inside: Place, skip: int, top: int) -> Generator[Request, Reply, set[str]]:
        reply = yield self.of.ask_part(self.query, self.scope, inside, skip, top, "Id")
        return {record["Id"] for record in self.of.read(reply).records if "Id" in record}


def _behind_last(place: Place, skip: int, records: list[Json]) -> tuple[Place, list[Json]]:
    """Return the place as it is now, and those of its entities behind `skip` that were not given before."""
    if skip == place.given:
        return place, records
    ids = [record.get("Id") for record in records]
    again = ids.index(place.last) + 1 if place.last in ids else 0
    return replace(place, given=skip + again), records[again:]


def _common(names: list[str]) -> str:
    """Return what all names begin with."""
    pairs = zip(min(names, default=""), max(names, default=""), strict=False)
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
