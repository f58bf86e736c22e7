"""The same scene in several catalogues: recognised by its product's name, shown once or linked.

A product keeps its name wherever it is archived; an Item's id is that name, with or without the ending of the
package (`.SAFE`, `.zip`). Only ids with a date in them are taken for such names: `tile-7` may be anybody's.
Of the copies of a scene, one whose bytes are online is preferred, then the catalogue that the settings name
first.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from stacbridge.catalogue import Catalogue
from stacbridge.errors import SearchTooWide, UpstreamError
from stacbridge.federation import Federation, Results
from stacbridge.hrefs import item_href
from stacbridge.model import Interval, Json, Query, Skipped
from stacbridge.scalars import instant
from stacbridge.settings import Settings

log = logging.getLogger(__name__)

ENDINGS = (".SAFE.zip", ".SEN3.zip", ".SAFE", ".SEN3", ".zip", "")
DATED = re.compile(r"(?<!\d)(?:19|20)\d{6}(?!\d)", re.ASCII)
A_DAY = timedelta(days=1)
GEOJSON = "application/geo+json"

Copies = dict[str, list[Json]]
"""The Items of each scene, by its name."""


class Searches(Protocol):
    """What answers a search: a federation, or one that is wrapped."""

    def search(
        self, query: Query, token: str | None, root: str, *, ready: bool = False, strict: bool = False
    ) -> Results:
        """Return one page, as `Federation.search` does."""
        ...


def scene(id: str) -> str | None:
    """Return the name of the product that an Item's id names, without the ending of its package."""
    name = id.removesuffix(next(ending for ending in ENDINGS if id.endswith(ending)))
    return name if DATED.search(name) else None


def shown(how: str | None, federation: Federation, settings: Settings) -> Searches:
    """Return what searches `federation` and shows scenes "once", "linked", or (`None`) as they are."""
    if how is None:
        return federation
    return Once(federation, settings) if how == "once" else Linked(federation, settings)


class Once:
    """Searches that give each scene once: an Item is left out where a copy that is preferred matches too.

    A page is decided by itself, so that pages need no memory. While a catalogue is down its copies are not
    known: a scene may then come twice, and is never lost. How many scenes match is not known.
    """

    def __init__(self, federation: Federation, settings: Settings) -> None:
        self._federation = federation
        self._pages = settings.max_upstream_pages
        self._register = Register(federation, settings)

    def search(
        self, query: Query, token: str | None, root: str, *, ready: bool = False, strict: bool = False
    ) -> Results:
        """Return one page, which is empty only at the end. Raises as `Federation.search` does."""
        query, skipped = replace(query, count=False), list[Skipped]()
        for _ in range(self._pages):
            results = self._federation.search(query, token, root, ready=ready, strict=strict)
            skipped += results.skipped
            items = self._once(query, results.items, root)
            if items or results.token is None:
                return replace(results, items=items, skipped=skipped)
            token = results.token
        raise SearchTooWide(
            f"{self._pages} pages (max_upstream_pages) held only scenes that are shown elsewhere.",
            parameter="scenes",
            advice="Ask for more items on a page, or for fewer collections.",
        )

    def _once(self, query: Query, items: list[Json], root: str) -> list[Json]:
        owners = self._register.owners()
        asked = {owners[id] for id in query.collections or owners if id in owners}
        if len(asked) < 2:
            return items
        copies = self._register.copies(items, query, root)
        return [item for item in items if not self._is_surpassed(item, copies, owners)]

    def _is_surpassed(self, item: Json, copies: Copies, owners: dict[str, int]) -> bool:
        others = elsewhere(item, copies, owners)
        return any(preference(other, owners) < preference(item, owners) for other in others)


