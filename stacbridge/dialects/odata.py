"""OData as Copernicus archives speak it: one request of an entity set per page, one record list per reply.

    position = {"t": …, "n": …, "i": …, "m": …}

Pages are walked by key, not by offset, so that their depth is not bounded by `$skip`: `t` is the sort value
of the last record given, `n` how many records of exactly that value were given, `i` the first item id of the
current run where the query names more ids than one request can hold, `m` the number of all matches, where it
was counted.
"""

from dataclasses import dataclass
from itertools import takewhile

import orjson

from stacbridge import scalars
from stacbridge.dialects import odata_names, odata_records
from stacbridge.dialects.odata_records import Listing
from stacbridge.dialects.odata_scope import ENTITY_SETS, RESERVE, Scope, Scoping
from stacbridge.dialects.odata_text import Text, both, either
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Page, Query, Reply, Request, SortKey

PRODUCTS = "Products"
EXPANDED = {"quicklook": "Assets", "compressed": "Locations"}
"""What of a product tells where assets of a kind are; OData gives it only when asked."""
DEFAULT_ORDER = SortKey("datetime", descending=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """The item ids that one request asks for, and where the next run starts (`None`: this is the last)."""

    text: Text
    following: int | None


class OData:
    """Asks and reads one entity set of a catalogue: `Products`, or one of `ENTITY_SETS`."""

    def __init__(self, mapping: Mapping, entity_set: str = PRODUCTS) -> None:
        self.entity_set = entity_set
        self._mapping = mapping
        self._url = f"{mapping.endpoints['catalogue']}/{entity_set}"
        self._specs = {
            name: spec
            for name, spec in mapping.specs.items()
            if entity_set == (spec.family if spec.family in ENTITY_SETS else PRODUCTS)
        }
        self._page = mapping.limits.get("page", 1000)
        self._offset = mapping.limits.get("offset", 10_000)
        self._length = mapping.limits.get("filter", 6000)
        self._scoping = Scoping(mapping, self._specs, self._length)

    def ask(self, query: Query) -> Request | None:
        """Return the request for the page at `query.position`; `None` where nothing can match.

        Raises `UnsupportedFilter` and `BadRequest`, naming the parameter.
        """
        position = query.position or {}
        scope = self._scoping.find(query)
        run = self._run(query, scope.text)
        path, descending = self._order(query, run)
        text = both([scope.text, run.text, _continued(position, path, descending)])
        if text is False:
            return None
        self._check_length(text, query)
        skip = int(position.get("n", 0))
        if skip > self._offset:
            raise BadRequest(
                f"More than {self._offset} items have the same {path}, and no page can start behind them.",
                upstream=self._mapping.id,
                parameter="token",
                advice="Narrow the search, for example by collection, area or a filter on another property.",
            )
        params = [] if text is True else [("$filter", str(text))]
        params += [("$orderby", f"{path} {'desc' if descending else 'asc'}"), ("$top", str(self._top(query)))]
        params += [("$skip", str(skip))] if skip else []
        params += [("$count", "true")] if _counts(query, run) and not (scope.wide or scope.checked) else []
        params += [("$expand", name) for name in self._expanded(scope)]
        return Request("GET", self._url, tuple(params), {"Accept": "application/json"})

    def read(self, reply: Reply, query: Query) -> Page:
        """Return the records of a page, with `Attributes` as dicts, and the position of the next one.

        Raises `UpstreamError` where the reply is no list of entities.
        """
        listing = self.listing(reply, query)
        position = self.position(query, listing.records, more=listing.more)
        matched = (query.position or {}).get("m", listing.count)
        if position is not None and matched is not None:
            position["m"] = matched
        return Page(self.wanted(query, listing.records), position, matched, self.checked(query))

    def listing(self, reply: Reply, query: Query) -> Listing:
        """Return what a reply lists. Raises `UpstreamError` where it is no list of entities."""
        body = self._body(reply)
        records = [self._record(entry) for entry in body["value"]]
        more = bool(records) and (len(records) >= self._top(query) or "@odata.nextLink" in body)
        return Listing(records, more, body.get("@odata.count"))

    def concerns(self, query: Query) -> bool:
        """Tell whether any entity of the set can match. Raises `UnsupportedFilter`."""
        return self._scoping.find(query).text is not False

    def knows(self, key: SortKey) -> bool:
        """Tell whether items of the set have the property of a sort key."""
        name = key.name.removeprefix("properties.")
        return any(name in spec.rows or name in spec.constants for spec in self._specs.values())

    def sort_value(self, query: Query, record: Json) -> str:
        """Return what a record is sorted by. Raises `UpstreamError` where it lacks that."""
        path, _ = self._order(query, self._run(query, True))
        value = odata_records.sort_value(record, path)
        if value is None:
            raise UpstreamError(
                f"A product has no {path}, by which they are sorted.", upstream=self._mapping.id
            )
        return value

    def checked(self, query: Query) -> tuple[str, ...]:
        """Return the conditions of a query that the archive is not, or not exactly, asked for."""
        return self._scoping.find(query).checked

    def wanted(self, query: Query, records: list[Json]) -> list[Json]:
        """Return the records that were asked for; others may come where the search was too long to tell."""
        scope = self._scoping.find(query)
        if scope.wanted is None:
            return records
        wanted = {None, *scope.wanted}
        return [record for record in records if self._mapping.classify(record) in wanted]

    def position(self, query: Query, records: list[Json], *, more: bool) -> Json | None:
        """Return where the page after these records starts: within this run of ids, at the next one, or
        nowhere."""
        position = query.position or {}
        run = self._run(query, self._scoping.find(query).text)
        here = {"i": position["i"]} if "i" in position else {}
        if not more:
            return None if run.following is None else {"i": run.following}
        path, _ = self._order(query, run)
        last = self.sort_value(query, records[-1])
        same = takewhile(lambda record: odata_records.sort_value(record, path) == last, reversed(records))
        given = sum(1 for _ in same) + (int(position["n"]) if position.get("t") == last else 0)
        return {**here, "t": last, "n": given}

    def _expanded(self, scope: Scope) -> list[str]:
        """Return the parts of a product that its Items are made of: a third of a page can be spared."""
        if self.entity_set != PRODUCTS:
            return []
        ids = scope.wanted or self._specs
        kinds = {asset.kind for id in ids for asset in self._mapping.specs[id].assets.values()}
        return ["Attributes", *[part for kind, part in EXPANDED.items() if kind in kinds]]

    def _top(self, query: Query) -> int:
        return min(query.limit, self._page)

    def _run(self, query: Query, fixed: Text) -> _Run:
        ids = list(dict.fromkeys(query.ids))
        if not ids:
            return _Run(True, None)
        left = self._length - len(str(fixed)) - RESERVE
        start = end = int((query.position or {}).get("i", 0))
        texts: list[Text] = []
        while end < len(ids):
            text = odata_names.named(ids[end], self._mapping.endings)
            left -= len(str(text)) + len(" or ")
            if left < 0 and end > start:
                break
            texts.append(text)
            end += 1
        return _Run(either(texts), end if end < len(ids) else None)

    def _order(self, query: Query, run: _Run) -> tuple[str, bool]:
        """Return the path that `$orderby` names, and whether it descends."""
        if len(query.sortby) > 1:
            raise BadRequest("The upstream sorts by one property only.", parameter="sortby")
        if query.sortby and (run.following is not None or (query.position or {}).get("i")):
            raise BadRequest(
                "So many ids cannot be sorted as a whole.",
                parameter="sortby",
                advice="Ask for fewer ids at once.",
            )
        key = query.sortby[0] if query.sortby else DEFAULT_ORDER
        name = key.name.removeprefix("properties.")
        for spec in self._specs.values():
            row = spec.rows.get(name)
            if row is not None and row.sort:
                return row.paths[0], key.descending
        raise BadRequest(f"{self._mapping.title} cannot sort by {name!r}.", parameter="sortby")

    def _check_length(self, text: Text, query: Query) -> None:
        if len(str(text)) > self._length:
            raise BadRequest(
                f"The search takes more than {self._length} characters of {self._mapping.title}'s $filter.",
                parameter="intersects" if query.intersects else "filter" if query.filter else "collections",
                advice="Simplify the geometry or the filter, or name fewer collections.",
            )

    def _body(self, reply: Reply) -> Json:
        try:
            body = orjson.loads(reply.body)
        except orjson.JSONDecodeError:
            body = None
        entries = body.get("value") if isinstance(body, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            shown = reply.body[:200].decode(errors="replace")
            raise UpstreamError(
                f"{self._mapping.title} answered no list of products.",
                upstream=self._mapping.id,
                asked=reply.url or None,
                answered=f"{reply.status} {shown!r}",
            )
        return dict(body)

    def _record(self, entry: Json) -> Json:
        if self.entity_set == PRODUCTS:
            return odata_records.product(entry)
        return odata_records.entity(entry, self._url)


def _counts(query: Query, run: _Run) -> bool:
    """Tell whether a request can count all matches: the first one of a walk, if it asks for all ids."""
    return query.count and not query.position and run.following is None


def _continued(position: Json, path: str, descending: bool) -> Text:
    if "t" not in position:
        return True
    last = scalars.time(position["t"])
    if last is None:
        raise BadRequest("The page token does not say where the last page ended.", parameter="token")
    return f"{path} {'le' if descending else 'ge'} {last}"
