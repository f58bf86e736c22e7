"""The same scene in several catalogues: recognised by its product's name, shown once or linked.

A product keeps its name wherever it is archived; an Item's id is that name, with or without the ending of the
package (`.SAFE`, `.zip`). Only ids with a date in them are taken for such names: `tile-7` may be anybody's.
Of the copies of a scene, one whose bytes are online is preferred, then the catalogue that the settings name
first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import orjson

from stacbridge.copies import Copies, Register, scene
from stacbridge.errors import SearchTooWide
from stacbridge.federation import Federation, Results
from stacbridge.hrefs import item_href
from stacbridge.model import Json, Query, Skipped
from stacbridge.settings import Settings

__all__ = ["Linked", "Once", "scene", "shown"]

GEOJSON = "application/geo+json"


class Searches(Protocol):
    """What answers a search: a federation, or one that is wrapped."""

    def search(
        self, query: Query, token: str | None, root: str, *, ready: bool = False, strict: bool = False
    ) -> Results:
        """Return one page, as `Federation.search` does."""
        ...


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
        asked = {catalogue.id for catalogue, _ in self._federation.steps(replace(query, ids=()))}
        ranks = Ranks(self._federation)
        wanted: dict[str, set[str]] = {}
        for item, name in named(items):
            for rival in asked.intersection(ranks.rivals(item)):
                wanted.setdefault(rival, set()).add(name)
        copies = self._register.copies(items, wanted, query, root)
        return [item for item in items if not self._is_surpassed(item, copies, ranks)]

    def _is_surpassed(self, item: Json, copies: Copies, ranks: "Ranks") -> bool:
        own = ranks.place(ranks.owner(item), item)
        return any(ranks.place(*other) < own for other in elsewhere(item, copies, ranks))


class Linked:
    """Searches whose Items link to the copies in other catalogues, and to the one that is preferred."""

    def __init__(self, federation: Federation, settings: Settings) -> None:
        self._federation = federation
        self._register = Register(federation, settings)

    def search(
        self, query: Query, token: str | None, root: str, *, ready: bool = False, strict: bool = False
    ) -> Results:
        """Return one page. Raises as `Federation.search` does."""
        results = self._federation.search(query, token, root, ready=ready, strict=strict)
        return replace(results, items=self._linked(results.items, root))

    def item(self, collection: str, id: str, root: str) -> Json:
        """Return one Item. Raises `NotFound`."""
        return self._linked([self._federation.item(collection, id, root)], root)[0]

    def _linked(self, items: list[Json], root: str) -> list[Json]:
        ranks = Ranks(self._federation)
        wanted: dict[str, set[str]] = {}
        for item, name in named(items):
            for other in ranks.order.keys() - {ranks.owner(item)}:
                wanted.setdefault(other, set()).add(name)
        copies = self._register.copies(items, wanted, Query(), root)
        links = ((item, list(self._links(item, copies, ranks, root))) for item in items)
        return [{**item, "links": _joined(item["links"], added)} if added else item for item, added in links]

    def _links(self, item: Json, copies: Copies, ranks: "Ranks", root: str) -> Iterator[Json]:
        others = elsewhere(item, copies, ranks)
        for owner, other in others:
            yield self._link("alternate", owner, other, root)
        if others:
            own = (ranks.owner(item), item)
            yield self._link("canonical", *min([own, *others], key=lambda each: ranks.place(*each)), root)

    def _link(self, rel: str, owner: str, item: Json, root: str) -> Json:
        href = item_href(root, item["collection"], item["id"])
        return {"rel": rel, "href": href, "type": GEOJSON, "title": self._federation.catalogues[owner].title}


class Ranks:
    """Whose Items are preferred: `order` are the places of catalogues in the settings, by id."""

    def __init__(self, federation: Federation) -> None:
        self.order = {id: place for place, id in enumerate(federation.catalogues)}
        self._owners = federation.owners()

    def owner(self, item: Json) -> str:
        """Return the catalogue of an Item; none where that has not told its collections yet."""
        return self._owners.get(item["collection"], "")

    def place(self, owner: str, item: Json) -> tuple[bool, int]:
        """Return what the copies of one scene are sorted by, the best first."""
        return not _is_online(item), self.order.get(owner, len(self.order))

    def rivals(self, item: Json) -> set[str]:
        """Return the catalogues whose copies of an Item's scene may be preferred to it."""
        own = self.owner(item)
        last = self.order.get(own, len(self.order)) if _is_online(item) else len(self.order)
        return {id for id, place in self.order.items() if place < last and id != own}


def named(items: Sequence[Json]) -> Iterator[tuple[Json, str]]:
    """Yield the Items whose ids name scenes, with these names."""
    for item in items:
        if (name := scene(item["id"])) is not None:
            yield item, name


def elsewhere(item: Json, copies: Copies, ranks: Ranks) -> list[tuple[str, Json]]:
    """Return the copies of an Item's scene that other catalogues hold, and which these are."""
    held = copies.get(scene(item["id"]) or "", [])
    return [(owner, copy) for owner, copy in held if owner != ranks.owner(item)]


def _joined(links: list[Json] | orjson.Fragment, added: list[Json]) -> list[Json] | orjson.Fragment:
    """Return links, which may be JSON already (`ready`), with others behind them."""
    if not isinstance(links, orjson.Fragment):
        return [*links, *added]
    told = orjson.dumps(links).strip()
    return orjson.Fragment(told[:-1] + (b"," if len(told) > 2 else b"") + orjson.dumps(added)[1:])


def _is_online(item: Json) -> bool:
    return bool(item["properties"].get("order:status", "succeeded") == "succeeded")