class Linked:
    """Searches whose Items link to the copies in other catalogues, and to the one that is preferred."""

    def __init__(self, federation: Federation, settings: Settings) -> None:
        self._federation = federation
        self._register = Register(federation, settings)

    def search(
        self, query: Query, token: str | None, root: str, *, ready: bool = False, strict: bool = False
    ) -> Results:
        """Return one page. Raises as `Federation.search` does."""
        results = self._federation.search(query, token, root, strict=strict)
        return replace(results, items=self._linked(results.items, root))

    def item(self, collection: str, id: str, root: str) -> Json:
        """Return one Item. Raises `NotFound`."""
        return self._linked([self._federation.item(collection, id, root)], root)[0]

    def _linked(self, items: list[Json], root: str) -> list[Json]:
        owners = self._register.owners()
        copies = self._register.copies(items, Query(), root) if len(set(owners.values())) > 1 else {}
        return [
            {**item, "links": [*item["links"], *self._links(item, copies, owners, root)]} for item in items
        ]

    def _links(self, item: Json, copies: Copies, owners: dict[str, int], root: str) -> Iterator[Json]:
        others = elsewhere(item, copies, owners)
        for other in others:
            yield self._link("alternate", other, owners, root)
        if others:
            best = min([item, *others], key=lambda each: preference(each, owners))
            yield self._link("canonical", best, owners, root)

    def _link(self, rel: str, item: Json, owners: dict[str, int], root: str) -> Json:
        href = item_href(root, item["collection"], item["id"])
        title = self._register.catalogues[owners[item["collection"]]].title
        return {"rel": rel, "href": href, "type": GEOJSON, "title": title}


class Register:
    """Who holds which collection, and which Items are copies of one scene."""

    def __init__(self, federation: Federation, settings: Settings) -> None:
        self._federation = federation
        self._max_ids = settings.max_ids
        self.catalogues: list[Catalogue] = list(federation.catalogues.values())

    def owners(self) -> dict[str, int]:
        """Return by collection the place of its catalogue in the settings; those that are down tell none."""
        return dict(self._told())

    def copies(self, items: Sequence[Json], query: Query, root: str) -> Copies:
        """Return all Items, in any catalogue, that match `query` and are of the same scenes as `items`."""
        names = dict.fromkeys(name for item in items if (name := scene(item["id"])))
        spelt = [f"{name}{ending}" for name in names for ending in ENDINGS]
        ids = [id for id in spelt if not query.ids or id in query.ids]
        found: Copies = {}
        query = replace(query, interval=query.interval or _time_of(items), sortby=(), count=False)
        for some in batches(ids, self._max_ids):
            for copy in self._walked(replace(query, ids=some), root):
                found.setdefault(scene(copy["id"]) or copy["id"], []).append(copy)
        return found

    def _told(self) -> Iterator[tuple[str, int]]:
        for place, catalogue in enumerate(self.catalogues):
            try:
                for collection in catalogue.collections():
                    yield collection["id"], place
            except UpstreamError as failure:
                log.warning("%s does not tell its collections: %s", catalogue.id, failure)

    def _walked(self, query: Query, root: str) -> Iterator[Json]:
        """Walk a search as far as its catalogues answer; one that is down goes on being named as next."""
        query = replace(query, limit=len(query.ids) * len(self.catalogues))
        token: str | None = None
        while True:
            try:
                results = self._federation.search(query, token, root, ready=True)
            except UpstreamError as failure:
                log.warning("Copies of scenes are not known of all catalogues: %s", failure)
                return
            yield from results.items
            token = results.token
            if token is None or not results.items:
                return


def elsewhere(item: Json, copies: Copies, owners: dict[str, int]) -> list[Json]:
    """Return the copies of an Item's scene that other catalogues hold."""
    own = owners.get(item["collection"])
    held = copies.get(scene(item["id"]) or "", [])
    return [copy for copy in held if owners.get(copy["collection"], own) != own]


def preference(item: Json, owners: dict[str, int]) -> tuple[bool, int]:
    """Return what the copies of one scene are sorted by, the best first."""
    status = item["properties"].get("order:status", "succeeded")
    return status != "succeeded", owners.get(item["collection"], len(owners))


def _time_of(items: Sequence[Json]) -> Interval | None:
    """Return the time of Items and of their copies, which catalogues state a little differently.

    Without it archives would have to look for a name in all of their years.
    """
    told = [
        instant(item["properties"].get(name))
        for item in items
        for name in ("datetime", "start_datetime", "end_datetime")
    ]
    times = [time for time in told if time]
    return Interval(min(times) - A_DAY, max(times) + A_DAY) if times else None


def batches(ids: list[str], size: int) -> Iterator[tuple[str, ...]]:
    """Yield the ids, `size` of them at a time."""
    for start in range(0, len(ids), size):
        yield tuple(ids[start : start + size])
