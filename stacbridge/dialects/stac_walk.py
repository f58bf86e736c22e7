"""One page of a search of a STAC API, in the order asked for.

An API that sorts by what is asked for is paged as it pages itself, in pages of one length:

    position = {"next": {"limit": 100, …}, "n": …, "m": …, "k": …, "i": [collection, id]}

`next` asks for the page (see `stac_search`), `n` items were given before it, `m` is the number of all matches
where it is told. `k` items of the page itself were given already, the last of them `i`: it goes on behind
that one, wherever in the page it has moved to.

Of another API, windows of time are read (see `time_walk`), and of a moment that holds too much, cells (see
`crowd`). Items that are named by their ids are read whole, in as many requests as their ids take, and sorted
here: `{"n": items given}` is the position.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

import shapely
from shapely.geometry import shape

from stacbridge import geometry
from stacbridge.dialects.cells import WORLD, Cell
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.stac_answers import Answers, lowest
from stacbridge.dialects.stac_records import identity, moment, properties, touches
from stacbridge.dialects.stac_scope import Scope
from stacbridge.dialects.stac_search import Searching
from stacbridge.dialects.time_walk import Lot, TimeWalk
from stacbridge.dialects.together import together
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.mapping.passthrough import Passthrough
from stacbridge.model import Interval, Json, Page, Query, SortKey

NEWEST_FIRST = (SortKey("datetime", descending=True),)
WINDOWS = 20
"""Windows of time that are read for one page at most."""


class Walk:
    """A search of one API."""

    def __init__(
        self, translation: Passthrough, searching: Searching, query: Query, scope: Scope, now: datetime
    ) -> None:
        self._now = now
        self._id, self._title = translation.id, translation.title
        self._fields, self._searching, self._scope = translation.fields, searching, scope
        self._keys = tuple(
            replace(key, name=key.name.removeprefix("properties.")) for key in query.sortby or NEWEST_FIRST
        )
        self._native = all(key.name in translation.habits.sortables for key in self._keys)
        query = replace(query, collections=scope.collections, ids=scope.ids, interval=scope.interval)
        self._query = replace(query, sortby=self._keys if self._native else ())
        place = query.intersects or (geometry.box(query.bbox) if query.bbox else None)
        self._wanted: Any = None if place is None else shape(place)
        area: Any = None
        if query.intersects and not searching.fits(query, scope.filter):
            area = self._wanted
            self._query = replace(self._query, intersects=None, bbox=area.bounds)
        self._answers = Answers(self._id, searching, scope.filter, area)
        # More is asked for than is wanted, so that counts are too high.
        self._wider = bool(scope.checked) or area is not None

    def page(self) -> Conversation[Page]:
        """Return the page at the query's position. Raises `BadRequest`, `SearchTooWide`, `UpstreamError`."""
        if not self._native and [key.name for key in self._keys] != ["datetime"]:
            names = ", ".join(repr(key.name) for key in self._keys)
            raise BadRequest(f"{self._title} cannot sort by {names}.", parameter="sortby")
        if self._query.ids:
            return (yield from self._named())
        return (yield from (self._sorted() if self._native else self._by_time()))

    # As the API sorts -----------------------------------------------------------------------------
    def _sorted(self) -> Conversation[Page]:
        position = self._query.position or {"next": {"limit": self._length()}}
        if "limit" not in position.get("next", ()):
            raise BadRequest(
                "The token cannot be used: another version of this server made it.",
                parameter="token",
                advice="Start the search again without a token.",
            )
        answer = yield from self._answers.page(self._query, position["next"])
        given = int(position.get("n", 0)) + answer.length
        least = lowest(position.get("m"), answer.matched)
        following = None
        if answer.following is None:
            self._answers.see_end(given, least)
        else:
            following = {"next": answer.following, "n": given, "m": least}
        start = _passed(answer.records, position)

        def after(count: int) -> Json:
            return {**position, "k": start + count, "i": identity(answer.records[start + count - 1])}

        told = None if self._wider else least
        return Page(answer.records[start:], following, told, self._scope.checked, after=after)

    def _length(self) -> int:
        """Return how long pages are to be: as long as they can where more is asked for than is wanted."""
        return self._searching.page if self._wider else min(self._query.limit, self._searching.page)

    # By windows of time ---------------------------------------------------------------------------
    def _by_time(self) -> Conversation[Page]:
        def read(interval: Interval, size: int, *, whole: bool, path: str = "") -> Conversation[Lot | None]:
            query = replace(self._query, interval=interval, limit=size, position=None)
            cell = Cell(path=path)
            if path:
                if self._wanted is not None and not self._wanted.intersects(shapely.box(*cell.box)):
                    return Lot([], True, 0)
                query = replace(query, bbox=cell.box, intersects=None)
            found, complete, matched = yield from self._answers.whole(query, None if whole else size)
            return None if whole and not complete else Lot(self._own(found, cell), complete, matched)

        walk = TimeWalk(
            upstream=self._id,
            interval=self._query.interval or Interval(None, None),
            newest_first=self._keys[0].descending,
            limit=self._query.limit,
            windows=WINDOWS,
            now=self._now,
            place=lambda record: (moment(record), f"{record.get('id')} {record.get('collection')}"),
            read=read,
            splits=self._splits,
        )
        at = yield from walk.fill(self._query.position)
        records = [*walk.found, *walk.odd]
        matched = yield from self._matched(records, at)
        return Page(records, at, matched, self._scope.checked, after=walk.after)

    def _splits(self, interval: Interval) -> Conversation[bool]:
        """Tell whether asking for cells loses nothing: an item without a place is in none of them."""
        if self._wanted is not None:
            return True
        every = replace(self._query, interval=interval, limit=1, position=None)
        found = yield from together(
            [self._answers.page(every), self._answers.page(replace(every, bbox=WORLD))]
        )
        everywhere, placed = (answer.matched for answer in found)
        return placed is not None and placed == everywhere

    def _own(self, records: list[Json], cell: Cell) -> list[Json]:
        """Return the records that belong to a cell, and are where the search wants them."""
        if not cell.path:
            return records
        named = [{"GeoFootprint": record.get("geometry"), "record": record} for record in records]
        own = [each["record"] for each in cell.own(named)]
        return own if self._wanted is None else [each for each in own if touches(each, self._wanted)]

    def _matched(self, records: list[Json], at: Json | None) -> Conversation[int | None]:
        """Return the number of all matches: these, where they are all, or what the API says to one question
        for all."""
        if self._wider or not self._query.count or self._query.position is not None:
            return None
        if at is None:
            return len(records)
        return (yield from self._answers.page(replace(self._query, limit=1))).matched

    # Items by id ----------------------------------------------------------------------------------
    def _named(self) -> Conversation[Page]:
        query = replace(self._query, sortby=(), limit=len(self._query.ids))
        runs = self._searching.runs(query, self._scope.filter)
        answers = yield from together(self._answers.whole(run, None) for run in runs)
        if not all(complete for _, complete, _ in answers):
            raise UpstreamError(f"{self._id} answers item ids with pages without end.", upstream=self._id)
        found = [record for records, _, _ in answers for record in records if record.get("id") in query.ids]
        for key in reversed(self._keys):
            found = self._ordered(found, key)
        start = int((self._query.position or {}).get("n", 0))
        end = start + self._query.limit
        position = {"n": end} if end < len(found) else None
        matched = None if self._wider else len(found)

        def after(count: int) -> Json:
            return {"n": start + count}

        return Page(found[start:end], position, matched, self._scope.checked, after=after)

    def _ordered(self, records: list[Json], key: SortKey) -> list[Json]:
        values = [(self._value(record, key.name), record) for record in records]
        known = [pair for pair in values if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=key.descending)
        return [record for _, record in known] + [record for value, record in values if value is None]

    def _value(self, record: Json, name: str) -> Any:
        if name == "datetime":
            return moment(record)
        found = record.get(name) if name in ("id", "collection") else properties(record).get(name)
        return self._fields[name].read(found) if found is not None and name in self._fields else found


def _passed(records: list[Json], position: Json) -> int:
    """Return how many records of a page were given before: where the last of them is gone, one less."""
    named = [identity(record) for record in records]
    last = position.get("i")
    return named.index(last) + 1 if last in named else max(0, int(position.get("k", 0)) - 1)
