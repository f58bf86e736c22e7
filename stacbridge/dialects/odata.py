"""OData as Copernicus archives speak it: what one entity set is asked, and what it answers.

Entities are walked by the time that they are sorted by, not by offset, so that `$skip` bounds no walk.
"""

from collections.abc import Sequence
from dataclasses import replace

from stacbridge.dialects import odata_names, odata_records
from stacbridge.dialects.odata_order import Order, Place
from stacbridge.dialects.odata_page import ProductPage
from stacbridge.dialects.odata_records import Listing
from stacbridge.dialects.odata_scope import ENTITY_SETS, RESERVE, Scope, Scoping
from stacbridge.dialects.odata_text import Text, both, either
from stacbridge.errors import BadRequest, SearchTooWide, UpstreamError
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Query, Reply, Request, SortKey
from stacbridge.wire.answers import read_json, sanitise, told
from stacbridge.wire.hosts import without_query

PRODUCTS = "Products"
EXPANDED = {"quicklook": "Assets", "compressed": "Locations"}
"""What of a product tells where assets of a kind are; OData gives it only when asked."""
DEFAULT_ORDER = SortKey("datetime", descending=True)
WITHIN_RUNS = ("PublicationDate", "ModificationDate", "ContentDate/End", "ContentDate/Start")
"""What the products of one time are sorted by, where the set is: those that tell most apart come first."""

ACCEPT = {"Accept": "application/json"}
Params = list[tuple[str, str]]


