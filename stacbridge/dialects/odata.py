"""OData as Copernicus archives speak it: one `Products` request per page, one record list per reply.

    position = {"t": …, "n": …, "i": …, "m": …}

Pages are walked by key, not by offset, so that their depth is not bounded by `$skip`: `t` is the sort value of the last
record given, `n` how many records of exactly that value were given, `i` the first item id of the current run where the
query names more ids than one request can hold, `m` the number of all matches, where it was counted.
"""

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import orjson

from stacbridge import conditions, convert, geometry
from stacbridge.conditions import unsupported
from stacbridge.dialects import odata_filter
from stacbridge.dialects.odata_filter import Text, both, either, quoted
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.families import Collection
from stacbridge.mapping import Mapping
from stacbridge.model import Interval, Json, Page, Query, Reply, Request, SortKey

_RESERVE = 100  # characters of the condition that continues a walk
DEFAULT_ORDER = SortKey("datetime", descending=True)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Which collections a query can have products of (`None`: any), as `$filter` text; `wide`: more come, too."""

    text: Text
    allowed: frozenset[str] | None
    wide: bool = False


@dataclass(frozen=True, slots=True)
class _Run:
    """The item ids that one request asks for, and where the next run starts (`None`: this is the last)."""

    text: Text
    following: int | None


class OData:
    """Asks and reads `Products` for one catalogue."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._url = f"{mapping.endpoints['catalogue']}/Products"
        self._page = mapping.limits.get("page", 1000)
        self._offset = mapping.limits.get("offset", 10_000)
        self._length = mapping.limits.get("filter", 6000)
        self._properties = {"id", "collection", "geometry"}.union(
            *[{*spec.rows, *spec.constants} for spec in mapping.specs.values()]
        )

    def ask(self, query: Query) -> Request | None:
        """Return the request for the page at `query.position`; `None` where nothing can match.

        Raises `UnsupportedFilter` and `BadRequest`, naming the parameter.
        """
        position = query.position or {}
        scope = self._scope(query)
        fixed = both([scope.text, *_when(query.interval), *_where(query)])
        run = self._run(query, fixed)
        path, descending = self._order(query, run)
        text = both([fixed, run.text, _continued(position, path, descending)])
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
        params += [("$count", "true")] if _counts(query, run) and not scope.wide else []
        params += [("$expand", name) for name in ("Attributes", "Assets", "Locations")]
        return Request("GET", self._url, tuple(params), {"Accept": "application/json"})

    def read(self, reply: Reply, query: Query) -> Page:
        """Return the records of a page, with `Attributes` as dicts, and the position of the next one.

        Raises `UpstreamError` where the reply is no list of products.
        """
        body = self._body(reply)
        records = [_record(entry) for entry in body["value"]]
        scope = self._scope(query)
        position = self._next(query, scope, body, records)
        matched = (query.position or {}).get("m", body.get("@odata.count"))
        if position is not None and matched is not None:
            position["m"] = matched
        if scope.allowed is not None:
            wanted = {None, *scope.allowed}
            records = [record for record in records if self._mapping.classify(record) in wanted]
        return Page(records, position, matched)

    def _top(self, query: Query) -> int:
        return min(query.limit, self._page)

    def _scope(self, query: Query) -> _Scope:
        condition = conditions.parse(query.filter) if query.filter else True
        if unknown := conditions.names(condition) - self._properties:
            raise unsupported(
                f"{self._mapping.title} has no property {', '.join(sorted(map(repr, unknown)))}."
            )
        specs = self._mapping.specs
        chosen = [specs[name] for name in dict.fromkeys(query.collections) if name in specs]
        if not query.collections:
            chosen = list(specs.values())
        texts = {spec.id: odata_filter.write(condition, spec, self._mapping.endings) for spec in chosen}
        if not query.collections and len(set(texts.values())) == 1:
            return _Scope(texts[chosen[0].id], None)
        allowed = frozenset(name for name, text in texts.items() if text is not False)
        exact = self._families(texts, wide=False)
        left = self._length - len(str(both([*_when(query.interval), *_where(query)]))) - _RESERVE
        if len(str(exact)) <= left:
            return _Scope(exact, allowed)
        return _Scope(self._families(texts, wide=True), allowed, wide=True)

    def _families(self, texts: dict[str, Text], *, wide: bool) -> Text:
        """Return `(family and membership and filter) or …`; `wide` leaves out memberships where the filter is one."""
        groups: dict[tuple[str, Text], list[Collection]] = {}
        for name, text in texts.items():
            if text is not False:
                spec = self._mapping.specs[name]
                groups.setdefault((spec.family, text), []).append(spec)
        families = [family for family, _ in groups]
        found: list[Text] = []
        for (family, text), specs in groups.items():
            whole = len(specs) == sum(spec.family == family for spec in self._mapping.specs.values())
            whole = whole or (wide and families.count(family) == 1)
            member = True if whole else either([odata_filter.membership(spec) for spec in specs])
            found.append(both([f"Collection/Name eq {quoted(family)}", member, text]))
        return either([f"({text})" if isinstance(text, str) and len(found) > 1 else text for text in found])

    def _run(self, query: Query, fixed: Text) -> _Run:
        ids = list(dict.fromkeys(query.ids))
        if not ids:
            return _Run(True, None)
        left = self._length - len(str(fixed)) - _RESERVE
        start = end = int((query.position or {}).get("i", 0))
        texts: list[Text] = []
        while end < len(ids):
            text = odata_filter.named(ids[end], self._mapping.endings)
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
        for spec in self._mapping.specs.values():
            row = spec.rows.get(name)
            if row is not None and row.sort:
                return row.paths[0], key.descending
        raise BadRequest(f"{self._mapping.title} cannot sort by {name!r}.", parameter="sortby")

    def _check_length(self, text: Text, query: Query) -> None:
        if len(str(text)) > self._length:
            raise BadRequest(
                f"The search takes more than the {self._length} characters that {self._mapping.title} is sent.",
                parameter="intersects" if query.intersects else "filter" if query.filter else "collections",
                advice="Simplify the geometry or the filter, or name fewer collections.",
            )

    def _next(self, query: Query, scope: _Scope, body: Json, records: list[Json]) -> Json | None:
        """Return where the next page starts: within this run of ids, at the next one, or nowhere."""
        position = query.position or {}
        run = self._run(query, both([scope.text, *_when(query.interval), *_where(query)]))
        here = {"i": position["i"]} if "i" in position else {}
        if not records or (len(records) < self._top(query) and "@odata.nextLink" not in body):
            return None if run.following is None else {"i": run.following}
        path, _ = self._order(query, run)
        last = _sort_value(records[-1], path)
        if last is None:
            raise UpstreamError(
                f"A product has no {path}, by which they are sorted.", upstream=self._mapping.id
            )
        same = takewhile(lambda record: _sort_value(record, path) == last, reversed(records))
        given = sum(1 for _ in same) + (int(position["n"]) if position.get("t") == last else 0)
        return {**here, "t": last, "n": given}

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


