"""OpenSearch as OGC's Earth-observation profile has it (13-026r9, 17-047r1): walks over the pages of one
collection after another, each asked for as its own description document says.

What comes is checked here against the time and the area asked for: Terrascope, for one, answers beyond the
dates. Where a service pages to a depth and no further, time is split (see `windows`).
"""

import logging

from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.opensearch import answers, discovery, options, plan, position, requests
from stacbridge.dialects.opensearch.description import Url
from stacbridge.dialects.opensearch.descriptions import Descriptions
from stacbridge.dialects.opensearch.pages import Given, Pages
from stacbridge.dialects.opensearch.plan import Step
from stacbridge.dialects.opensearch.requests import Order, Slice
from stacbridge.errors import BadRequest, Misconfigured, NotFound
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.rows import Row
from stacbridge.model import Json, Page, Query

MAX_COLLECTIONS = 10_000
"""Collections that are taken from one service at most."""

log = logging.getLogger(__name__)


class OpenSearch:
    """Walks, discovers and describes one catalogue."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._options = options.parse(mapping)
        if "description" not in mapping.endpoints:
            raise Misconfigured(f"{mapping.id}.toml: endpoints.description: is missing")
        self._descriptions = Descriptions(mapping.id, mapping.endpoints["description"], self._options)

    def walk(self, query: Query) -> Conversation[Page]:
        """Return the page at `query.position`, passing over collections of which nothing matches.

        Raises `UnsupportedFilter` and `BadRequest` naming the parameter, `UpstreamError` and its kin.
        """
        steps = plan.steps(query, self._mapping)
        order = self._order(query, steps)
        pages = Pages(self._mapping.id, self._options, query, order)
        at: position.Position | None = position.read(query.position)
        counts = query.count and query.position is None
        totals: list[int | None] = []
        given = Given([], None, None)
        for _ in range(self._options.requests):
            if at is None or at.step >= len(steps):
                return Page([], matched=0 if counts else None)
            given = yield from self._given(pages, steps[at.step], at)
            totals += [given.total] if at.step == len(totals) else []
            at = given.following or (at.next_step() if at.step + 1 < len(steps) else None)
            if given.records:
                break
        matched = None
        if counts:
            matched = yield from self._matched(pages, steps, totals, given.records if at is None else None)
        return Page(given.records, None if at is None else position.write(at), matched)

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

    def _given(self, pages: Pages, step: Step, at: position.Position) -> Conversation[Given]:
        url = yield from self._descriptions.results(step.key)
        if pages.sorted and not requests.sorts(url.template):
            raise BadRequest(f"{self._mapping.title} does not sort {step.spec.id!r}.", parameter="sortby")
        if step.item is not None:
            return (yield from pages.item(url, step))
        return (yield from pages.page(url, step, at))

    def _matched(
        self, pages: Pages, steps: list[Step], totals: list[int | None], all_given: list[Json] | None
    ) -> Conversation[int | None]:
        """Return the number of all matches where it is known for certain: all were given, or the service
        counts what is asked for exactly."""
        if all_given is not None:
            return sum(1 for record in all_given if "Unfit" not in record)
        if not all(pages.counts(step) for step in steps) or len(steps) > self._options.requests:
            return None
        for step in steps[len(totals) :]:
            url = yield from self._descriptions.results(step.key)
            totals.append((yield from pages.count(url, step)))
        known = [total for total in totals if total is not None]
        return sum(known) if len(known) == len(totals) else None

    def _order(self, query: Query, steps: list[Step]) -> Order | None:
        """Return what to sort by: as asked, else the newest first where the catalogue says how."""
        if len(query.sortby) > 1:
            raise BadRequest("The upstream sorts by one property only.", parameter="sortby")
        names = self._options.sort
        if not query.sortby:
            return Order(names["datetime"], descending=True) if "datetime" in names else None
        key = query.sortby[0]
        name = key.name.removeprefix("properties.")
        if name not in names:
            raise BadRequest(f"{self._mapping.title} cannot sort by {name!r}.", parameter="sortby")
        if len(steps) > 1:
            raise BadRequest(
                f"{self._mapping.title} sorts within one collection only.",
                parameter="sortby",
                advice="Name one collection, and a box that does not cross the antimeridian.",
            )
        return Order(names[name], key.descending)

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