class OData:
    """Asks and reads one entity set of a catalogue: `Products`, or one of `ENTITY_SETS`.

    `page` is the largest `$top`, `offset` the largest `$skip`.
    """

    def __init__(self, mapping: Mapping, entity_set: str = PRODUCTS) -> None:
        self.entity_set = entity_set
        self.upstream = mapping.id
        self.page = mapping.limits.get("page", 1000)
        self.offset = mapping.limits.get("offset", 10_000)
        self._mapping = mapping
        self._url = f"{mapping.endpoints['catalogue']}/{entity_set}"
        self._specs = {
            name: spec
            for name, spec in mapping.specs.items()
            if entity_set == (spec.family if spec.family in ENTITY_SETS else PRODUCTS)
        }
        rows = [row for spec in self._specs.values() for row in spec.rows.values()]
        self._products = ProductPage(mapping.specs.values()) if entity_set == PRODUCTS else None
        self._sorted_by = {row.stac: row.paths[0] for row in rows if row.sort}
        self._length = mapping.limits.get("filter", 6000)
        self._scoping = Scoping(mapping, self._specs, self._length)

    def find(self, query: Query) -> Scope:
        """Return what a query asks of the set, but for its ids and position. Raises `UnsupportedFilter`."""
        return self._scoping.find(query)

    def ask(self, query: Query, scope: Scope | None = None) -> Request | None:
        """Return the request for the entities at `query.position`; `None` where nothing can match.

        Where there is room, it begins with the last entity given, which tells whether others have moved.
        `scope` is that of the query, where it was found before. Raises `UnsupportedFilter` and `BadRequest`,
        naming the parameter.
        """
        scope, place = scope or self.find(query), Place.read(query.position)
        if scope.text is False:
            return None
        again = sum(run.given for run in place.within)
        last = int(place.last is not None and place.given > 0 and query.limit + again < self.page)
        counts = query.count and not query.position and not scope.wide and not scope.checked
        params = self._where(query, scope, place)
        params += [("$orderby", self.order(query).orderby(place))]
        params += _span(place.given - last, min(query.limit + again + last, self.page))
        params += [("$count", "true")] if counts else []
        params += [("$expand", name) for name in self._expanded(scope)]
        return Request("GET", self._url, tuple(params), ACCEPT)

    def ask_part(self, query: Query, scope: Scope, place: Place, skip: int, top: int, name: str) -> Request:
        """Return the request for one property alone of a run's entities, in the order in which the run is
        met.

        `place` is the start of the walk through the run.
        """
        met = replace(place, within=place.within[:-1])
        params = self._where(query, scope, place)
        params += [("$orderby", self.order(query).orderby(met)), *_span(skip, top), ("$select", name)]
        return Request("GET", self._url, tuple(params), ACCEPT)

    def read(self, reply: Reply) -> Listing:
        """Return the entities in a reply as records. Raises `UpstreamError` where it is no list of them."""
        listing = None if self._products is None else self._products.read(reply.body)
        return self._read_any(reply) if listing is None else listing

    def _read_any(self, reply: Reply) -> Listing:
        """Read a page whatever its entities are like: malformed ones spoil no others."""
        body = self._body(reply)
        records = [self._record(entry) for entry in body["value"]]
        return Listing(records, "@odata.nextLink" in body, body.get("@odata.count"))

    def knows(self, key: SortKey) -> bool:
        """Tell whether items of the set have the property of a sort key."""
        name = key.name.removeprefix("properties.")
        return any(name in spec.rows or name in spec.constants for spec in self._specs.values())

    def order(self, query: Query) -> Order:
        """Return what entities are sorted by. Raises `BadRequest` where the upstream cannot."""
        if len(query.sortby) > 1:
            more = ", ".join(repr(key.name) for key in query.sortby[1:])
            raise BadRequest(
                f"{self._mapping.title} sorts by one property only, not also by {more}.", parameter="sortby"
            )
        key = query.sortby[0] if query.sortby else DEFAULT_ORDER
        name = key.name.removeprefix("properties.")
        if name not in self._sorted_by:
            raise BadRequest(f"{self._mapping.title} cannot sort by {name!r}.", parameter="sortby")
        first = self._sorted_by[name]
        others = [path for path in WITHIN_RUNS if path in self._sorted_by.values() and path != first]
        return Order((first, *others), key.descending)

    def times(self, records: Sequence[Json], path: str) -> list[str | None]:
        """Return what records are sorted by, `None` for malformed ones that lack it.

        Raises `UpstreamError` where all do: nothing tells then where to go on.
        """
        found = [odata_records.sort_value(record, path) for record in records]
        if found and not any(found):
            raise UpstreamError(f"A product has no {path}, by which they are sorted.", upstream=self.upstream)
        return found

    def wanted(self, scope: Scope, records: list[Json]) -> list[bool]:
        """Tell of each record whether it was asked for; others come where the search was too long to tell."""
        if scope.wanted is None:
            return [True] * len(records)
        wanted = {None, *scope.wanted}
        return [self._mapping.classify(record) in wanted for record in records]

    def split(self, query: Query, scope: Scope) -> list[Query]:
        """Return searches that together are this one, each for no more ids than a request can hold."""
        ids = list(dict.fromkeys(query.ids))
        if not ids:
            return [query]
        left = room = self._length - len(str(scope.text)) - RESERVE
        parts: list[list[str]] = [[]]
        for id in ids:
            needed = len(str(odata_names.named(id, self._mapping.endings))) + len(" or ")
            if needed > left and parts[-1]:
                parts.append([])
                left = room
            parts[-1].append(id)
            left -= needed
        return [replace(query, ids=tuple(part)) for part in parts]

    def _where(self, query: Query, scope: Scope, place: Place) -> Params:
        fixed = both([scope.text, self._named(query)])
        self._check_length(fixed, query)
        text = both([fixed, self.order(query).condition(place)])
        if place.stems and len(str(text)) > self._length:
            raise self._too_long(query)
        return [] if text is True else [("$filter", str(text))]

    def _named(self, query: Query) -> Text:
        texts = [odata_names.named(id, self._mapping.endings) for id in dict.fromkeys(query.ids)]
        return either(texts) if texts else True

    def _expanded(self, scope: Scope) -> list[str]:
        """Return the parts of a product that its Items are made of: a third of a page can be spared."""
        if self.entity_set != PRODUCTS:
            return []
        ids = scope.wanted or self._specs
        kinds = {asset.kind for id in ids for asset in self._mapping.specs[id].assets.values()}
        return ["Attributes", *[part for kind, part in EXPANDED.items() if kind in kinds]]

    def _check_length(self, text: Text, query: Query) -> None:
        if len(str(text)) > self._length - RESERVE:
            raise self._too_long(query)

    def _too_long(self, query: Query) -> SearchTooWide:
        return SearchTooWide(
            f"The search takes more than {self._length} characters of {self._mapping.title}'s $filter.",
            parameter="intersects" if query.intersects else "filter" if query.filter else "collections",
            advice="Simplify the geometry or the filter, or name fewer collections.",
        )

    def _body(self, reply: Reply) -> Json:
        body = read_json(reply, self.upstream)
        entries = body.get("value") if isinstance(body, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise UpstreamError(
                f"{self._mapping.title} answered no list of products.",
                upstream=self.upstream,
                asked=sanitise(without_query(reply.url)),
                answered=told(reply),
            )
        return dict(body)

    def _record(self, entry: Json) -> Json:
        if self.entity_set == PRODUCTS:
            return odata_records.product(entry)
        return odata_records.entity(entry, self._url)


def _span(skip: int, top: int) -> Params:
    return [("$top", str(top)), *([("$skip", str(skip))] if skip else [])]
