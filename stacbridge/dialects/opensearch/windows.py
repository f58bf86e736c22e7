"""Splitting time where a service pages through so many records and no more.

A window is asked for as a time range, and holds the records that begin in it: one that reaches into two is
given once. Its ends are `None` where they are the search's own.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from stacbridge.model import Interval

FIRST = datetime(1950, 1, 1, tzinfo=UTC)
LAST = datetime(2100, 1, 1, tzinfo=UTC)
"""What an open end is taken for where time is halved; records beyond are in the outer windows."""
SHORTEST = timedelta(seconds=2)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """From `start`, which is in it, to `end`, which is not."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime | None) -> bool:
        """Tell whether a record that begins at `moment` belongs to it; one without a time does to all."""
        if moment is None:
            return True
        return (self.start is None or moment >= self.start) and (self.end is None or moment < self.end)

    def halved(self, whole: Interval, descending: bool) -> "Window | None":
        """Return the half that comes first, `None` where it is too short to be halved."""
        low, high = self._ends(whole)
        if high - low < SHORTEST:
            return None
        middle = low + (high - low) / 2
        return Window(middle, self.end) if descending else Window(self.start, middle)

    def begun(self, first: datetime, descending: bool) -> "Window | None":
        """Return what is left of it where, of all records that overlap it, `first` is the first start in the
        order; `None` where none starts in it."""
        if descending:
            end = first + TICK if self.end is None else min(first + TICK, self.end)
            return Window(self.start, end) if self.start is None or first >= self.start else None
        start = first if self.start is None else max(first, self.start)
        return Window(start, self.end) if self.end is None or first < self.end else None

    def shortest(self, descending: bool) -> "Window | None":
        """Return its first moment in the order of a walk, `None` where it has no beginning."""
        if descending:
            return None if self.end is None else Window(self.end - SHORTEST, self.end)
        return None if self.start is None else Window(self.start, self.start + SHORTEST)

    def edge(self, descending: bool) -> datetime | None:
        """Return where it ends in the order of a walk."""
        return self.start if descending else self.end

    def following(self, whole: Interval, descending: bool) -> "Window | None":
        """Return the window after this one, twice as long; `None` where this is the last."""
        edge = self.edge(descending)
        if edge is None:
            return None
        low, high = self._ends(whole)
        first, last = Window()._ends(whole)
        if descending:
            start = edge - min(2 * (high - low), edge - first) if edge > first else first
            return Window(start if start > first else None, edge)
        end = edge + min(2 * (high - low), last - edge) if edge < last else last
        return Window(edge, end if end < last else None)

    def range(self, whole: Interval) -> Interval:
        """Return the time range to ask for."""
        starts = [moment for moment in (self.start, whole.start) if moment is not None]
        ends = [moment for moment in (self.end, whole.end) if moment is not None]
        return Interval(max(starts, default=None), min(ends, default=None))

    def _ends(self, whole: Interval) -> tuple[datetime, datetime]:
        low = self.start or whole.start or min(FIRST, self.end or FIRST)
        high = self.end or whole.end or max(LAST, self.start or LAST)
        return low, max(low, high)