def _counts(query: Query, run: _Run) -> bool:
    """Tell whether a request can count all matches: the first one of a walk, if it asks for all ids."""
    return query.count and not query.position and run.following is None


def _when(interval: Interval | None) -> list[Text]:
    """Return the conditions that a product's interval intersects the one asked for, ends included."""
    if interval is None:
        return []
    texts: list[Text] = []
    if interval.end is not None:
        texts.append(f"ContentDate/Start le {convert.rfc3339(interval.end)}")
    if interval.start is not None:
        texts.append(f"ContentDate/End ge {convert.rfc3339(interval.start)}")
    return texts


def _where(query: Query) -> list[Text]:
    areas = [geometry.box(query.bbox)] if query.bbox else []
    return [
        odata_filter.intersects(area) for area in (*areas, *([query.intersects] if query.intersects else []))
    ]


def _continued(position: Json, path: str, descending: bool) -> Text:
    if "t" not in position:
        return True
    last = convert.time(position["t"])
    if last is None:
        raise BadRequest("The page token does not say where the last page ended.", parameter="token")
    return f"{path} {'le' if descending else 'ge'} {last}"


def _record(entry: Json) -> Json:
    attributes = entry.get("Attributes")
    entry["Attributes"] = _named(attributes) if isinstance(attributes, list) else {}
    return entry


def _named(attributes: list[Any]) -> Json:
    """Return OData's list of attributes as a dict; malformed ones are left out."""
    try:
        return {attribute["Name"]: attribute["Value"] for attribute in attributes}
    except (KeyError, TypeError):
        whole = [
            entry for entry in attributes if isinstance(entry, dict) and isinstance(entry.get("Name"), str)
        ]
        return {entry["Name"]: entry.get("Value") for entry in whole}


def _sort_value(record: Json, path: str) -> str | None:
    value: Any = record
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return convert.time(value)
