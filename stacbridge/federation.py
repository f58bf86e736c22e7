"""Many catalogues as one: who owns a collection, and one page of a search walked over all of them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from stacbridge.callers.threads import Threads
from stacbridge.catalogue import Catalogue
from stacbridge.cursor import Cursors
from stacbridge.errors import BadRequest, NotFound
from stacbridge.model import Json, Query, Skipped, Staging
from stacbridge.roll import Roll
from stacbridge.schemas import merged
from stacbridge.seal import Broken, Seal
from stacbridge.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

Step = tuple[Catalogue, Query]
"""A catalogue, and the part of a search that is for it."""


@dataclass(slots=True)
class Results:
    """One page of a search.

    `token` is the cursor of the next page, `None` at the end. `matched` is the number of all matches, where
    it was asked for and every catalogue told its own (`counts`, by catalogue id).
    """

    items: list[Json] = field(default_factory=list)
    token: str | None = None
    skipped: list[Skipped] = field(default_factory=list)
    counts: dict[str, int | None] = field(default_factory=dict)
    matched: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order of one item. Its `id` says all there is to know of it, so that nobody needs to keep it."""

    id: str
    collection: str
    item: str
    staging: Staging


class Federation:
    """The catalogues behind one API. Methods block, but for `run`, which runs them in threads of its own."""

    def __init__(self, catalogues: Sequence[Catalogue], settings: Settings) -> None:
        """Raises `Misconfigured` where two catalogues claim one collection."""
        self.catalogues = {catalogue.id: catalogue for catalogue in catalogues}
        secret = settings.secret.get_secret_value() if settings.secret else None
        self._cursors, self._orders = Cursors(secret), Seal("order", secret)
        self._threads = Threads(settings.search_threads, thread_name_prefix="search")
        self._roll = Roll(catalogues, self._threads, settings.connect_timeout)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking call in one of `search_threads` threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))

    def close(self) -> None:
        """Let the threads end; calls that wait are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def collections(self) -> list[Json]:
        """Return the Collections of all catalogues that can be reached, in the order of the settings."""
        return list(self._roll.all().values())

    def collection(self, id: str) -> Json:
        """Return one Collection. Raises `NotFound`, or why a catalogue that may have it could not tell."""
        return self._roll.collection(id)

    def queryables(self, collection: str | None, id: str) -> Json:
        """Return the JSON Schema, with the URL `id`, of what a filter may name. Raises `NotFound`."""
        return merged((owner.queryables(collection) for owner in self._owners_of(collection)), id)

    def sortables(self, collection: str | None, id: str) -> Json:
        """Return the JSON Schema, with the URL `id`, of what `sortby` may name. Raises `NotFound`."""
        return merged((owner.sortables(collection) for owner in self._owners_of(collection)), id)

    def item(self, collection: str, id: str, root: str) -> Json:
        """Return one Item. Raises `NotFound`."""
        query = Query(collections=(collection,), ids=(id,), limit=1)
        for item in self._roll.owner(collection).search(query, root).items:
            if item["id"] == id:
                return item
        raise NotFound(f"There is no item {id!r} in collection {collection!r}.")

    def order(self, collection: str, item: str) -> Order:
        """Order an item of its catalogue. Raises `NotFound`, `NotOrderable` and what catalogues raise."""
        owner = self._roll.owner(collection)
        staging = owner.order(collection, item)
        return Order(
            self._orders.write([owner.id, collection, item, staging.order]), collection, item, staging
        )

    def poll(self, id: str) -> Order:
        """Return an order as its catalogue says that it stands.

        Raises `BadRequest` for an id that was changed, `NotFound` where its catalogue is no longer served,
        and what catalogues raise.
        """
        try:
            catalogue, collection, item, order = self._orders.read(id)
        except Broken as broken:
            raise BadRequest(f"There is no such order: {broken}.", parameter="id") from None
        if catalogue not in self.catalogues:
            raise NotFound(f"The order is of catalogue {catalogue!r}, which is not served.")
        return Order(id, collection, item, self.catalogues[catalogue].poll(collection, item, order))

    def search(self, query: Query, token: str | None, root: str, *, ready: bool = False) -> Results:
        """Return the page of `query` that `token` names, or the first.

        Catalogues answer one after another, in the order of the settings; a page goes on into the next
        catalogue where one ends. Collections that nobody has match nothing. Matches are counted on the first
        page only. Raises what catalogues raise, and `BadRequest` for a token that is not of this search.
        """
        query = replace(query, count=query.count and token is None)
        steps = self._steps(query)
        start, position = self._resumed(steps, query, token)
        results, ends = self._walked(steps[start:], position, query.limit, root, ready)
        if ends:
            catalogue, position = ends
            results.token = self._cursors.write(query, catalogue.id, position)
        if query.count:
            results.matched = _counted(steps, results.counts, root)
        return results

    def _owners_of(self, collection: str | None) -> Iterable[Catalogue]:
        if collection is None:
            return self.catalogues.values()
        return (self._roll.owner(collection),)

    def _steps(self, query: Query) -> list[Step]:
        if not query.collections:
            return [(catalogue, query) for catalogue in self.catalogues.values()]
        return [
            (catalogue, replace(query, collections=() if everything else own))
            for catalogue, own, everything in self._roll.parts(query.collections)
        ]

    def _resumed(self, steps: list[Step], query: Query, token: str | None) -> tuple[int, Json | None]:
        if token is None:
            return 0, None
        id, position = self._cursors.read(token, query)
        for number, (catalogue, _) in enumerate(steps):
            if catalogue.id == id:
                return number, position
        raise BadRequest(f"The token names catalogue {id!r}, which is not served.", parameter="token")

    def _walked(
        self, steps: list[Step], position: Json | None, limit: int, root: str, ready: bool
    ) -> tuple[Results, tuple[Catalogue, Json | None] | None]:
        """Return a page, and the catalogue and position where the next one starts."""
        results = Results()
        for catalogue, query in steps:
            if len(results.items) >= limit:
                return results, (catalogue, None)
            rest = replace(query, position=position, limit=limit - len(results.items))
            found = catalogue.search(rest, root, ready=ready)
            results.items += found.items
            results.skipped += found.skipped
            if query.count:
                results.counts[catalogue.id] = found.matched
            if found.position is not None:
                return results, (catalogue, found.position)
            position = None
        return results, None


def _counted(steps: list[Step], counts: dict[str, int | None], root: str) -> int | None:
    """Return the sum of all counts, asking catalogues not reached yet; `None` if one is unknown."""
    total = 0
    for catalogue, query in steps:
        if catalogue.id not in counts:
            counts[catalogue.id] = catalogue.search(replace(query, limit=1), root).matched
        count = counts[catalogue.id]
        if count is None:
            return None
        total += count
    return total
