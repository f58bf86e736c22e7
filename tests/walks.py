"""Walks of a dialect over real HTTP, checked as whoever asks it must: see `Page.checked`."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import requests
import shapely
from shapely.geometry import shape

from stacbridge import geometry, ordering, scalars
from stacbridge.access.flows import drive
from stacbridge.cql.matching import condition
from stacbridge.dialects.dialect import Discovering, Translation, Walking
from stacbridge.errors import UpstreamError
from stacbridge.model import Json, Page, Query, Reply, Request
from tests.leaving import left

ROOT = "http://bridge"


def send(request: Request) -> Reply:
    """Send a request as it is; an answer that is no success is raised."""
    answer = requests.request(
        request.method,
        request.url,
        params=list(request.params),
        headers=dict(request.headers),
        data=request.body,
        timeout=30,
    )
    if not answer.ok:
        raise UpstreamError("refused", answered=f"HTTP {answer.status_code}: {answer.text}")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Reply(answer.status_code, headers, answer.content, answer.url)


class Archive:
    """All that a catalogue holds, as Items."""

    def __init__(self, items: list[Json]) -> None:
        self.items = items

    def wanted(self, query: Query) -> list[Json]:
        """Return the Items that a search must give, in order, by looking at each of them."""
        matches = condition(query.filter) if query.filter else lambda item: True
        found = [item for item in self.items if _fits(item, query) and matches(item)]
        return sorted(found, key=lambda item: ordering.place(item, query.sortby))


class Walks:
    """A dialect and its translation, with all collections discovered. `asked` are its requests since."""

    def __init__(self, dialect: Walking, translation: Translation) -> None:
        self.dialect, self.translation = dialect, translation
        self.asked: list[Request] = []
        if isinstance(dialect, Discovering):
            drive(dialect.discover(), send)

    def page(self, query: Query) -> Page:
        """Return one page."""

        def sending(request: Request) -> Reply:
            self.asked.append(request)
            return send(request)

        return drive(self.dialect.walk(query), sending)

    def pages(self, query: Query, chance: Random | None = None, most: int = 2000) -> list[Page]:
        """Return all pages of a search, or what is taken of them by `chance`; positions go through JSON."""
        pages: list[Page] = []
        for _ in range(most):
            page, at = left(self.page(query), chance)
            assert len(page.records) <= query.limit
            pages.append(page)
            if at is None:
                return pages
            query = replace(query, position=at, count=False)
        raise AssertionError("the walk does not end")

    def items(self, query: Query, chance: Random | None = None) -> list[Json]:
        """Return all Items of a search, those left out that do not match where that is to be checked."""
        matches = condition(query.filter) if query.filter else lambda item: True
        found: list[Json] = []
        for page in self.pages(query, chance):
            items = self.translation.items(page.records, ROOT)[0]
            matching = page.match or matches
            found += [item for item in items if matching(item)] if page.checked else items
        return found


def named(items: Iterable[Json]) -> list[tuple[str, str]]:
    """Return collection and id of Items, sorted."""
    return sorted((item["collection"], item["id"]) for item in items)


def places(items: Iterable[Json], query: Query) -> list[ordering.Place]:
    """Return where Items stand in the order that was asked for."""
    return [ordering.place(item, query.sortby) for item in items]


def _fits(item: Json, query: Query) -> bool:
    properties = item["properties"]
    start = scalars.instant(properties.get("start_datetime") or properties["datetime"])
    end = scalars.instant(properties.get("end_datetime") or properties["datetime"])
    assert start is not None
    assert end is not None
    during = query.interval is None or (
        (query.interval.end is None or start <= query.interval.end)
        and (query.interval.start is None or end >= query.interval.start)
    )
    areas = [geometry.box(query.bbox)] if query.bbox else []
    areas += [query.intersects] if query.intersects else []
    footprint = shape(item["geometry"])
    return (
        during
        and (not query.collections or item["collection"] in query.collections)
        and (not query.ids or item["id"] in query.ids)
        and all(shapely.intersects(shape(area), footprint) for area in areas)
    )
