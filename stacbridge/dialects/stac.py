"""Another STAC API as an upstream: searched as its habits allow, its collections and queryables discovered.

Paths are those of the specification below `endpoints.catalogue`; links of the upstream are read for what they
say, and followed only to the queryables, on the upstream's own server.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial, reduce
from itertools import chain
from urllib.parse import quote

from stacbridge.cql import conditions
from stacbridge.cql.conditions import Condition, Predicate, conjunction, unsupported
from stacbridge.dialects import stac_pages, stac_scope
from stacbridge.dialects.checked import Checked, parsed, told
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.stac_filter import Part, Vocabulary, Wording, both
from stacbridge.dialects.stac_foreign import decided, fact, hidden, shown
from stacbridge.dialects.stac_scope import Scope, divided
from stacbridge.dialects.stac_search import ACCEPT, Searching
from stacbridge.dialects.stac_walk import Walk
from stacbridge.dialects.together import together
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
        self._named, self._foreign = limits.get("vocabularies", 10), limits.get("foreign", 100)
        self._hidden = self.translation.hidden
        self._searching = Searching(
            mapping.title,
            f"{self._root}/search",
            self._habits,
            limits.get("page", 1000),
            limits.get("url", 4000),
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
        vocabulary = yield from self._vocabulary((collection,))
        return self.translation.described(dict(vocabulary.schemas))

    def walk(self, query: Query) -> Conversation[Page]:
        """Return the page at `query.position`, in the order asked for.

        Raises `BadRequest` naming the parameter, `SearchTooWide`, `UpstreamError` for an answer that is no
        page or breaks off; `UnsupportedFilter` only for a condition on what no Item shows that the upstream's
        filters cannot tell either.
        """
        scope = yield from self._scope(query)
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

    def _scope(self, query: Query) -> Conversation[Scope | None]:
        """Return what to ask for, `None` where nothing can match.

        Conditions on `collection`, and on what filters do not know of a collection and its Items do not show,
        are decided here; where they make the rest differ between collections, what one of them wants is asked
        of all.
        """
        parsed_filter, checked = parsed(query.filter)
        condition = rest = shown(parsed_filter, self.translation.fields)
        collections, tests = query.collections, hidden(condition, self._hidden)
        wording = Wording(self._habits, self.translation.fields, Vocabulary({}), self._hidden)
        vocabularies: dict[str, Vocabulary] = {}
        differs: Checked = ()
        if tests or "collection" in conditions.names(condition):
            chosen = collections or tuple((yield from self._known()))
            vocabularies = (yield from self._vocabularies(chosen)) if tests else {}
            rest, among, differs = divided(condition, chosen, partial(self._decided, wording, vocabularies))
            collections = among if query.collections or len(among) < len(chosen) else ()
        ids, rest = stac_scope.ids(rest, query.ids)
        if tests:
            wording.vocabulary = _common(vocabularies[id] for id in among)
        elif not isinstance(rest, bool):
            wording.vocabulary = yield from self._vocabulary(collections)
        parts = self._fitted(replace(query, collections=collections), wording.parts(rest))
        written = both([part.expression for part in parts])
        if written is False or ids == ():
            return None
        open_ = [part for part in parts if part.checked]
        checked = (*checked, *differs, *dict.fromkeys(chain.from_iterable(part.checked for part in open_)))
        left = condition if differs else conjunction(part.condition for part in open_)
        facts = (fact(test, wording, vocabularies, self._title) for test in hidden(left, self._hidden))
        return Scope(
            written if isinstance(written, dict) else None,
            collections,
            ids or (),
            stac_scope.during(rest, query.interval),
            checked,
            left if open_ or differs else None,
            tuple(facts),
        )

    def _decided(
        self, wording: Wording, vocabularies: Mapping[str, Vocabulary], collection: str, test: Predicate
    ) -> Condition:
        """Decide a test of what neither filters know of a collection nor its Items show."""
        if test.name not in self._hidden or wording.knows(test.name, vocabularies[collection]):
            return test
        return test.op == "isnull" and not test.negated

    def _fitted(self, query: Query, parts: list[Part]) -> list[Part]:
        """Leave out what is too long for a request, the longest first, and last what cannot be checked."""
        while isinstance(written := both([part.expression for part in parts]), dict):
            if self._searching.fits(query, written):
                break
            asked = [part for part in parts if isinstance(part.expression, dict)]
            longest = max(asked, key=lambda part: (not hidden(part.condition, self._hidden), _length(part)))
            parts[parts.index(longest)] = Part(longest.condition, True, (told(longest.condition),))
        return parts

    def _known(self) -> Conversation[Mapping[str, str]]:
        """Return where the queryables of each collection are, by its id."""
        if not self._described:
            yield from self.discover()
        return self._described

    def _vocabulary(self, collections: tuple[str, ...]) -> Conversation[Vocabulary]:
        """Return what filters on all of these collections may name; nothing where that is not known."""
        if self._habits.language == "none" or not 0 < len(collections) <= self._named:
            return Vocabulary({})
        return _common((yield from self._vocabularies(collections)).values())

    def _vocabularies(self, collections: tuple[str, ...]) -> Conversation[dict[str, Vocabulary]]:
        """Return what filters on each of these collections may name. Raises `UnsupportedFilter`."""
        if len(collections) > self._foreign:
            raise unsupported(
                f"What {self._title}'s items do not show can be asked of {self._foreign} collections at "
                f"most, not of {len(collections)}."
            )
        found = yield from together(map(self._vocabulary_of, collections))
        return dict(zip(collections, found, strict=True))

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


def _common(vocabularies: Iterable[Vocabulary]) -> Vocabulary:
    """Return what several collections have in common; nothing of none."""
    found = list(vocabularies)
    return reduce(Vocabulary.meet, found) if found else Vocabulary({})


def _length(part: Part) -> int:
    return len(str(part.expression))
