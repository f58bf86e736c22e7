"""A catalogue over plain Items in memory: exact, for tests, toys and small static collections."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import shapely
from shapely.geometry import shape

from stacbridge import geometry, ordering
from stacbridge.catalogue import Archive
from stacbridge.cql.matching import condition
from stacbridge.errors import BadRequest, NotFound
from stacbridge.hrefs import asset_href, collection_href, item_href
from stacbridge.model import Found, Interval, Json, Pending, Query, Ready, Reply, Request, SortKey
from stacbridge.schemas import described, queryables, sortables

Key = tuple[ordering.Place, str, str]
"""What Items are sorted by: their place in the order asked for, then id and collection."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An Item with what searches ask of it, read once."""

    item: Json
    footprint: Any
    start: datetime
    end: datetime


Condition = Callable[[Entry], bool]


class MemoryCatalogue:
    """The `Catalogue` protocol over a list of Item dicts; `add` puts more into it.

    Items are in the order asked for, newest first unless sorted, then by id and collection. A position says
    behind which Item it is, `{"after": [value of each sort key, id, collection]}`, so that Items may come
    and go between two pages.
    """

    connections = 4
    archive: Archive | None = None

    def __init__(
        self, id: str, collections: Sequence[Json], items: Iterable[Json], title: str | None = None
    ) -> None:
        self.id = id
        self.title = title or id
        self._collections = list(collections)
        self._entries = [_entry(item) for item in items]
        self._properties = {
            c["id"]: described(e.item for e in self._entries if e.item["collection"] == c["id"])
            for c in collections
        }

    def add(self, item: Json) -> None:
        """Put one more Item into the catalogue."""
        self._entries.append(_entry(item))

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        """Return one page of matching Items."""
        self._check_sortable(query.sortby)
        keys = query.sortby or ordering.NEWEST_FIRST
        conditions = _conditions(query)
        matches = [entry.item for entry in self._entries if all(holds(entry) for holds in conditions)]
        ordered = sorted(((_key(item, keys), item) for item in matches), key=itemgetter(0))
        start = (
            bisect_right(ordered, _resumed(query.position, keys), key=itemgetter(0)) if query.position else 0
        )
        shown = [item for _, item in ordered[start : start + query.limit]]
        places: list[Json | None] = [_behind(item, keys) for item in shown]
        if places and start + query.limit >= len(ordered):
            places[-1] = None
        return Found(
            [self._finished(item, root) for item in shown],
            position=places[-1] if places else None,
            matched=len(ordered) if query.count else None,
            places=places,
        )

    def collections(self) -> list[Json]:
        """Return all Collections."""
        return self._collections

    def claims(self) -> Set[str]:
        """Return the ids of the Collections that it was made with."""
        return self._properties.keys()

    def queryables(self, collection: str | None) -> Json:
        """Return the properties that Items have."""
        return queryables(self._known(collection))

    def sortables(self, collection: str | None) -> Json:
        """Return the properties with one value each."""
        return sortables(self._known(collection))

    def locate(self, collection: str, item: str, asset: str) -> Ready | Pending:
        """Return the asset's own http(s) href."""
        for entry in self._entries:
            if (entry.item["collection"], entry.item["id"]) == (collection, item):
                found = entry.item["assets"].get(asset)
                if found and found["href"].startswith(("http://", "https://")):
                    media_type = found.get("type", "application/octet-stream")
                    return Ready(
                        Request("GET", found["href"]), _file_name(found["href"]), media_type, ranges=True
                    )
        raise NotFound(f"There is no asset {asset!r} in item {item!r} of collection {collection!r}.")

    def warnings(self) -> list[str]:
        """Return nothing: there is no account."""
        return []

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        """Return no headers: hrefs here are open."""
        return {}

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        """Return no headers: hrefs here are open."""
        return {}

    def expired(self, reply: Reply) -> bool:
        """Tell that nothing expires: hrefs here are open."""
        return False

    def may_follow(self, url: str) -> bool:
        """Allow every redirect: no credential is sent."""
        return True

    def _known(self, collection: str | None) -> Json:
        chosen = self._properties.values() if collection is None else [self._properties[collection]]
        return {name: schema for properties in chosen for name, schema in properties.items()}

    def _check_sortable(self, keys: tuple[SortKey, ...]) -> None:
        known = self.sortables(None)["properties"]
        for key in keys:
            if key.name not in known:
                raise BadRequest(f"Items cannot be sorted by {key.name!r}.", parameter="sortby")

    def _finished(self, item: Json, root: str) -> Json:
        collection, id = item["collection"], item["id"]
        parent = {"href": collection_href(root, collection), "type": "application/json"}
        api_links = [
            {"rel": "self", "href": item_href(root, collection, id), "type": "application/geo+json"},
            {"rel": "root", "href": f"{root}/", "type": "application/json"},
            {"rel": "parent", **parent},
            {"rel": "collection", **parent},
        ]
        assets = {
            key: self._proxied(asset, root, collection, id, key) for key, asset in item["assets"].items()
        }
        return {**item, "links": [*api_links, *item.get("links", ())], "assets": assets}

    def _proxied(self, asset: Json, root: str, collection: str, item: str, key: str) -> Json:
        href = asset["href"]
        if not href.startswith(("http://", "https://")):
            return asset
        proxy = asset_href(root, self.id, collection, item, key, _file_name(href))
        return {**asset, "href": proxy, "alternate": {"origin": {"href": href, "alternate:name": "Origin"}}}


def _file_name(href: str) -> str:
    return href.partition("?")[0].rpartition("/")[2]


def _entry(item: Json) -> Entry:
    properties = item["properties"]
    start = properties.get("start_datetime") or properties["datetime"]
    end = properties.get("end_datetime") or properties["datetime"]
    footprint = shape(item["geometry"]) if item["geometry"] else None
    return Entry(item, footprint, _time(start), _time(end))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _key(item: Json, keys: tuple[SortKey, ...]) -> Key:
    return ordering.place(item, keys), item["id"], item["collection"]


def _behind(item: Json, keys: tuple[SortKey, ...]) -> Json:
    values = [ordering.value(item, key.name) for key in keys]
    return {"after": [*values, item["id"], item["collection"]]}


def _resumed(position: Json, keys: tuple[SortKey, ...]) -> Key:
    """Return the key of the Item that a position is behind, whether that is still there or not."""
    *values, id, collection = position["after"]
    named = {key.name: value for key, value in zip(keys, values, strict=True)}
    return _key({"id": id, "collection": collection, "properties": named}, keys)


def _conditions(query: Query) -> list[Condition]:
    conditions: list[Condition] = []
    if query.collections:
        conditions.append(lambda entry: entry.item["collection"] in query.collections)
    if query.ids:
        conditions.append(lambda entry: entry.item["id"] in query.ids)
    if query.interval:
        conditions.append(_during(query.interval))
    if query.bbox:
        conditions.append(_touching(geometry.box(query.bbox)))
    if query.intersects:
        conditions.append(_touching(query.intersects))
    if query.filter is not None:
        matches = condition(query.filter)
        conditions.append(lambda entry: matches(entry.item))
    return conditions


def _during(interval: Interval) -> Condition:
    start, end = interval.start, interval.end
    return lambda entry: (end is None or entry.start <= end) and (start is None or entry.end >= start)


def _touching(place: Json) -> Condition:
    area = shape(place)
    shapely.prepare(area)
    return lambda entry: entry.footprint is not None and bool(area.intersects(entry.footprint))
