"""The steps of a search in one order, each of them sorted by the service: only as much of a step is asked for
as may come next.

A step need not be asked while all that it may have comes later: the last time that it was asked, or the
extent of its collection, tells where it goes on.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.opensearch.plan import Step
from stacbridge.dialects.opensearch.position import Position
from stacbridge.dialects.sedas_windows import moment, ticks
from stacbridge.dialects.together import together
from stacbridge.model import Json

MARGIN = timedelta(days=1)
"""How far a collection may reach beyond the extent that it tells, which is often in whole days."""
AT_ONCE = 8
"""Steps that are asked first at most, where it is known of all of them where they go on."""
LEAST = 10
"""Records that a step is asked for at least, so that it need not be asked again at once."""


class Entry(NamedTuple):
    """A record, what it is sorted by (`None`: nothing), and where its step goes on behind it."""

    record: Json
    key: Any
    after: Position

    def behind(self) -> Position:
        """Return where its step goes on, and what is sorted by at best there."""
        return replace(self.after, head=_head(self.key))


@dataclass(frozen=True, slots=True)
class Given:
    """A page of a step; `following` is where the next starts, `None` at the end. `total` is the number of all
    records in the step, where it is told and can be right. `parts` come before what follows, each to be asked
    for by itself; `edge` is what is sorted by at best behind them."""

    entries: list[Entry]
    following: Position | None
    total: int | None
    parts: list[Position] = field(default_factory=list)
    edge: Any = None


@dataclass(slots=True)
class Run:
    """A step or a part of one under way: `at` is the page to ask for next (`None`: none is left), `reach`
    what is sorted by at best there (`None`: not known), `rest` where it stands while records of the last
    page wait."""

    step: Step
    at: Position | None
    reach: Any = None
    partial: bool = False
    rest: Position | None = None
    waiting: deque[Entry] = field(default_factory=deque)
    total: int | None = None

    @property
    def open(self) -> bool:
        """Whether it must be asked to know what comes next."""
        return not self.waiting and self.at is not None

    @property
    def key(self) -> Any:
        """What the next record is sorted by."""
        return self.waiting[0].key

    def take(self) -> Entry:
        """Return the next record."""
        entry = self.waiting.popleft()
        self.rest = entry.after
        self.reach = self.reach if entry.key is None else entry.key
        return entry

    def parts(self, given: Given) -> list["Run"]:
        """Return the parts to ask for before what follows."""
        return [Run(self.step, at, self.reach, partial=True) for at in given.parts]

    def fill(self, given: Given) -> None:
        """Take the page that was asked for."""
        self.rest, self.at = self.at, given.following
        self.reach = self.reach if given.edge is None else given.edge
        self.total = given.total if self.total is None else self.total
        self.waiting.extend(given.entries)

    def position(self) -> Position | None:
        """Return where it goes on."""
        if self.waiting and self.rest is not None:
            return replace(self.rest, head=_head(self.key))
        return None if self.at is None else replace(self.at, head=_head(self.reach))


Ask = Callable[[Run, int], Conversation[Given]]
Stand = tuple[Run, Position | None]
"""A run, and where it goes on."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Puts runs in one order, by what their entries are sorted by; of equal ones, those of the run that is
    listed first come first."""

    runs: list[Run]
    descending: bool
    at_once: int
    """Runs that are asked first at most, where it is known of all of them where they go on."""
    span: timedelta | None = None
    """The time that the last page went over: runs that go on within as much are asked first."""
    taken: list[tuple[Run, Entry]] = field(default_factory=list)
    stood: list[tuple[int, list[Stand]]] = field(default_factory=list)
    """How many records were taken when answers had come, and where the runs stood then."""

    def fill(self, limit: int, ask: Ask, rounds: int) -> Conversation[list[Json]]:
        """Return the next records, up to `limit`; fewer where the service is to be asked more than `rounds`
        times."""
        self._take(limit)
        for _ in range(rounds):
            wanted = self._wanted() if len(self.taken) < limit else []
            if not wanted:
                break
            count = min(limit, max(LEAST, 2 * limit // len(wanted)))
            pages = yield from together(ask(run, count) for run in wanted)
            for run, given in zip(wanted, pages, strict=True):
                self._insert(run, run.parts(given))
                run.fill(given)
            self._take(limit - len(self.taken))
        return [entry.record for _, entry in self.taken]

    def stands(self) -> list[Stand]:
        """Return where the runs go on."""
        return [(run, run.position()) for run in self.runs]

    def after(self, count: int) -> list[Stand]:
        """Return where the runs go on behind the first `count` records taken."""
        before, stands = next(each for each in reversed(self.stood) if each[0] < count)
        behind = {id(run): entry for run, entry in self.taken[before:count]}
        return [(run, behind[id(run)].behind() if id(run) in behind else at) for run, at in stands]

    def _take(self, limit: int) -> None:
        """Take the records that no step can come before."""
        self.stood.append((len(self.taken), self.stands()))
        for _ in range(limit):
            best = self._best()
            if best is None or self._before(best):
                return
            self.taken.append((best, best.take()))

    def _best(self) -> Run | None:
        """Return the run whose record comes next; one without anything to sort by comes at once."""
        ready = [run for run in self.runs if run.waiting]
        if not ready:
            return None
        odd = next((run for run in ready if run.key is None), None)
        return odd or (max if self.descending else min)(ready, key=lambda run: run.key)

    def _wanted(self) -> list[Run]:
        """Return the runs to ask before any record can be taken."""
        best = self._best()
        asked = [run for run in self.runs if run.open] if best is None else self._before(best)
        begun = [run.step.name for run in self.runs if run.partial and (run.open or run.waiting)]
        asked = [run for run in asked if run.partial or run.step.name not in begun]
        unknown = [run for run in asked if run.reach is None]
        return asked if best is not None else unknown or self._nearest(asked)

    def _nearest(self, asked: list[Run]) -> list[Run]:
        """Return the runs that are likely to come next: of the parts of a step, the first."""
        first: dict[str, Run] = {}
        for run in sorted(asked, key=lambda run: run.reach, reverse=self.descending):
            first.setdefault(run.step.name, run)
        known = list(first.values())
        near = [run for run in known if self.span is None or abs(run.reach - known[0].reach) <= self.span]
        return near[: self.at_once]

    def _before(self, best: Run) -> list[Run]:
        """Return the runs to ask that may have something that comes before the next record of one."""
        listed = [run is best for run in self.runs].index(True)
        return [
            run
            for number, run in enumerate(self.runs)
            if run.open and self._reaches(run, best.key, equal=number < listed)
        ]

    def _reaches(self, run: Run, key: Any, *, equal: bool) -> bool:
        """Tell whether a run may have something that comes before `key`, or with `equal` at it."""
        if run.reach is None or key is None:
            return key is not None
        if run.reach == key:
            return equal
        return bool(run.reach > key if self.descending else run.reach < key)

    def _insert(self, run: Run, parts: list[Run]) -> None:
        """List the parts of a run before it."""
        listed = [each is run for each in self.runs].index(True)
        self.runs[listed:listed] = parts


def outset(step: Step, at: Position | None, descending: bool) -> Any:
    """Return what the first record of a step at a position is sorted by at best, where time is sorted by."""
    if at is not None and at.head is not None:
        return moment(at.head)
    start, end = step.extent
    if descending:
        return None if end is None else end + MARGIN
    return None if start is None else start - MARGIN


def _head(key: Any) -> int | None:
    return ticks(key) if isinstance(key, datetime) else None
