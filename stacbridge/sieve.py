"""Pages of Items that match, from an upstream's pages of which not all may.

    position = {"p": …, "k": …}

`p` is the upstream's position of a page, `k` how many of its Items are passed already; each is left out at
its beginning. Where an upstream was not asked for all that a filter says, what it gives is checked here, and
it is asked again until a page is full.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil

from stacbridge.errors import SearchTooWide, StacbridgeError, UpstreamError
from stacbridge.model import Found, Json, Page, Query, Skipped

LEAST, MOST = 200, 1000
"""Records that a page is asked for where they are checked here: at least, and at most."""

Ask = Callable[[Query], Page]
Translate = Callable[[list[Json]], tuple[list[Json], list[Skipped]]]
Match = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many pages a search may ask for, and for how many seconds of a clock it may begin to."""

    pages: int
    seconds: float
    clock: Callable[[], float]


@dataclass(slots=True)
class Sieve:
    """What came through so far of the Items of a search.

    `at` and `passed` are where the upstream's next page starts, as in a position; `checked` are the
    conditions that it was not asked for.
    """

    query: Query
    at: Json | None
    passed: int
    items: list[Json] = field(default_factory=list)
    places: list[Json | None] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    checked: tuple[str, ...] = ()
    matched: int | None = None
    seen: int = 0
    over: bool = False

    @property
    def done(self) -> bool:
        """Whether no further page is worth asking for: a short page of what need not be checked will do."""
        return self.over or len(self.items) >= self.query.limit or bool(self.items and not self.checked)

    def asks(self) -> Query:
        """Return the query for the next page: as long as is likely to fill up this one."""
        first = not self.seen and self.at is None and not self.passed
        return replace(self.query, position=self.at, limit=self._size(), count=self.query.count and first)

    def _size(self) -> int:
        missing = self.query.limit - len(self.items)
        if not self.checked:
            return max(missing, min(missing + self.passed, MOST))
        rate = len(self.items) / self.seen if self.items else 0
        likely = ceil(missing / rate) if rate else MOST
        return self.passed + min(max(likely, LEAST, missing), max(MOST, missing))

    def add(self, page: Page, items: list[Json], skipped: list[Skipped], match: Match) -> None:
        """Take from a page what matches, as far as there is room."""
        self.checked, self.seen = page.checked, self.seen + max(len(items), 1)
        self.matched = page.matched if self.matched is None and not page.checked else self.matched
        self.skipped += skipped
        match = page.match or match
        fitting = [
            number
            for number, item in enumerate(items)
            if number >= self.passed and (not page.checked or match(item))
        ]
        taken = fitting[: self.query.limit - len(self.items)]
        self.items += [items[number] for number in taken]
        self.places += [{"p": self.at, "k": number + 1} for number in taken]
        if len(taken) < len(fitting):
            self.passed = taken[-1] + 1
            return
        self.at, self.passed = page.position, max(0, self.passed - len(items))
        self.over = page.position is None
        if taken:
            self.places[-1] = self.position

    @property
    def position(self) -> Json | None:
        """Where a search goes on behind what was asked for so far."""
        if self.over:
            return None
        named = {"p": self.at, "k": self.passed}
        return {name: value for name, value in named.items() if value}

    def found(self) -> Found:
        """Return the page."""
        if self.places:
            self.places[-1] = self.position
        return Found(self.items, self.position, self.matched, tuple(self.skipped), self.places)


def fill(query: Query, ask: Ask, translate: Translate, match: Match, bounds: Bounds, name: str) -> Found:
    """Return one page of Items; short at the end and at a bound, empty only at the end.

    Raises `SearchTooWide` or `UpstreamError` where a bound is reached before anything is found, and what
    `ask` raises. `name` is the upstream's.
    """
    position = query.position or {}
    sieve = Sieve(query, position.get("p"), int(position.get("k", 0)))
    until = bounds.clock() + bounds.seconds
    for _ in range(bounds.pages):
        page = ask(sieve.asks())
        items, skipped = translate(page.records)
        sieve.add(page, items, skipped, match)
        if sieve.done or bounds.clock() >= until:
            break
    if not sieve.items and not sieve.over:
        raise _nothing(sieve, name)
    return sieve.found()


def _nothing(sieve: Sieve, name: str) -> StacbridgeError:
    if sieve.skipped and not sieve.checked:
        return UpstreamError(
            f"{name} answered page after page without one record that can be an item.",
            upstream=name,
            answered=f"{len(sieve.skipped)} records; the first: {sieve.skipped[0].reason}",
            advice="Narrow the search by collection, time or area, or raise the setting max_upstream_pages.",
        )
    about = f" to check here: {', '.join(sieve.checked)}" if sieve.checked else ""
    return SearchTooWide(
        f"None of the first {sieve.seen} items that {name} gave matches what was left{about}.",
        upstream=name,
        parameter="filter" if sieve.checked else "collections",
        advice="Narrow the search by collection, time or area, or by a property that the queryables say is "
        "pushed; or have the settings max_upstream_pages and search_seconds raised.",
    )
