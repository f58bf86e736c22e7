"""Another STAC API as an upstream: searched as its habits allow, its collections and queryables discovered.

Paths are those of the specification below `endpoints.catalogue`; links of the upstream are read for what they
say, and followed only to the queryables, on the upstream's own server.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from stacbridge.dialects import stac_pages
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.stac_filter import Vocabulary
from stacbridge.dialects.stac_foreign import decided
from stacbridge.dialects.stac_scope import Scope
from stacbridge.dialects.stac_scoping import Scoping
from stacbridge.dialects.stac_search import ACCEPT, Searching
from stacbridge.dialects.stac_walk import Walk
from stacbridge.errors import Misconfigured, NotFound, UpstreamError
from stacbridge.mapping.mapping import Mapping as Catalogue
from stacbridge.mapping.passthrough import Passthrough
from stacbridge.model import Json, Page, Query, Reply, Request
from stacbridge.wire.answers import read_json
from stacbridge.wire.hosts import Origin

QUERYABLES = ("http://www.opengis.net/def/rel/ogc/1.0/queryables", "queryables")

log = logging.getLogger(__name__)


class StacApi:
    """Searches one STAC API, and finds out what it has. `wall` is the Unix time."""

    def __init__(self, mapping: Catalogue, *, wall: Callable[[], float] = time.time) -> None:
        """Raises `Misconfigured` naming file and key."""
        if "catalogue" not in mapping.endpoints:
            raise Misconfigured(f"{mapping.id}.toml: endpoints: 'catalogue' is missing")
        self.translation = Passthrough(mapping)
        self._wall = wall
        self._id, self._title = mapping.id, mapping.title
        self._habits = self.translation.habits
        self._root = mapping.endpoints["catalogue"].rstrip("/")
        limits = mapping.limits
        self._listed, self._most = limits.get("collections", 100), limits.get("discovered", 10_000)
        self._searching = Searching(
            mapping.title,
            f"{self._root}/search",
            self._habits,
            limits.get("page", 1000),
            limits.get("url", 4000),
        )
        self._scoping = Scoping(
            self.translation, self._searching, self._known, self._vocabulary_of, mapping.limits
        )
        self._described: dict[str, str] = {}
        """Where the queryables of each discovered collection are."""

    def discover(self) -> Conversation[list[Json]]:
        """Return the Collections that can be searched. Raises `UpstreamError` for a list that never ends."""
        asked: Json = {"limit": self._listed, **dict(self._habits.discover)}
        found: list[Json] = []
        while True:
            params = tuple((name, str(value)) for name, value in asked.items())
            reply = yield Request("GET", f"{self._root}/collections", params, ACCEPT)
            document, entries = stac_pages.entries(reply, self._id, "collections")
            found += entries
            following = stac_pages.following(document, asked, self._id)
            if following is None:
                break
            if not entries or len(found) > self._most:
                raise UpstreamError(
                    f"{self._id} lists collections without end.",
                    upstream=self._id,
                    answered=f"{len(found)} so far, and a link to a next page",
                    advice="If there are so many, raise the limit `discovered` in the catalogue's file.",
                )
            asked = {**asked, **following}
        self._report(document, found)
        return self._adopted(found)

    def queryables(self, collection: str | None) -> Conversation[Json]:
        """Return the JSON Schema of what a filter may name. Raises `NotFound`, `UpstreamError`."""
        if self._habits.language == "none":
            return self.translation.described({})
        if collection is None:
            return self.translation.queryables()
        if collection not in (yield from self._known()):
            raise NotFound(f"There is no collection {collection!r}.", upstream=self._id)
        vocabulary = yield from self._vocabulary_of(collection)
        return self.translation.described(dict(vocabulary.schemas))

    def walk(self, query: Query) -> Conversation[Page]:
        """Return the page at `query.position`, in the order asked for.

        Raises `BadRequest` naming the parameter, `SearchTooWide`, `UpstreamError` for an answer that is no
        page or breaks off; `UnsupportedFilter` only for a condition on what no Item shows that the upstream's
        filters cannot tell either.
        """
        scope = yield from self._scoping.scope(query)
        if scope is None:
            return Page([], matched=0 if query.count else None)
        page = yield from self._walk(query, scope)
        if scope.left is None:
            return page
        items = self.translation.items(page.records, "")[0] if scope.facts else []
        return replace(page, match=(yield from decided(scope.left, scope.facts, items, self._satisfying)))

    def _walk(self, query: Query, scope: Scope) -> Conversation[Page]:
        now = datetime.fromtimestamp(self._wall(), UTC)
        return (yield from Walk(self.translation, self._searching, query, scope, now).page())

    def _satisfying(
        self, filter: Json | None, collections: tuple[str, ...], ids: tuple[str, ...]
    ) -> Conversation[list[Json]]:
        query = Query(limit=len(ids) * len(collections))
        return (yield from self._walk(query, Scope(filter, collections, ids, None))).records

    def _known(self) -> Conversation[Mapping[str, str]]:
        """Return where the queryables of each collection are, by its id."""
        if not self._described:
            yield from self.discover()
        return self._described

    def _vocabulary_of(self, collection: str) -> Conversation[Vocabulary]:
        return self._schemas(
            (yield Request("GET", self._described.get(collection) or self._built(collection)))
        )

    def _schemas(self, reply: Reply) -> Vocabulary:
        document = read_json(reply, self._id)
        properties = document.get("properties") if isinstance(document, dict) else None
        if not isinstance(properties, dict):
            raise UpstreamError(f"{self._id} answered queryables without properties.", upstream=self._id)
        return Vocabulary({name: schema for name, schema in properties.items() if isinstance(schema, dict)})

    def _adopted(self, entries: list[Json]) -> list[Json]:
        pairs = [(entry, self.translation.collection(entry)) for entry in entries]
        searched = {stac["id"]: (entry, stac) for entry, stac in pairs if stac is not None}
        self._described = {id: self._own(entry, id) for id, (entry, _) in searched.items()}
        log.info("%s: %d of %d collections have items.", self._id, len(searched), len(entries))
        return [stac for _, stac in searched.values()]

    def _own(self, entry: Json, id: str) -> str:
        """Return where a collection's queryables are: the link may bear another id than the collection."""
        told = stac_pages.href(entry, *QUERYABLES)
        if told is not None and Origin.of(told) is not None and Origin.of(told) == Origin.of(self._root):
            return told
        return self._built(id)

    def _built(self, collection: str) -> str:
        return f"{self._root}/collections/{quote(collection, safe='')}/queryables"

    def _report(self, document: Mapping[str, object], found: list[Json]) -> None:
        count = stac_pages.matched(dict(document))
        if count is not None and count > len(found):
            log.warning("%s tells of %d collections and lists %d.", self._id, count, len(found))
