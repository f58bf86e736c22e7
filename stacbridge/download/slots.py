"""At most N streams from an upstream account at once; the others wait in a fair, bounded line."""

import asyncio
import math
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from stacbridge.download.refusals import ASK_AGAIN, LONGEST_WAIT
from stacbridge.errors import NotStaged
from stacbridge.model import Json

RECOVERY = 60
"""Seconds without a refusal after which an upstream that sent 429 is tried with one more connection."""
SMOOTHING = 0.2
"""Weight of the last download in the average time that a slot is held."""


@dataclass(eq=False, slots=True)
class Place:
    """One who waits: whose download it is, and what tells that its turn, or its refusal, has come."""

    user: str
    turn: asyncio.Future[None]


class Slots:
    """The connections of one account, handed out fairly among its users.

    The next free slot goes to the user who has the fewest, among those to the one who waits longest since
    the last turn; within a user, first come, first served. So whoever has five hundred downloads in line
    delays another's first by no more than one slot takes to come free. A slot is free again only when its
    holder has closed the upstream, so the account never has more than `size` connections in use.

    An upstream that answers 429 is asked by fewer at once for a while, and by nobody before the time that it
    states.
    """

    def __init__(
        self,
        account: str,
        size: int,
        queue: int,
        wait: float,
        clock: Callable[[], float] = monotonic,
        most: Callable[[], float] = lambda: math.inf,
    ) -> None:
        """Share `size` slots of `account` among any number of callers, or `most`, if those are fewer for now.

        At most `queue` of them wait, each for at most `wait` seconds of `clock`.
        """
        self._account = account
        self._size = size
        self._queue = queue
        self._wait = wait
        self._clock = clock
        self._most = most
        self._using: Counter[str] = Counter()
        self._lines: dict[str, deque[Place]] = {}
        self._turns: dict[str, int] = {}
        self._turn = 0
        self._fewer = 0
        self._refused = 0.0
        self._paused_until = -math.inf
        self._average: float | None = None

    @property
    def allowed(self) -> int:
        """How many connections the upstream is believed to allow now."""
        recovered = int((self._clock() - self._refused) / RECOVERY)
        believed = self._size - max(0, self._fewer - recovered)
        return max(1, int(min(believed, self._most())))

    @property
    def pause(self) -> float:
        """Seconds that the upstream wants to be left alone."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def busy(self) -> bool:
        """Whether who comes now has to wait."""
        return bool(self._lines) or self.pause > 0 or self._using.total() >= self.allowed

    def refused(self, status: int, seconds: int | None) -> None:
        """Heed a 429 or 503 of the upstream, which asked to be left alone for `seconds`."""
        if status == 429:
            self._fewer = min(self._size - self.allowed + 1, self._size - 1)
            self._refused = self._clock()
        if seconds is not None:
            self._paused_until = max(self._paused_until, self._clock() + min(seconds, LONGEST_WAIT))

    @asynccontextmanager
    async def hold(self, user: str) -> AsyncIterator[None]:
        """Hold a slot, after waiting for it in line if need be.

        Raises `NotStaged` when the line is full, when no slot came free in time, and while the upstream wants
        to be left alone for longer than that.
        """
        if self.pause > self._wait:
            raise self._refusal("The upstream wants no requests for now", math.ceil(self.pause))
        if self.busy:
            await self._stand_in_line(user)
        else:
            self._take(user)
        started = self._clock()
        try:
            yield
        finally:
            self._learn(self._clock() - started)
            self._leave(user)

    def load(self) -> dict[str, int]:
        """Return how full it is."""
        return {
            "connections": self._size,
            "allowed": self.allowed,
            "in_use": self._using.total(),
            "waiting": sum(map(len, self._lines.values())),
        }

    def status(self, user: str) -> Json:
        """Return how full it is, and where in line the downloads of `user` are (1 is next)."""
        return {
            **self.load(),
            "paused_seconds": math.ceil(self.pause),
            "yours": {
                "in_use": self._using[user],
                "positions": self._positions(user),
                "expected_seconds": [self._expected(place) for place in self._positions(user)],
            },
        }

    async def _stand_in_line(self, user: str) -> None:
        self._make_room(user)
        place = Place(user, asyncio.get_running_loop().create_future())
        self._lines.setdefault(user, deque()).append(place)
        deadline = self._clock() + self._wait
        try:
            while not place.turn.done():
                await self._next_moment(place, deadline)
                self._call()
            await place.turn
        except BaseException:
            if place.turn.done() and not place.turn.cancelled() and place.turn.exception() is None:
                self._leave(user)
            self._forget(place)
            raise

    async def _next_moment(self, place: Place, deadline: float) -> None:
        """Wait for the turn of `place`, or for the upstream to want requests again, or for too long."""
        left = deadline - self._clock()
        if left <= 0:
            position = self._positions(place.user)[0]
            raise self._refusal(
                f"All connections of the {self._account!r} account are in use, and none came free within"
                f" {self._wait:g} s for number {position} in line",
                self._expected(position),
            )
        span = min(left, self.pause or RECOVERY)
        await asyncio.wait([place.turn], timeout=span)

    def _make_room(self, user: str) -> None:
        """Refuse whoever would be last of the longest line, where no more can wait."""
        waiting = sum(map(len, self._lines.values()))
        if waiting < self._queue:
            return
        longest = max(self._lines, key=lambda name: len(self._lines[name]))
        refusal = self._refusal(
            f"All connections of the {self._account!r} account are in use, and {waiting} downloads are"
            " waiting for one",
            self._expected(waiting + 1),
        )
        if len(self._lines[longest]) <= len(self._lines.get(user, ())) + 1:
            raise refusal
        place = self._lines[longest][-1]
        self._forget(place)
        place.turn.set_exception(refusal)

    def _leave(self, user: str) -> None:
        self._using[user] -= 1
        if not self._using[user]:
            del self._using[user]
        self._call()
        if user not in self._using and user not in self._lines:
            self._turns.pop(user, None)

    def _take(self, user: str) -> None:
        self._using[user] += 1
        self._turn += 1
        self._turns[user] = self._turn

    def _call(self) -> None:
        """Give the slots that are free to those whose turn it is."""
        while self._lines and not self.pause and self._using.total() < self.allowed:
            user = min(self._lines, key=lambda name: (self._using[name], self._turns.get(name, 0)))
            place = self._lines[user][0]
            self._forget(place)
            if not place.turn.done():
                self._take(user)
                place.turn.set_result(None)

    def _forget(self, place: Place) -> None:
        line = self._lines.get(place.user)
        if line is not None and place in line:
            line.remove(place)
            if not line:
                del self._lines[place.user]

    def _positions(self, user: str) -> list[int]:
        """Return the turns after which the downloads of `user` come, the slots in use left alone."""
        using, turns = Counter(self._using), dict(self._turns)
        lines = {name: len(line) for name, line in self._lines.items()}
        found: list[int] = []
        for turn in range(1, sum(lines.values()) + 1):
            name = min((n for n in lines if lines[n]), key=lambda n: (using[n], turns.get(n, 0)))
            using[name] += 1
            lines[name] -= 1
            turns[name] = self._turn + turn
            if name == user:
                found.append(turn)
        return found

    def _expected(self, position: int) -> int:
        """Return the seconds until the turn of who is at `position` comes, by what slots were held so far."""
        each = ASK_AGAIN if self._average is None else self._average
        return max(1, math.ceil(self.pause + position * each / self.allowed))

    def _learn(self, seconds: float) -> None:
        before = seconds if self._average is None else self._average
        self._average = before + SMOOTHING * (seconds - before)

    def _refusal(self, reason: str, seconds: int) -> NotStaged:
        return NotStaged(
            f"{reason}.",
            upstream=self._account,
            advice="Ask again later.",
            retry_after=min(max(seconds, 1), LONGEST_WAIT),
        )
