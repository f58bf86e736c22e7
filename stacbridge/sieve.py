"""Pages of Items that match, from an upstream's pages of which not all may.

    position = {"p": …, "k": …}

`p` is the upstream's position of a page, or behind a record of one; `k` is how many Items are passed already
of a page that cannot be left behind a record. Each is left out at its beginning. Where an upstream was not
asked for all that a filter says, what it gives is checked here, and it is asked again until a page is full.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil
from typing import NamedTuple

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


class Place(NamedTuple):
    """Where a search goes on: at the upstream's page `at`, behind so many of its Items; or it is `over`."""

    at: Json | None
    passed: int = 0
    over: bool = False

    def position(self) -> Json | None:
        """Return it for a cursor."""
        named = {"p": self.at, "k": self.passed}
        return None if self.over else {name: value for name, value in named.items() if value}


class Behind:
    """The `Places` of a page, made when they are asked for: hardly more than one of a page is."""

    def __init__(self, makers: list[Callable[[], Place]]) -> None:
        self._makers = makers

    def __len__(self) -> int:
        return len(self._makers)

    def __getitem__(self, number: int, /) -> Json | None:
        return self._makers[number]().position()


@dataclass(slots=True)
class Sieve:
    """What came through so far of the Items of a search.

    `place` is where the upstream's next page starts; `checked` are the conditions that it was not asked for.
    """

    query: Query
    place: Place
    items: list[Json] = field(default_factory=list)
    places: list[Callable[[], Place]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    checked: tuple[str, ...] = ()
    matched: int | None = None
    seen: int = 0

    @property
    def done(self) -> bool:
        """Whether no further page is worth asking for: a short page of what need not be checked will do."""
        return self.place.over or len(self.items) >= self.query.limit or bool(self.items and not self.checked)

    def asks(self) -> Query:
        """Return the query for the next page: as long as is likely to fill up this one."""
        counts = self.query.count and not self.seen and not self.place.position()
        return replace(self.query, position=self.place.at, limit=self._size(), count=counts)

    def _size(self) -> int:
        missing = self.query.limit - len(self.items)
        if not self.checked:
            return max(missing, min(missing + self.place.passed, MOST))
        rate = len(self.items) / self.seen if self.items else 0
        likely = ceil(missing / rate) if rate else MOST
        return self.place.passed + min(max(likely, LEAST, missing), max(MOST, missing))

    def add(self, page: Page, items: list[Json], skipped: list[Skipped], match: Match) -> None:
        """Take from a page what matches, as far as there is room."""
        self.checked, self.seen = page.checked, self.seen + max(len(items), 1)
        self.matched = page.matched if self.matched is None and not page.checked else self.matched
        self.skipped += skipped
        match = page.match or match
        fitting = [
            number
            for number, item in enumerate(items)
            if number >= self.place.passed and (not page.checked or match(item))
        ]
        taken = fitting[: self.query.limit - len(self.items)]
        self.items += [items[number] for number in taken]
        self.places += [partial(_left, page, self.place.at, number, skipped) for number in taken]
        if len(taken) < len(fitting):
            self.place = self.places[-1]()
            return
        passed = max(0, self.place.passed - len(items))
        self.place = Place(page.position, passed, over=page.position is None)
        if taken:
            self.places[-1] = partial(Place, *self.place)

    def found(self) -> Found:
        """Return the page."""
        if self.places:
            self.places[-1] = partial(Place, *self.place)
        position, skipped = self.place.position(), tuple(self.skipped)
        return Found(self.items, position, self.matched, skipped, Behind(self.places))


def fill(query: Query, ask: Ask, translate: Translate, match: Match, bounds: Bounds, name: str) -> Found:
    """Return one page of Items; short at the end and at a bound, empty only at the end.

    Raises `SearchTooWide` or `UpstreamError` where a bound is reached before anything is found, and what
    `ask` raises. `name` is the upstream's.
    """
    position = query.position or {}
    sieve = Sieve(query, Place(position.get("p"), int(position.get("k", 0))))
    until = bounds.clock() + bounds.seconds
    for _ in range(bounds.pages):
        page = ask(sieve.asks())
        items, skipped = translate(page.records)
        sieve.add(page, items, skipped, match)
        if sieve.done or bounds.clock() >= until:
            break
    if not sieve.items and not sieve.place.over:
        raise _nothing(sieve, name)
    return sieve.found()


def _left(page: Page, at: Json | None, item: int, skipped: list[Skipped]) -> Place:
    """Return the place behind an Item of the page at `at`, of which some records were `skipped`."""
    if page.after is None:
        return Place(at, item + 1)
    record = item
    for each in skipped:
        record += each.number <= record
    return Place(page.after(record + 1))


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
