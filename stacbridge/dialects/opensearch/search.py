"""One page of a search over all its steps in one order: by time, newest first, if nothing else is asked for.

Steps that the service sorts are merged (see `merging`). A service that does not sort is walked by windows of
time (see `time_walk`); one that does not even know time is given in its own order, one collection after
another. Items that are named by their ids are looked up one by one, and sorted here.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from stacbridge.dialects.checked import Checked
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.opensearch import position, requests
from stacbridge.dialects.opensearch.description import Url
from stacbridge.dialects.opensearch.descriptions import Descriptions
from stacbridge.dialects.opensearch.merging import AT_ONCE, Given, Merge, Run, Stand, outset
from stacbridge.dialects.opensearch.options import Options
from stacbridge.dialects.opensearch.pages import TIME, Pages
from stacbridge.dialects.opensearch.parts import Part, placed
from stacbridge.dialects.opensearch.plan import Step
from stacbridge.dialects.opensearch.reading import start_of
from stacbridge.dialects.opensearch.requests import Order
from stacbridge.dialects.time_walk import Lot, TimeWalk
from stacbridge.dialects.together import together
from stacbridge.errors import BadRequest, SearchTooWide
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Interval, Json, Page, Query


class Search:
    """A search of one service, that comes to at least one step."""

    def __init__(
        self,
        mapping: Mapping,
        options: Options,
        descriptions: Descriptions,
        query: Query,
        order: Order,
        steps: list[Step],
        now: datetime,
    ) -> None:
        self._now = now
        self._id, self._title = mapping.id, mapping.title
        self._options, self._descriptions = options, descriptions
        self._query, self._order, self._steps = query, order, steps
        self._pages = Pages(mapping.id, options, query, order)
        self._counts = query.count and query.position is None

    def page(self) -> Conversation[Page]:
        """Return the page at the query's position. Raises `BadRequest`, `SearchTooWide`, `UpstreamError`."""
        if self._steps[0].item is not None:
            return (yield from self._looked_up())
        url = yield from self._url(self._steps[0])
        if self._order.name is not None and requests.sorts(url.template):
            return (yield from self._merged())
        if self._order.stac == "datetime" and url.template.names >= TIME:
            return (yield from self._by_time())
        if self._query.sortby:
            raise BadRequest(f"{self._title} does not sort by {self._order.stac!r}.", parameter="sortby")
        return (yield from self._in_turn())

    # Steps that the service sorts -----------------------------------------------------------------
    def _merged(self) -> Conversation[Page]:
        runs, descending = self._runs(), self._order.descending
        if self._order.stac != "datetime":
            return (yield from self._filled(Merge(runs, descending, AT_ONCE)))
        for run in runs:
            run.reach = outset(run.step, run.at, descending)
        seconds = (self._query.position or {}).get("d")
        span = None if seconds is None else timedelta(seconds=seconds)
        return (yield from self._filled(Merge(runs, descending, AT_ONCE, span)))

    def _in_turn(self) -> Conversation[Page]:
        runs = self._runs()
        for number, run in enumerate(runs):
            run.reach = number
        return (yield from self._filled(Merge(runs, descending=False, at_once=1), in_turn=True))

    def _runs(self) -> list[Run]:
        stands = position.steps(self._query.position)
        parts = position.parts(self._query.position)
        found: list[Run] = []
        for step in self._steps:
            found += [Run(step, at, partial=True) for name, at in parts if name == step.name]
            found.append(Run(step, stands.get(step.name, position.START)))
        return found

    def _filled(self, merge: Merge, *, in_turn: bool = False) -> Conversation[Page]:
        def ask(run: Run, count: int) -> Conversation[Given]:
            url = yield from self._url(run.step)
            run.step = run.step.fitted(url.template, self._options)
            given = yield from self._pages.page(url, run.step, run.at or position.START, count)
            if not in_turn:
                return given
            entries = [entry._replace(key=run.reach) for entry in given.entries]
            return replace(given, entries=entries, edge=run.reach)

        records = yield from merge.fill(self._query.limit, ask, self._options.requests)
        span, checked = _span(records), _checked(run.step for run in merge.runs)
        at = _position(merge.stands(), span)

        def after(count: int) -> Json | None:
            return _position(merge.after(count), span)

        if at is None:
            return Page(records, None, self._whole(records, checked), checked, after=after)
        whole = [run for run in merge.runs if not run.partial]
        matched = (yield from self._matched(whole)) if self._counts and not checked else None
        return Page(records, at, matched, checked, after=after)

    def _matched(self, runs: list[Run]) -> Conversation[int | None]:
        """Return the number of all matches, where the service counts exactly what is asked for."""
        if not all(run.step.counted(self._options.trusted) for run in runs):
            return None
        urls = yield from together(self._url(run.step) for run in runs)
        if not all(requests.names_area(url.template, run.step) for url, run in zip(urls, runs, strict=True)):
            return None
        asked = [run for run in runs if run.rest is not None]
        others = [run for run in runs if run.rest is None]
        counted = yield from together(self._count(run.step) for run in others)
        totals = [*(run.total for run in asked), *counted]
        known = [total for total in totals if total is not None]
        return sum(known) if len(known) == len(totals) else None

    def _count(self, step: Step) -> Conversation[int | None]:
        url = yield from self._url(step)
        if step.fitted(url.template, self._options).checked:
            return None
        return (yield from self._pages.count(url, step))

    # A service that does not sort -----------------------------------------------------------------
    def _by_time(self) -> Conversation[Page]:
        urls = yield from together(map(self._url, self._steps))
        steps = [
            step.fitted(url.template, self._options) for step, url in zip(self._steps, urls, strict=True)
        ]

        def read(interval: Interval, size: int, *, whole: bool, path: str = "") -> Conversation[Lot | None]:
            most = self._options.requests if whole else 0
            lots = yield from together(
                self._pages.whole(url, step, interval, size, most, Part(path))
                for url, step in zip(urls, steps, strict=True)
            )
            known = [lot for lot in lots if lot is not None]
            if len(known) < len(lots):
                return None
            records = list(chain.from_iterable(lot.records for lot in known))
            totals = [lot.matched for lot in known if lot.matched is not None]
            return Lot(records, all(lot.complete for lot in known), sum(totals) or None)

        def splits(interval: Interval) -> Conversation[bool]:
            found = yield from together(
                placed(url, replace(step, interval=interval), partial(self._pages.count, url))
                for url, step in zip(urls, steps, strict=True)
            )
            return all(found)

        intervals = {(step.interval.start, step.interval.end) for step in steps}
        common = steps[0].interval if len(intervals) == 1 else self._query.interval
        walk = TimeWalk(
            upstream=self._id,
            interval=common or Interval(None, None),
            newest_first=self._order.descending,
            limit=self._query.limit,
            windows=self._options.requests,
            now=self._now,
            place=lambda record: (start_of(record), f"{record['Name']} {record['Id']}"),
            read=read,
            splits=splits,
        )
        at = yield from walk.fill(self._query.position)
        records, checked = [*walk.found, *walk.odd], _checked(steps)
        if at is None:
            return Page(records, None, self._whole(records, checked), checked, after=walk.after)
        counts = self._counts and not checked
        matched = (
            (yield from self._matched([Run(step, position.START) for step in steps])) if counts else None
        )
        return Page(records, at, matched, checked, after=walk.after)

    # Items by id ----------------------------------------------------------------------------------
    def _looked_up(self) -> Conversation[Page]:
        if len(self._steps) > self._options.lookups:
            raise SearchTooWide(
                f"{self._title} looks up each item in each collection, here {len(self._steps)} times; "
                f"{self._options.lookups} are the most.",
                parameter="ids",
                advice="Name the collections of the items, or fewer items.",
            )
        pairs = yield from together(map(self._looked_up_one, self._steps))
        found = [(record, step) for records, step in pairs for record in records]
        known = [(self._pages.reading.key(*each), each[0]["Name"], each[0]) for each in found]
        placed = sorted((each for each in known if each[0] is not None), key=lambda each: each[1])
        placed.sort(key=lambda each: each[0], reverse=self._order.descending)
        records = [each[2] for each in placed] + [each[2] for each in known if each[0] is None]
        start = int((self._query.position or {}).get("n", 0))
        end = start + self._query.limit
        checked = _checked(step for _, step in pairs)
        return Page(
            records[start:end],
            {"n": end} if end < len(records) else None,
            self._whole(records, checked),
            checked,
            after=lambda count: {"n": start + count},
        )

    def _looked_up_one(self, step: Step) -> Conversation[tuple[list[Json], Step]]:
        url = yield from self._url(step)
        fitted = step.fitted(url.template, self._options)
        return (yield from self._pages.item(url, fitted)), fitted

    def _url(self, step: Step) -> Conversation[Url]:
        return (yield from self._descriptions.results(step.key))

    def _whole(self, records: list[Json], checked: Checked) -> int | None:
        """Return the number of all matches where these are all of them."""
        if not self._counts or checked:
            return None
        return sum(1 for record in records if "Unfit" not in record)


def _position(stands: list[Stand], span: Json) -> Json | None:
    """Return where runs stand, for a cursor; `None` where all have ended."""
    if all(at is None for _, at in stands):
        return None
    whole = {run.step.name: at for run, at in stands if not run.partial}
    parts = [(run.step.name, at) for run, at in stands if run.partial and at is not None]
    return {**position.written(whole, parts), **span}


def _span(records: list[Json]) -> Json:
    """Return the seconds that a page goes over, for the next one."""
    times = [time for time in map(start_of, records) if time is not None]
    return {"d": math.ceil((max(times) - min(times)).total_seconds())} if times else {}


def _checked(steps: Iterable[Step]) -> Checked:
    return tuple(dict.fromkeys(chain.from_iterable(step.checked for step in steps)))
