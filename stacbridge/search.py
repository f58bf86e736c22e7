"""One page of a search over many catalogues: all asked at once, merged, and nothing lost with who is late."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

from stacbridge.channel import Channel
from stacbridge.errors import (
    Forbidden,
    Misconfigured,
    StacbridgeError,
    Unauthorized,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.merge import Strand, merge
from stacbridge.model import Found, Json, Query, Skipped
from stacbridge.patience import Asked, Patience

log = logging.getLogger(__name__)

RETRY_AFTER = 10
"""Seconds after which to ask a catalogue again that did not say itself."""


@dataclass(slots=True)
class Results:
    """One page of a search.

    `token` is the cursor of the next page, `None` at the end. `matched` is the number of all matches, where
    it was asked for and every catalogue told its own. `missing` says by id of catalogues that were asked in
    vain why; the next page asks them again from where they were. `seconds` are those that catalogues took,
    by id, and `merging` those that went into putting their answers together.
    """

    items: list[Json] = field(default_factory=list)
    token: str | None = None
    skipped: list[Skipped] = field(default_factory=list)
    matched: int | None = None
    missing: dict[str, StacbridgeError] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    merging: float = 0


@dataclass(slots=True)
class Part:
    """What one catalogue is asked for, and how far its Items have been taken."""

    channel: Channel
    query: Query
    strand: Strand
    matched: int | None = None

    @property
    def id(self) -> str:
        """The id of the catalogue."""
        return self.channel.catalogue.id

    def ask(self, root: str, ready: bool) -> Asked:
        """Ask for what comes next; Items are counted only at the start."""
        reached = self.strand.reached
        query = replace(self.query, position=reached, count=self.query.count and reached is None)
        return self.channel.ask(query, root, ready=ready)

    def read(self, found: Found) -> None:
        """Put what came next behind what came before."""
        self.matched = found.matched if self.strand.reached is None else self.matched
        self.strand.read(found, self.query.sortby)


@dataclass(slots=True)
class Gathering:
    """The making of one page. `deadline` is a time of the clock; with `strict` nobody may be missing."""

    parts: Sequence[Part]
    query: Query
    root: str
    patience: Patience
    deadline: float
    ready: bool = False
    strict: bool = False
    results: Results = field(default_factory=Results)

    def page(self) -> Results:
        """Return the page from where the strands of the parts are; they move on.

        Whoever is read to the end of an answer is asked for more, until there are `query.limit` Items or the
        deadline has come. Raises why there is no Item at all where somebody is missing, with `strict` what
        `strictly` makes of the first failure, and in any case what says that the search itself is off.
        """
        results = self.results
        strands = [part.strand for part in self.parts]
        while len(results.items) < self.query.limit and self._read():
            start = self.patience.clock()
            results.items += merge(strands, self.query.limit - len(results.items))
            results.merging += self.patience.clock() - start
        if results.missing and not results.items:
            raise most_telling(list(results.missing.values()))
        if results.missing and self.strict:
            raise strictly(next(iter(results.missing.values())))
        if self.query.count and not results.missing:
            results.matched = _sum([part.matched for part in self.parts])
        return results

    def _read(self) -> bool:
        """Read on where the next Item is unknown; tell whether there is now more to take.

        A catalogue that is late is missing, but for one that comes late with a page already begun: that page
        ends there.
        """
        start = self.patience.clock()
        asked = [(part, part.ask(self.root, self.ready)) for part in self.parts if part.strand.hungry]
        self.patience.wait([one for _, one in asked], self.deadline, lambda: self._at_hand(asked))
        more = bool(asked)
        for part, one in asked:
            if one.answer.done():
                self._note(part, one)
            elif self.results.items:
                more = False
            else:
                self._miss(part, part.channel.late())
            took = self.patience.clock() - start if one.took is None else one.took
            self.results.seconds[part.id] = self.results.seconds.get(part.id, 0) + took
        return more

    def _at_hand(self, asked: Iterable[tuple[Part, Asked]]) -> bool:
        """Tell whether there is something to give without those who have not answered."""
        read = any(part.strand.holds for part in self.parts)
        return not self.strict and (bool(self.results.items) or read or any(_gave(one) for _, one in asked))

    def _note(self, part: Part, asked: Asked) -> None:
        try:
            found = asked.answer.result()
        except (UpstreamError, Misconfigured) as failure:
            self._miss(part, failure)
        except (Unauthorized, Forbidden) as failure:
            if len(self.parts) == 1:
                raise
            self._miss(part, failure)
        except StacbridgeError:
            raise
        except Exception:
            if len(self.parts) == 1:
                raise
            log.exception("The answer of %s could not be dealt with.", part.id)
            self._miss(part, unforeseen(part.id))
        else:
            part.read(found)
            self.results.skipped += found.skipped

    def _miss(self, part: Part, failure: StacbridgeError) -> None:
        part.strand.missing = True
        self.results.missing[part.id] = failure


def unforeseen(catalogue: str) -> UpstreamError:
    """Return the failure of a catalogue whose answer is beyond the bridge, whoever else is well."""
    return UpstreamError(
        f"{catalogue} answered something that the bridge cannot deal with.",
        upstream=catalogue,
        advice="The bridge's log says more: please report it.",
    )


def most_telling(failures: Sequence[StacbridgeError]) -> StacbridgeError:
    """Return the failure of a page without Items: one that passes if there is one, and when to ask again."""
    passing = [failure for failure in failures if isinstance(failure, UpstreamUnavailable)]
    told = (passing or failures)[0]
    later = isinstance(told, UpstreamUnavailable | UpstreamTimeout) and told.retry_after is None
    return replace(told, retry_after=RETRY_AFTER) if later else told


def strictly(failure: StacbridgeError) -> StacbridgeError:
    """Return the failure of a page that must not lack anybody: 504 for one who was late, else 502."""
    if isinstance(failure, UpstreamTimeout):
        return failure
    return UpstreamError(**{member.name: getattr(failure, member.name) for member in fields(failure)})


def _gave(asked: Asked) -> bool:
    answer = asked.answer
    return answer.done() and answer.exception() is None and bool(answer.result().items)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
