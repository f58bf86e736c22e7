"""One page of one step: asking for it, splitting time where there is too much, and telling what follows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stacbridge import scalars
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.opensearch import answers, parts, plan, requests
from stacbridge.dialects.opensearch.answers import Answer
from stacbridge.dialects.opensearch.description import Url
from stacbridge.dialects.opensearch.merging import Entry, Given
from stacbridge.dialects.opensearch.options import Options
from stacbridge.dialects.opensearch.parts import Part
from stacbridge.dialects.opensearch.plan import PARENT, Step
from stacbridge.dialects.opensearch.position import WHOLE, Position
from stacbridge.dialects.opensearch.records import record
from stacbridge.dialects.opensearch.requests import Asked, Order, Slice
from stacbridge.dialects.opensearch.windows import Window
from stacbridge.dialects.time_walk import Lot
from stacbridge.errors import BadRequest, SearchTooWide, UpstreamError
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
        self._upstream, self._options, self._query, self._order = upstream, options, query, order
        self._by_time = order is None or order.stac == "datetime"
        self._descending = order is None or order.descending
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
                    return Given(
                        [], self._next_window(step, at), total, edge=at.window.edge(self._descending)
                    )
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
            return self._given(url, step, at, asked, answer, total)
        raise self._too_deep()

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
            given = self._given(url, step, at, asked, answer, answer.total)
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
            found = self._fitting(url, [self._record(each, step) for each in answer.features], step)
            if found:
                return found[:1]
        return []

    def key(self, found: Json, step: Step) -> Any:
        """Return what a record is sorted by; `None` where it has nothing like it."""
        if self._order is None or self._by_time:
            return start_of(found)
        row = step.spec.rows[self._order.stac]
        value = found["Attributes"].get(row.paths[0].rpartition("/")[2])
        return None if value is None else row.read(value)

    def _asked(self, url: Url, step: Step, at: Position, count: int, *, newest: bool = False) -> Asked:
        order = replace(self._order, descending=True) if newest and self._order else self._order
        wanted = Slice(at.given, count, at.following)
        interval = at.window.range(step.interval)
        part = parts.within(step, at.part)
        return requests.page(url, self._options, part, wanted, interval, order)

    def _exceeds(self, at: Position, answer: Answer, depth: int | None) -> bool:
        """Tell whether more records begin here than that, in a search whose time or area can be split."""
        known = depth is not None and answer.total is not None and self._by_time
        return known and not at.given and (answer.total or 0) > (depth or 0)

    def _begun(self, url: Url, step: Step, at: Position, answer: Answer) -> Conversation[Window | None]:
        """Return what is left of a window when it is known where records start; `None` where none starts in
        it, as where all of a crowd last for years."""
        first = self._first(answer, step)
        if first is None or at.part is not None or not requests.sorts(url.template):
            return at.window
        begun = at.window.begun(first, self._descending)
        if self._descending or at.window.start is None or first >= at.window.start:
            return begun
        latest = yield self._asked(url, step, Position(window=at.window), 1, newest=True).request
        newest = self._first(answers.read(latest, self._upstream, axes=self._options.axes), step)
        return begun if newest is None or begun is None else begun.begun(newest, descending=True)

    def _first(self, answer: Answer, step: Step) -> datetime | None:
        """Return the first start of an answer, where the service is seen to have sorted it."""
        starts = [start_of(self._record(feature, step)) for feature in answer.features]
        known = [start for start in starts if start is not None]
        is_sorted = known == sorted(known, reverse=self._descending)
        return known[0] if known and is_sorted and len(known) == len(starts) else None

    def _narrower(self, url: Url, step: Step, at: Position, begun: Window) -> Window | None:
        """Return the window to ask for instead, where there are more records than can be paged through."""
        splits = at.part is None and url.template.names >= TIME
        return begun.halved(step.interval, self._descending) if splits else None

    def _is_crowd(self, url: Url, step: Step, window: Window, answer: Answer) -> Conversation[bool]:
        """Tell whether nearly all records are there in the first moment of a window."""
        moment = window.shortest(self._descending)
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
        return Given([], self._next_window(step, at), total, places, at.window.edge(self._descending))

    def _next_window(self, step: Step, at: Position) -> Position | None:
        window = None if at.part else at.window.following(step.interval, self._descending)
        return None if window is None else at.next_window(window)

    def _given(
        self, url: Url, step: Step, at: Position, asked: Asked, answer: Answer, total: int | None
    ) -> Given:
        """Return what is given of an answer, and where the next page starts."""
        features = answer.features[asked.skip :]
        mark = answer.mark
        if mark is not None and mark == at.first and not asked.skip and (at.given or at.following):
            raise UpstreamError(
                f"{self._upstream} answers the same page again instead of the next.",
                upstream=self._upstream,
                asked=asked.request.url,
                answered=f"a page that begins with {answer.features[0].get('id')}",
                advice="Check the paging parameters of its description document.",
            )
        following = self._following(url, step, at, asked, answer, len(features))
        if following is not None and following.window == at.window:
            following = replace(following, first=mark)
        records = [self._record(feature, step) for feature in features]
        inside = [each for each in records if at.window.holds(start_of(each))]
        if at.part is not None:
            inside = parts.cell(step, at.part).own(inside)
        kept = {id(each) for each in self._fitting(url, inside, parts.within(step, at.part))}
        entries = [
            Entry(each, self.key(each, step), replace(at, given=at.given + number, first=mark))
            for number, each in enumerate(records, 1)
            if id(each) in kept
        ]
        return Given(entries, following, total if len(kept) == len(inside) else None)

    def _following(
        self, url: Url, step: Step, at: Position, asked: Asked, answer: Answer, taken: int
    ) -> Position | None:
        given = at.given + taken
        by_links = url.template.names.isdisjoint((requests.INDEX, requests.PAGE))
        if by_links and answer.features and answer.following:
            return replace(at, given=0, following=self._parameters(asked, answer.following))
        if not by_links and taken and _goes_on(answer, given):
            if self._options.depth is not None and given >= self._options.depth:
                raise self._too_deep()
            return replace(at, given=given)
        return self._next_window(step, at)

    def _parameters(self, asked: Asked, link: str) -> Mapping[str, str]:
        """Return the parameters of a link to the next page that this page's request had not."""
        parts = urlsplit(link)
        if urlsplit(asked.request.url).path != parts.path:
            raise UpstreamError(
                f"{self._upstream} pages by links to other places than its search.",
                upstream=self._upstream,
                asked=asked.request.url,
                answered=f"a link to {parts.path}",
            )
        return dict(pair for pair in parse_qsl(parts.query) if pair not in asked.request.params)

    def _record(self, feature: Json, step: Step) -> Json:
        found = record(feature, step.key, self._options.time)
        if step.key is not None:
            found["Attributes"].setdefault(PARENT, step.key)
        return found

    def _fitting(self, url: Url, records: list[Json], step: Step) -> list[Json]:
        trusted = self._options.trusted
        interval = None if "time" in trusted else self._query.interval
        area = "area" not in trusted or not requests.names_area(url.template, step)
        return plan.fitting(records, step, interval, area=area)

    def _too_deep(self) -> SearchTooWide:
        return SearchTooWide(
            f"{self._upstream} pages through {self._options.depth} records and no more, "
            "and this search has more that neither time nor area tells apart.",
            upstream=self._upstream,
            parameter="datetime",
            advice="Narrow the search in time or area, or by a queryable property, or sort by datetime.",
        )


def _goes_on(answer: Answer, given: int) -> bool:
    """Tell whether records may follow: services' totals and links are right often enough to ask once more,
    and a page without records is the end."""
    if answer.following or (answer.total is not None and given < answer.total):
        return True
    return answer.total is None and not answer.linked


def _is_missing(failure: UpstreamError) -> bool:
    """Tell whether a service says that there is no such record, as pycsw does by its status."""
    return (failure.answered or "").startswith("HTTP 404")


def start_of(found: Json) -> datetime | None:
    """Return when a record starts."""
    return scalars.instant(found["ContentDate"]["Start"])
