"""What an answer of a service gives of one step: its records, what they are sorted by, and what follows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stacbridge import scalars
from stacbridge.dialects.opensearch import parts, plan, requests
from stacbridge.dialects.opensearch.answers import Answer
from stacbridge.dialects.opensearch.description import Url
from stacbridge.dialects.opensearch.merging import Entry, Given
from stacbridge.dialects.opensearch.options import Options
from stacbridge.dialects.opensearch.plan import PARENT, Step
from stacbridge.dialects.opensearch.position import Position
from stacbridge.dialects.opensearch.records import record
from stacbridge.dialects.opensearch.requests import Asked, Order
from stacbridge.errors import SearchTooWide, UpstreamError
from stacbridge.model import Json, Query


class Reading:
    """Reads the answers of one search; `order` as in `Pages`."""

    def __init__(self, upstream: str, options: Options, query: Query, order: Order | None) -> None:
        self._upstream, self._options, self._query, self._order = upstream, options, query, order
        self.by_time = order is None or order.stac == "datetime"
        self.descending = order is None or order.descending

    def key(self, found: Json, step: Step) -> Any:
        """Return what a record is sorted by; `None` where it has nothing like it."""
        if self._order is None or self.by_time:
            return start_of(found)
        row = step.spec.rows[self._order.stac]
        value = found["Attributes"].get(row.paths[0].rpartition("/")[2])
        return None if value is None else row.read(value)

    def given(
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
        records = [self.record(feature, step) for feature in features]
        inside = [each for each in records if at.window.holds(start_of(each))]
        if at.part is not None:
            inside = parts.cell(step, at.part).own(inside)
        kept = {id(each) for each in self.fitting(url, inside, parts.within(step, at.part))}
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
                raise self.too_deep()
            return replace(at, given=given)
        return self.next_window(step, at)

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

    def record(self, feature: Json, step: Step) -> Json:
        """Return the record of a feature, with the collection that was asked for where it names none."""
        found = record(feature, step.key, self._options.time)
        if step.key is not None:
            found["Attributes"].setdefault(PARENT, step.key)
        return found

    def fitting(self, url: Url, records: list[Json], step: Step) -> list[Json]:
        """Return those records that a step asks for, as far as the service is not trusted with it."""
        trusted = self._options.trusted
        interval = None if "time" in trusted else self._query.interval
        area = "area" not in trusted or not requests.names_area(url.template, step)
        return plan.fitting(records, step, interval, area=area)

    def first(self, answer: Answer, step: Step) -> datetime | None:
        """Return the first start of an answer, where the service is seen to have sorted it."""
        starts = [start_of(self.record(feature, step)) for feature in answer.features]
        known = [start for start in starts if start is not None]
        is_sorted = known == sorted(known, reverse=self.descending)
        return known[0] if known and is_sorted and len(known) == len(starts) else None

    def next_window(self, step: Step, at: Position) -> Position | None:
        """Return where the records after a window begin, if time goes on."""
        window = None if at.part else at.window.following(step.interval, self.descending)
        return None if window is None else at.next_window(window)

    def too_deep(self) -> SearchTooWide:
        """Make the failure of a search with more records than can be paged through."""
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


def start_of(found: Json) -> datetime | None:
    """Return when a record starts."""
    return scalars.instant(found["ContentDate"]["Start"])
