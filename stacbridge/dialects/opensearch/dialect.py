"""OpenSearch as OGC's Earth-observation profile has it (13-026r9, 17-047r1): each collection is searched as
its own description document says, all of them in one order (see `search`).

What comes is checked here against the time and the area asked for: Terrascope, for one, answers beyond the
dates. Where a service pages to a depth and no further, time is split (see `windows`), and then area (see
`parts`).
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.opensearch import answers, discovery, options, plan, requests
from stacbridge.dialects.opensearch.description import Url
from stacbridge.dialects.opensearch.descriptions import Descriptions
from stacbridge.dialects.opensearch.requests import Order, Slice
from stacbridge.dialects.opensearch.search import Search
from stacbridge.errors import BadRequest, Misconfigured, NotFound
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.rows import Row
from stacbridge.model import Json, Page, Query

MAX_COLLECTIONS = 10_000
"""Collections that are taken from one service at most."""

log = logging.getLogger(__name__)


class OpenSearch:
    """Walks, discovers and describes one catalogue. `wall` is the Unix time."""

    slow_by_id = True
    """Services are asked for one id of one collection at a time."""

    def __init__(self, mapping: Mapping, *, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._mapping = mapping
        self._options = options.parse(mapping)
        if "description" not in mapping.endpoints:
            raise Misconfigured(f"{mapping.id}.toml: endpoints.description: is missing")
        self._descriptions = Descriptions(mapping.id, mapping.endpoints["description"], self._options)

    def walk(self, query: Query) -> Conversation[Page]:
        """Return the page at `query.position`, in the order asked for over all collections.

        Raises `BadRequest` naming the parameter, `SearchTooWide`, `UpstreamError` and its kin.
        """
        order = self._order(query)
        steps = plan.steps(query, self._mapping)
        if not steps:
            return Page([], matched=0 if query.count else None)
        now = datetime.fromtimestamp(self._wall(), UTC)
        search = Search(self._mapping, self._options, self._descriptions, query, order, steps, now)
        return (yield from search.page())

    def discover(self) -> Conversation[list[Json]]:
        """Return the STAC Collections that the service tells, and take them into the mapping.

        Raises `UpstreamError` and its kin.
        """
        if not self._mapping.discovers:
            return []
        self._descriptions.renew({})
        url = yield from self._descriptions.collections()
        told = yield from self._features(url)
        links = {key: discovery.description(feature) for key, feature in told.items()}
        self._descriptions.renew({key: link for key, link in links.items() if link})
        ids = self._ids(list(told))
        return self._mapping.adopt(
            {key: discovery.collection(feature, ids[key]) for key, feature in told.items()}
        )

    def queryables(self, collection: str | None) -> Conversation[Json]:
        """Return the JSON Schema of what a filter may name: of one collection, only what the service has a
        parameter for there, with the values that it lists. Raises `NotFound`."""
        schema = self._mapping.queryables(collection)
        if collection is None:
            return schema
        spec = self._mapping.specs.get(collection)
        if spec is None:
            raise NotFound(f"There is no collection {collection!r}.")
        url = yield from self._descriptions.results(plan.told_as(spec))
        properties = {
            name: self._described(url, spec.rows[name], each) if name in spec.rows else each
            for name, each in schema["properties"].items()
        }
        found = {name: each for name, each in properties.items() if each is not None}
        return {**schema, "properties": found}

    def _order(self, query: Query) -> Order:
        """Return what to sort by: as asked, else the newest first. Raises `BadRequest`."""
        if len(query.sortby) > 1:
            asked = ", ".join(repr(key.name) for key in query.sortby)
            raise BadRequest(
                f"{self._mapping.title} sorts by one property only, not by {asked}.", parameter="sortby"
            )
        names = self._options.sort
        if not query.sortby:
            return Order("datetime", names.get("datetime"), descending=True)
        key = query.sortby[0]
        name = key.name.removeprefix("properties.")
        if name not in {"datetime", *names}:
            raise BadRequest(f"{self._mapping.title} cannot sort by {name!r}.", parameter="sortby")
        return Order(name, names.get(name), key.descending)

    def _features(self, url: Url) -> Conversation[dict[str, Json]]:
        """Return the features of all collections by the service's name for them."""
        found: dict[str, Json] = {}
        start = 0
        while True:
            asked = requests.page(url, self._options, None, Slice(start, self._options.page))
            answer = answers.read((yield asked.request), self._mapping.id, axes=self._options.axes)
            told = {key: each for each in answer.features if (key := discovery.key(each)) is not None}
            news = told.keys() - found.keys()
            found |= told
            start += len(answer.features)
            whole = answer.total is not None and start >= answer.total
            if not news or whole or len(found) >= MAX_COLLECTIONS:
                break
        if answer.total is not None and answer.total > len(found):
            log.warning(
                "%s tells of %d collections, but gives %d", self._mapping.id, answer.total, len(found)
            )
        return found

    def _ids(self, keys: list[str]) -> dict[str, str]:
        """Return the ids of collections: short ones where that is wanted and they stay apart."""
        if not self._options.short_ids:
            return {key: key for key in keys}
        short = [discovery.short(key) for key in keys]
        return {key: key if short.count(id) > 1 else id for key, id in zip(keys, short, strict=True)}

    def _described(self, url: Url, row: Row, schema: Json) -> Json | None:
        attribute = row.paths[0].rpartition("/")[2]
        name = url.template.find(self._options.parameters.get(attribute, attribute))
        if name is None:
            return schema if row.required else None
        told = url.parameters[name].options if name in url.parameters else ()
        if not told or not row.plain or row.type != "String":
            return schema
        return {**schema, "enum": list(told)}
