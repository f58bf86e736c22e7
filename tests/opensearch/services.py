"""Small OpenSearch services as functions, each with paging habits of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from random import Random

import orjson

from stacbridge.access.flows import drive
from stacbridge.dialects.opensearch.dialect import OpenSearch
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Json, Page, Query, Reply, Request
from stacbridge.settings import Settings
from tests.leaving import left

HOME = "https://search.example/osdd"
CATALOGUE = """
id = "one"
title = "One"
dialect = "opensearch"
include = ["opensearch"]
[endpoints]
description = "https://search.example/osdd"
[limits]
page = 10
{limits}
[search]
{search}
[family]
name = "one"
files = true
[[collection]]
id = "one"
title = "One"
description = "One collection."
"""
DESCRIPTION = """<?xml version="1.0"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"
  xmlns:g="http://a9.com/-/opensearch/extensions/geo/1.0/" xmlns:t="http://a9.com/-/opensearch/extensions/time/1.0/"
  xmlns:e="http://a9.com/-/opensearch/extensions/eo/1.0/" xmlns:s="http://a9.com/-/opensearch/extensions/sru/2.0/">
  <Url type="{media_type}" rel="results" {offsets} template="https://search.example/find?{query}"/>
</OpenSearchDescription>"""
JSON = "application/geo+json"
SORTED = "&amp;sort={s:sortKeys?}"
BY_TIME = 'sort = { datetime = "start" }'
BOTH = "n={count?}&amp;at={startIndex?}&amp;id={g:uid?}&amp;from={t:start?}&amp;to={t:end?}&amp;box={g:box?}"


def feature(number: int) -> Json:
    day = f"2024-01-{number + 1:02}T00:00:00Z"
    point = {"type": "Point", "coordinates": [number, 10]}
    return {"type": "Feature", "id": f"f{number:02}", "geometry": point, "properties": {"date": day}}


@dataclass
class Service:
    """`respond` gets the parameters of a search and gives a FeatureCollection."""

    respond: Callable[[dict[str, str]], Json]
    query: str = BOTH
    offsets: str = ""
    media_type: str = JSON
    seen: list[dict[str, str]] = field(default_factory=list)

    def send(self, request: Request) -> Reply:
        """Answer a request."""
        if request.url == HOME:
            text = DESCRIPTION.format(media_type=self.media_type, offsets=self.offsets, query=self.query)
            return Reply(200, {}, text.encode(), HOME)
        self.seen.append(dict(request.params))
        body = self.respond(self.seen[-1])
        return Reply(200, {}, body if isinstance(body, bytes) else orjson.dumps(body), request.url)


def mapping(folder: Path, search: str = "", limits: str = "") -> Mapping:
    (folder / "one.toml").write_text(CATALOGUE.format(search=search, limits=limits), encoding="utf-8")
    return load("one", Settings(catalogue_folder=folder))


def turned(service: Service, catalogue: Mapping, query: Query) -> Page:
    """Return one page of a search."""
    return drive(OpenSearch(catalogue).walk(query), service.send)


def walked(
    service: Service, catalogue: Mapping, query: Query, most: int = 100, chance: Random | None = None
) -> list[Page]:
    """Return all pages of a search, or what is taken of them by `chance`; positions go through JSON."""
    pages: list[Page] = []
    for _ in range(most):
        page, at = left(turned(service, catalogue, query), chance)
        pages.append(page)
        if at is None:
            return pages
        query = replace(query, position=at, count=False)
    raise AssertionError("the walk does not end")


def walked_meanwhile(
    service: Service, catalogue: Mapping, query: Query, held: list[Json], coming: list[Json], step: int
) -> set[str]:
    """Return the names that a search gives while `step` records come to those held after each page."""
    arriving, found = iter(coming), set[str]()
    while True:
        page = turned(service, catalogue, query)
        found |= set(names([page]))
        if page.position is None:
            return found
        query = replace(query, position=page.position)
        held += islice(arriving, step)


def names(pages: list[Page]) -> list[str]:
    return [record["Name"] for page in pages for record in page.records]
