"""One page of one step: asking for it, splitting time where there is too much, and telling what follows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from stacbridge import scalars
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.opensearch import answers, plan, requests
from stacbridge.dialects.opensearch.answers import Answer
from stacbridge.dialects.opensearch.description import Url
from stacbridge.dialects.opensearch.options import Options
from stacbridge.dialects.opensearch.plan import PARENT, Step
from stacbridge.dialects.opensearch.position import Position
from stacbridge.dialects.opensearch.records import record
from stacbridge.dialects.opensearch.requests import Asked, Order, Slice
from stacbridge.dialects.opensearch.windows import Window
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.model import Interval, Json, Query

NARROWINGS = 64
"""Halvings of time for one page at most; 150 years halved so often are less than a second."""
TIME = frozenset({("time", "start"), ("time", "end")})


@dataclass(frozen=True, slots=True)
class Given:
    """The records of a page, the number of all in its step where told, and where the next page of the step
    starts (`None`: this was the last)."""

    records: list[Json]
    total: int | None
    following: Position | None


class Pages:
    """Pages of one search at one service."""

    def __init__(self, upstream: str, options: Options, query: Query, order: Order | None) -> None:
        self._upstream, self._options, self._query, self._order = upstream, options, query, order
        self._whole = query.interval or Interval(None, None)
        self._descending = order is None or order.descending

    def page(self, url: Url, step: Step, at: Position) -> Conversation[Given]:
        """Return the page at a position. Raises `UpstreamError`, `BadRequest` where it is too deep."""
        total: int | None = None
        for _ in range(NARROWINGS):
            asked = self._asked(url, step, at, self._query.limit)
            reply = yield asked.request
            answer = answers.read(reply, self._upstream, axes=self._options.axes)
            total = answer.total if total is None else total
            narrower = self._narrower(url, at, answer)
            if narrower is None:
                return Given(*self._taken(url, step, at, asked, answer, total))
            at = at.next_window(narrower)
        raise self._too_deep()

    def count(self, url: Url, step: Step) -> Conversation[int | None]:
        """Return the number of all records of a step, where the service tells it."""
        reply = yield self._asked(url, step, Position(), 0).request
        return answers.read(reply, self._upstream, axes=self._options.axes).total

    @property
    def sorted(self) -> bool:
        """Whether the search says how to sort."""
        return bool(self._query.sortby)

    def counts(self, step: Step) -> bool:
        """Tell whether the service's count of a step is exact: it tests no more than it was asked."""
        trusted = self._options.trusted
        by_area = "area" in trusted or not step.areas
        by_time = "time" in trusted or self._query.interval is None
        return by_area and by_time and step.apart is None and step.item is None

    def item(self, url: Url, step: Step) -> Conversation[Given]:
        """Return the record of an item id: the service's id is that, or has its collection's before it."""
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
            found = self._fitting([self._record(each, step) for each in answer.features], step)
            if found:
                return Given(found[:1], None, None)
        return Given([], None, None)

    def _asked(self, url: Url, step: Step, at: Position, count: int) -> Asked:
        wanted = Slice(at.given, count, at.following)
        interval = at.window.range(self._whole)
        return requests.page(url, self._options, step, wanted, interval, self._order)

    def _narrower(self, url: Url, at: Position, answer: Answer) -> Window | None:
        """Return the window to ask for instead, where there are more records than can be paged through."""
        depth = self._options.depth
        if depth is None or answer.total is None or answer.total <= depth or at.given:
            return None
        by_time = self._order is None or self._options.sort.get("datetime") == self._order.name
        narrower = at.window.halved(self._whole, self._descending) if url.template.names >= TIME else None
        if narrower is None or not by_time:
            raise self._too_deep()
        return narrower

    def _taken(
        self, url: Url, step: Step, at: Position, asked: Asked, answer: Answer, total: int | None
    ) -> tuple[list[Json], int | None, Position | None]:
        """Return what is given of an answer, the total, and where the next page starts."""
        features = answer.features[asked.skip :]
        first = str(answer.features[0].get("id")) if answer.features else None
        if first is not None and first == at.first and not asked.skip and (at.given or at.following):
            raise UpstreamError(
                f"{self._upstream} answers the same page again instead of the next.",
                upstream=self._upstream,
                asked=asked.request.url,
                answered=f"a page that begins with {first}",
                advice="Check the paging parameters of its description document.",
            )
        taken = features[: self._query.limit]
        cut = len(taken) < len(features)
        following = self._following(url, at, asked, answer, len(taken), cut)
        if following is not None and following.step == at.step and following.window == at.window:
            following = replace(following, first=first)
        inside = [self._record(feature, step) for feature in taken]
        inside = [each for each in inside if at.window.holds(_start(each))]
        fitting = self._fitting(inside, step)
        return fitting, total if len(fitting) == len(inside) else None, following

    def _following(
        self, url: Url, at: Position, asked: Asked, answer: Answer, taken: int, cut: bool
    ) -> Position | None:
        given = at.given + taken
        by_links = url.template.names.isdisjoint((requests.INDEX, requests.PAGE))
        if cut:
            return replace(at, given=given)
        if by_links and answer.features and answer.following:
            return replace(at, given=0, following=self._parameters(asked, answer.following))
        if not by_links and taken and _goes_on(answer, given):
            if self._options.depth is not None and given >= self._options.depth:
                raise self._too_deep()
            return replace(at, given=given)
        window = at.window.following(self._whole, self._descending)
        return None if window is None else at.next_window(window)

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

    def _fitting(self, records: list[Json], step: Step) -> list[Json]:
        trusted = self._options.trusted
        interval = None if "time" in trusted else self._query.interval
        return plan.fitting(records, step, interval, area="area" not in trusted)

    def _too_deep(self) -> BadRequest:
        return BadRequest(
            f"{self._upstream} pages through {self._options.depth} records and no more, "
            "and this search has more that time does not tell apart.",
            upstream=self._upstream,
            parameter="datetime",
            advice="Narrow the search in time or area, or sort by datetime.",
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


def _start(found: Json) -> datetime | None:
    return scalars.instant(found["ContentDate"]["Start"])
