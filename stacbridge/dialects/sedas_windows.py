"""A walk over time in windows, each of which the service answered in full.

    position = {"t": "2024-05-01T00:00:00.000000Z", "w": 86400, "i": "S1A_…"}

`t` is the time that the walk has come to, `w` the width of the next window in seconds, `i` the id of the last
record given at exactly `t`, where that is not the last one there. Within a walk, times are counted in
microseconds, downwards where the newest come first, so that it always goes up.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Self

from stacbridge import scalars
from stacbridge.errors import BadRequest
from stacbridge.model import Json

SECOND = 1_000_000
NARROWEST = 2 * SECOND
"""Requests name whole seconds, both ends included: a window that ends where many products start has them in
its answer, and only of two seconds can one be between them."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHRINK = 4
GROWTH = 16
"""How much narrower a window becomes at least that was cut, and how much wider at most one that was whole."""
AROUND = 3600 * SECOND
"""The width of the window after a narrowest one: many products of one second tell nothing of the time
around."""


def ticks(moment: datetime) -> int:
    """Return a time in microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(count: int) -> datetime:
    """Return the time of so many microseconds since 1970."""
    return EPOCH + timedelta(microseconds=count)


@dataclass(frozen=True, slots=True)
class Window:
    """From `at` up to but not including `end`, of a walk that ends at `last`, itself included; `after` is the
    last id given at `at`."""

    newest_first: bool
    at: int
    width: int
    last: int
    after: str | None = None

    @classmethod
    def first(cls, since: datetime, until: datetime, *, newest_first: bool) -> Self:
        """Return the window of all times between two, both included."""
        start, end = ticks(since), ticks(until)
        at, last = (-end, -start) if newest_first else (start, end)
        return cls(newest_first, at, max(last - at + 1, NARROWEST), last)

    def resumed(self, position: Json | None) -> Self:
        """Return the window at a position of this walk. Raises `BadRequest` where it is none."""
        if position is None:
            return self
        at, width, after = scalars.instant(position.get("t")), position.get("w"), position.get("i")
        if at is None or type(width) is not int or width < 1 or not isinstance(after, str | None):
            raise BadRequest("The page token does not say where the last page ended.", parameter="token")
        return replace(self, at=self.key(at), width=width * SECOND, after=after)

    def position(self) -> Json:
        """Return where this window starts, for a cursor."""
        found = {"t": scalars.rfc3339(self._moment(self.at)), "w": -(-self.width // SECOND)}
        return found if self.after is None else {**found, "i": self.after}

    @property
    def end(self) -> int:
        """Where the window ends."""
        return min(self.at + self.width, self.last + 1)

    @property
    def over(self) -> bool:
        """Whether the walk is at its end."""
        return self.at > self.last

    @property
    def narrowest(self) -> bool:
        """Whether it cannot become narrower."""
        return self.end - self.at <= NARROWEST

    @property
    def bounds(self) -> tuple[str, str]:
        """The first and the last second in it, in ISO 8601."""
        one, other = sorted((self._moment(self.at), self._moment(self.end - 1)))
        last = other if not other.microsecond else other.replace(microsecond=0) + timedelta(seconds=1)
        return _seconds(one), _seconds(last)

    def key(self, time: datetime) -> int:
        """Return a time as the walk counts it."""
        return -ticks(time) if self.newest_first else ticks(time)

    def holds(self, key: int, id: str) -> bool:
        """Tell whether a record at `key` belongs to the window, and was not given before."""
        if key == self.at and self.after is not None:
            return id > self.after
        return self.at <= key < self.end

    def narrowed(self, keys: list[int]) -> Self:
        """Return the start of this window, as wide as an answer may hold, given the places of the products
        that were answered: which ones are left out is not known.

        It ends between products rather than at one, since many may start at once.
        """
        whole = self.end - self.at
        known = sorted({key - self.at for key in keys if self.at <= key < self.end})
        between = [(one + other) // 2 for one, other in pairwise(known)]
        wanted = min(whole // SHRINK, known[len(known) // 2] if known else whole)
        if between:
            width = max((gap for gap in between if gap <= wanted), default=between[0])
        elif known:
            width = known[0] - SECOND if known[0] > NARROWEST else known[0] + SECOND
        else:
            width = wanted
        width = min(max(width, NARROWEST), max(whole // 2, NARROWEST))
        return replace(self, width=width)

    def following(self, records: int, limit: int) -> Self:
        """Return the next window, wider where this one held far fewer records than an answer can."""
        growth = min(GROWTH, max(1, limit // (2 * max(1, records))))
        width = AROUND if self.narrowest else self.width * growth
        return replace(
            self, at=self.end, width=max(NARROWEST, min(width, self.last + 1 - self.end)), after=None
        )

    def resting(self, key: int, id: str) -> Self:
        """Return what is left of the window behind a record."""
        return replace(self, at=key, after=id)

    def _moment(self, key: int) -> datetime:
        return moment(-key if self.newest_first else key)


def _seconds(time: datetime) -> str:
    return f"{time.replace(tzinfo=None, microsecond=0).isoformat()}Z"
