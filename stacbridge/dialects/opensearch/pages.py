"""One page of one step: asking for it, and splitting time where there is too much."""

from dataclasses import replace

from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.opensearch import answers, parts, requests
from stacbridge.dialects.opensearch.answers import Answer
from stacbridge.dialects.opensearch.description import Url
from stacbridge.dialects.opensearch.merging import Given
from stacbridge.dialects.opensearch.options import Options
from stacbridge.dialects.opensearch.parts import Part
from stacbridge.dialects.opensearch.plan import Step
from stacbridge.dialects.opensearch.position import WHOLE, Position
from stacbridge.dialects.opensearch.reading import Reading
from stacbridge.dialects.opensearch.requests import Asked, Order, Slice
from stacbridge.dialects.opensearch.windows import Window
from stacbridge.dialects.time_walk import Lot
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.model import Interval, Json, Query

NARROWINGS = 64
"""Halvings of time for one page at most; 150 years halved so often are less than a second."""
RESERVE = 10
"""Which part of the depth is kept for records that come in during a walk: a tenth."""
ALIKE = 1.1
"""How many times as many records a longer time may have for one that has hardly more."""
TIME = frozenset({("time", "start"), ("time", "end")})


class Pages:
    """Pages of one search at one service. `order` says what records are sorted by, `None` that it is not told
    or not known."""

    def __init__(self, upstream: str, options: Options, query: Query, order: Order | None) -> None:
        self._upstream, self._options, self._order = upstream, options, order
        self.reading = Reading(upstream, options, query, order)
        depth = options.depth
        self._safe = None if depth is None else depth - depth // RESERVE

    def page(self, url: Url, step: Step, at: Position, count: int) -> Conversation[Given]:
        """Return the page at a position, `count` records long or longer.

        Raises `UpstreamError`, `SearchTooWide` where it is too deep.
        """
        total: int | None = None
        wider: list[tuple[Position, int]] = []
        for _ in range(NARROWINGS):
            asked = self._asked(url, step, at, count)
            reply = yield asked.request
            answer = answers.read(reply, self._upstream, axes=self._options.axes)
            total = answer.total if total is None else total
            if self._exceeds(at, answer, self._safe):
                wider.append((at, answer.total or 0))
                begun = yield from self._begun(url, step, at, answer)
                if begun is None:
                    return self._empty(step, at, total, [])
                narrower = self._narrower(url, step, at, begun)
                first = narrower is not None and len(wider) == 1
                if narrower is None or (first and (yield from self._is_crowd(url, step, begun, answer))):
                    split = yield from self._split(url, step, wider, total)
                    if split is not None:
                        return split
                if narrower is not None:
                    at = at.next_window(narrower)
                    continue
                if self._exceeds(at, answer, self._options.depth):
                    break
            return self.reading.given(url, step, at, asked, answer, total)
        raise self.reading.too_deep()

    def whole(
        self, url: Url, step: Step, interval: Interval, size: int, most: int, part: Part
    ) -> Conversation[Lot | None]:
        """Return all records of a part that overlap an interval, or some where they are more than `size`.

        With `most`, they are read whatever their number; `None` is returned where that takes more pages.
        """
        found: list[Json] = []
        at: Position | None = Position(part=part)
        pages = 0
        while at is not None:
            asked = self._asked(url, replace(step, interval=interval), at, self._options.page)
            answer = answers.read((yield asked.request), self._upstream, axes=self._options.axes)
            given = self.reading.given(url, step, at, asked, answer, answer.total)
            found += [entry.record for entry in given.entries]
            at, pages = given.following, pages + 1
            if at is not None and not most and max(answer.total or 0, at.given) > size:
                return Lot(found, complete=False, matched=answer.total)
            if at is not None and most and pages >= most:
                return None
        return Lot(found, complete=True)

    def count(self, url: Url, step: Step, window: Window = WHOLE) -> Conversation[int | None]:
        """Return the number of all records of a step in a window, where the service tells it."""
        reply = yield self._asked(url, step, Position(window=window), 0).request
        return answers.read(reply, self._upstream, axes=self._options.axes).total

    def item(self, url: Url, step: Step) -> Conversation[list[Json]]:
        """Return the record of an item id: the service's id is that, or has its collection's before it.

        Raises `BadRequest` where the service cannot be asked for it.
        """
        if requests.UID not in url.template.names:
            raise BadRequest(
                f"{self._upstream} cannot be asked for single items of {step.spec.id!r}.", parameter="ids"
            )
        names = [f"{step.key}:{step.item}"] if step.key else []
        for name in (*names, str(step.item)):
            asked = requests.page(url, self._options, step, Slice(0, 1), uid=name)
            try:
                reply = yield asked.request
            except UpstreamError as failure:
                if _is_missing(failure):
                    continue
                raise
            answer = answers.read(reply, self._upstream, axes=self._options.axes)
            found = self.reading.fitting(
                url, [self.reading.record(each, step) for each in answer.features], step
            )
            if found:
                return found[:1]
        return []

    def _asked(self, url: Url, step: Step, at: Position, count: int, *, newest: bool = False) -> Asked:
        order = replace(self._order, descending=True) if newest and self._order else self._order
        wanted = Slice(at.given, count, at.following)
        interval = at.window.range(step.interval)
        part = parts.within(step, at.part)
        return requests.page(url, self._options, part, wanted, interval, order)

    def _exceeds(self, at: Position, answer: Answer, depth: int | None) -> bool:
        """Tell whether more records begin here than that, in a search whose time or area can be split."""
        known = depth is not None and answer.total is not None and self.reading.by_time
        return known and not at.given and (answer.total or 0) > (depth or 0)

    def _begun(self, url: Url, step: Step, at: Position, answer: Answer) -> Conversation[Window | None]:
        """Return what is left of a window when it is known where records start; `None` where none starts in
        it, as where all of a crowd last for years."""
        first = self.reading.first(answer, step)
        if first is None or at.part is not None or not requests.sorts(url.template):
            return at.window
        begun = at.window.begun(first, self.reading.descending)
        if self.reading.descending or at.window.start is None or first >= at.window.start:
            return begun
        latest = yield self._asked(url, step, Position(window=at.window), 1, newest=True).request
        newest = self.reading.first(answers.read(latest, self._upstream, axes=self._options.axes), step)
        return begun if newest is None or begun is None else begun.begun(newest, descending=True)

    def _narrower(self, url: Url, step: Step, at: Position, begun: Window) -> Window | None:
        """Return the window to ask for instead, where there are more records than can be paged through."""
        splits = at.part is None and url.template.names >= TIME
        return begun.halved(step.interval, self.reading.descending) if splits else None

    def _is_crowd(self, url: Url, step: Step, window: Window, answer: Answer) -> Conversation[bool]:
        """Tell whether nearly all records are there in the first moment of a window."""
        moment = window.shortest(self.reading.descending)
        found = None if moment is None else (yield from self.count(url, step, moment))
        return found is not None and found * ALIKE >= (answer.total or 0)

    def _split(
        self, url: Url, step: Step, wider: list[tuple[Position, int]], total: int | None
    ) -> Conversation[Given | None]:
        """Return the parts to ask for instead, where the last of ever narrower windows still has more records
        than can be paged through; `None` where the service offers no split.

        It is the widest window that is split which has hardly more: where records last long, each second has
        about as many as a year.
        """
        at, crowd = next(each for each in wider if each[1] <= wider[-1][1] * ALIKE)

        def count(part: Step) -> Conversation[int | None]:
            return self.count(url, part, at.window)

        found = yield from parts.split(url, self._options, step, at.part or Part(), crowd, count)
        if not found:
            return None
        places = [replace(at, first=None, part=part) for part in found]
        return self._empty(step, at, total, places)

    def _empty(self, step: Step, at: Position, total: int | None, places: list[Position]) -> Given:
        """Return what a window gives that is not read itself, but in these places, or not at all."""
        following, edge = self.reading.next_window(step, at), at.window.edge(self.reading.descending)
        return Given([], following, total, places, edge)


def _is_missing(failure: UpstreamError) -> bool:
    """Tell whether a service says that there is no such record, as pycsw does by its status."""
    return (failure.answered or "").startswith("HTTP 404")
