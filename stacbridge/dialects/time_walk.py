"""A walk by time over an upstream that does not sort: windows of time are read whole, and sorted here.

A record belongs to the window that it starts in. Upstreams are asked for what overlaps a window, so that
those which start before it come along, and are left for another. What starts before the time asked for and
reaches into it is one window of its own: no time range tells its records apart. More records of a moment, or
of that window, than can be read at once are walked as a crowd (see `crowd`), where the upstream can be asked
for areas.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Protocol

from stacbridge import scalars
from stacbridge.dialects.crowd import Crowd, Jumbled, Placed
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.sedas_windows import NARROWEST, Window, moment
from stacbridge.errors import BadRequest, SearchTooWide
from stacbridge.model import Interval, Json

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""What an open end is taken for."""
EARLY = datetime(1972, 1, 1, tzinfo=UTC)
"""Observations from orbit begin hardly before: Landsat 1 was launched in 1972."""
LEAST = 100
"""Records that a window may hold at least before it is split."""
FEW = 4
"""Cells of a crowd, if all were full, that are looked through before the first of its records is given."""
TICK = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Lot:
    """Records of a window: all of them, or some that tell where they are; `matched` is how many there are in
    all, where that is told."""

    records: list[Json]
    complete: bool
    matched: int | None = None


class Read(Protocol):
    """Asks for the records of a time range, which are read whole up to `size`; with `whole`, all are.

    `path` leads to the cell that they are to belong to. `None` is returned where there are too many for that.
    """

    def __call__(
        self, interval: Interval, size: int, *, whole: bool, path: str = ""
    ) -> Conversation[Lot | None]:
        """Return the records."""
        ...


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Times from `since` to `until`, both included; split into windows, or one that is read whole."""

    since: datetime
    until: datetime
    splits: bool


@dataclass(slots=True)
class TimeWalk:
    """One page of a walk. `place` gives a record's start and id; `windows` are read for a page at most;
    `splits` tells whether an area can be asked for without losing any of a time range's records.

    What starts before `EARLY` or after `now`, of which there is little, is asked for apart.
    """

    upstream: str
    interval: Interval
    newest_first: bool
    limit: int
    windows: int
    now: datetime
    place: Callable[[Json], tuple[datetime | None, str]]
    read: Read
    splits: Callable[[Interval], Conversation[bool]]
    found: list[Json] = field(default_factory=list)
    sources: list[Window | Crowd] = field(default_factory=list)
    """What each record was found in."""
    odd: list[Json] = field(default_factory=list)
    """Records without a time, which have no place in the order; they come with the last window."""

    def fill(self, position: Json | None) -> Conversation[Json | None]:
        """Find records up to `limit`, and return where the next page starts, `None` at the end.

        The page is shorter, or empty, where `windows` do not suffice. Raises `SearchTooWide` for more at one
        time than can be read.
        """
        stretches = self._stretches()
        number, at = self._start(stretches, position)
        for _ in range(self.windows):
            if len(self.found) >= self.limit:
                break
            at = yield from self._next(stretches[number], at)
            over = isinstance(at, Window) and at.over
            if over and number + 1 == len(stretches):
                return None
            if over:
                number, self.odd = number + 1, []
                at = self._first(stretches[number])
        return at.position()

    def after(self, count: int) -> Json:
        """Return the position behind the first `count` records; those without a time go with the last."""
        last = min(count, len(self.found)) - 1
        source, (start, id) = self.sources[last], self.place(self.found[last])
        assert start is not None
        return source.resting(source.key(start), id).position()

    @property
    def _size(self) -> int:
        return max(LEAST, 4 * self.limit)

    def _give(self, records: list[Json], source: Window | Crowd) -> None:
        self.found += records
        self.sources += [source] * len(records)

    def _next(self, stretch: _Stretch, at: Window | Crowd) -> Conversation[Window | Crowd]:
        return self._among(stretch, at) if isinstance(at, Crowd) else self._step(stretch, at)

    def _among(self, stretch: _Stretch, crowd: Crowd) -> Conversation[Window | Crowd]:
        """Read a cell of a crowd, and return what comes next."""
        asked, deepest = self._asked(stretch, crowd.asked), not crowd.cell.quarters()
        lot = yield from self.read(asked, self._size, whole=deepest, path=crowd.path)
        records = [] if lot is None else lot.records
        placed = [
            Placed(crowd.window.key(start), id, record)
            for record in records
            for start, id in [self.place(record)]
            if start is not None
        ]
        if lot is None or not lot.complete:
            few = lot is not None and lot.matched is not None and lot.matched <= FEW * self._size
            narrowed = crowd.narrowed([each.key for each in placed], few=few)
            if narrowed is None:
                raise self._crowded(stretch, crowd.window)
            return narrowed
        try:
            given, following = crowd.take(placed, self.limit - len(self.found))
        except Jumbled:
            raise self._crowded(stretch, crowd.window) from None
        self._give(given, crowd)
        if crowd.window.end > crowd.window.last:
            self.odd += [record for record in records if self.place(record)[0] is None]
        return following or crowd.window.following(len(given), self._size)

    def _step(self, stretch: _Stretch, window: Window) -> Conversation[Window | Crowd]:
        """Read a window, and return what comes next: what is left of it, the next one, or a narrower one."""
        size, asked = self._size, self._asked(stretch, window)
        lot = yield from self.read(asked, size, whole=window.narrowest or not stretch.splits)
        if lot is None:
            if (yield from self.splits(asked)):
                return Crowd(window)
            raise self._crowded(stretch, window)
        placed = self._placed(window, lot.records)
        if not lot.complete:
            return _narrowed(window, [key for key, _, _ in placed], size / (2 * (lot.matched or 2 * size)))
        left = self.limit - len(self.found)
        self._give([record for _, _, record in placed[:left]], window)
        if len(placed) > left:
            key, id, _ = placed[left - 1]
            return window.resting(key, id)
        following = window.following(len(placed), size)
        if following.over:
            self.odd = [record for record in lot.records if self.place(record)[0] is None]
        return following

    def _placed(self, window: Window, records: list[Json]) -> list[tuple[int, str, Json]]:
        """Return the records of a window in order, each once, by their places."""
        found: dict[tuple[int, str], Json] = {}
        for record in records:
            start, id = self.place(record)
            if start is not None and window.holds(window.key(start), id):
                found.setdefault((window.key(start), id), record)
        return [(*place, found[place]) for place in sorted(found)]

    def _stretches(self) -> list[_Stretch]:
        """Return the times to walk, in the order of the walk."""
        start, end = self.interval.start, self.interval.end or LAST
        first, last = start or FIRST, max(start or FIRST, end)
        cuts = sorted({cut for cut in (EARLY, _after(self.now)) if first < cut <= last})
        edges = [first, *cuts, last + TICK]
        found = [_Stretch(since, until - TICK, splits=True) for since, until in pairwise(edges)]
        if start is not None and start > FIRST:
            found.insert(0, _Stretch(FIRST, start - TICK, splits=False))
        return found[::-1] if self.newest_first else found

    def _start(self, stretches: list[_Stretch], position: Json | None) -> tuple[int, Window | Crowd]:
        if position is None:
            return 0, self._first(stretches[0])
        at = scalars.instant(position.get("t"))
        for number, stretch in enumerate(stretches):
            if at is not None and stretch.since <= at <= stretch.until:
                window = self._first(stretch).resumed(position)
                if "c" in position:
                    return number, Crowd.resumed(window, position)
                return number, window if stretch.splits else _widest(window)
        raise BadRequest("The page token does not say where the last page ended.", parameter="token")

    def _first(self, stretch: _Stretch) -> Window:
        return Window.first(stretch.since, stretch.until, newest_first=self.newest_first)

    def _asked(self, stretch: _Stretch, window: Window) -> Interval:
        """Return the time range to ask for, in whole seconds; open where it ends with time itself."""
        if not stretch.splits:
            return Interval(self.interval.start, self.interval.start)
        low, high = _ends(window)
        return Interval(
            None if low <= FIRST else low.replace(microsecond=0),
            None if high >= LAST else (high + SECOND - TICK).replace(microsecond=0),
        )

    def _crowded(self, stretch: _Stretch, window: Window) -> SearchTooWide:
        low, high = _ends(window)
        when = f"from {scalars.rfc3339(low)} to {scalars.rfc3339(high)}"
        if not stretch.splits and self.interval.start is not None:
            when = f"before {scalars.rfc3339(self.interval.start)} and reach beyond"
        return SearchTooWide(
            f"{self.upstream} does not sort, and has more records that start {when} than can be sorted here.",
            upstream=self.upstream,
            parameter="collections",
            advice="Name one collection, or narrow the search in time or area.",
        )


def _after(now: datetime) -> datetime:
    """Return the end of tomorrow: clocks differ."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)


def _narrowed(window: Window, keys: list[int], share: float) -> Window:
    """Return the start of a window that holds about this share of its records, of which some are known."""
    whole = window.end - window.at
    known = sorted(key - window.at for key in keys)
    wanted = known[int(len(known) * min(share, 0.5))] if known else whole // 2
    return replace(window, width=max(NARROWEST, min(wanted, whole * 3 // 4)))


def _widest(window: Window) -> Window:
    return replace(window, width=max(window.width, window.last - window.at + 1))


def _ends(window: Window) -> tuple[datetime, datetime]:
    keys = (window.at, window.end - 1)
    low, high = sorted(moment(-key if window.newest_first else key) for key in keys)
    return low, high
