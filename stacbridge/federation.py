"""Many catalogues as one: who owns a collection, and searches over all of them."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence, Set
from copy import copy
from dataclasses import replace
from functools import partial
from typing import ParamSpec, TypeVar

from stacbridge.callers.threads import Threads
from stacbridge.catalogue import Catalogue, Selective
from stacbridge.channel import Channel
from stacbridge.cursor import Cursors, Positions
from stacbridge.errors import BadRequest, NotFound, UpstreamError
from stacbridge.merge import Strand
from stacbridge.model import Json, Query
from stacbridge.patience import Asked, Patience
from stacbridge.roll import Roll, Told
from stacbridge.schemas import intersected, merged
from stacbridge.search import Gathering, Part, Results
from stacbridge.settings import Settings

__all__ = ["Federation", "Results"]

P = ParamSpec("P")
T = TypeVar("T")

Step = tuple[Catalogue, Query]
"""A catalogue, and the part of a search that is for it."""

ALWAYS_SORTABLE = {"datetime"}
"""What every catalogue can sort by, whether it lists it or not."""


class Federation:
    """The catalogues behind one API. Methods block, but for `run`, which runs them in threads of its own."""

    def __init__(
        self,
        catalogues: Sequence[Catalogue],
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises `Misconfigured` where the files of two catalogues name one collection."""
        self.catalogues = {catalogue.id: catalogue for catalogue in catalogues}
        secret = settings.secret.get_secret_value() if settings.secret else None
        self._cursors = Cursors(secret)
        self._threads = Threads(settings.search_threads, thread_name_prefix="search")
        self._deadline = settings.catalogue_deadline
        self.clock = clock
        self._patience = Patience(settings.straggler_ratio, settings.straggler_floor, clock)
        self._channels = {
            each.id: Channel(each, settings, elsewhere=partial(self._elsewhere, each), clock=clock)
            for each in catalogues
        }
        self._roll = Roll(list(self._channels.values()))

    def alone(self, id: str) -> "Federation":
        """Return the federation of one of these catalogues, which shares all that this one learns of it."""
        one = copy(self)
        one.catalogues, one._channels = {id: self.catalogues[id]}, {id: self._channels[id]}
        one._roll = Roll(list(one._channels.values()), self._roll)
        return one

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking call in one of `search_threads` threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))

    def close(self) -> None:
        """Let the threads end; calls that wait are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for channel in self._channels.values():
            channel.close()

    def standing(self) -> dict[str, Json]:
        """Return how each catalogue is, by id; asks nobody."""
        return {id: channel.standing() for id, channel in self._channels.items()}

    def warnings(self, id: str) -> list[str]:
        """Return what is wrong with a catalogue's account or collections, as far as is known; asks nobody."""
        remark = self._roll.known.remarks().get(id)
        return [*self.catalogues[id].warnings(), *([] if remark is None else [remark])]

    def collections(self) -> list[Json]:
        """Return the Collections of all catalogues that ever told theirs, in the order of the settings."""
        return list(self.told().collections.values())

    def told(self) -> Told:
        """Return the Collections by id, and which catalogues have never told theirs, and why."""
        return self._roll.all()

    def collection(self, id: str) -> Json:
        """Return one Collection. Raises `NotFound`, or why a catalogue that may have it could not tell."""
        return self._roll.collection(id)

    def queryables(self, collection: str | None, id: str) -> Json:
        """Return the JSON Schema, with the URL `id`, of what a filter may name. Raises `NotFound`."""
        return merged((owner.queryables(collection) for owner in self._owners_of(collection)), id)

    def sortables(self, collection: str | None, id: str) -> Json:
        """Return the JSON Schema, with the URL `id`, of what `sortby` may name: what all that are asked can
        sort by. Raises `NotFound`."""
        return intersected((owner.sortables(collection) for owner in self._owners_of(collection)), id)

    def item(self, collection: str, id: str, root: str) -> Json:
        """Return one Item. Raises `NotFound`."""
        owner = self._roll.owner(collection)
        query = Query(collections=(collection,), ids=(id,), limit=1)
        for item in self._gathered([self._part(owner, query, {})], query, root).items:
            if item["id"] == id:
                return item
        raise NotFound(f"There is no item {id!r} in collection {collection!r}.")

    def owner(self, collection: str) -> Catalogue:
        """Return the catalogue that has a collection. Raises as `collection` does."""
        return self._roll.owner(collection)

    def owners(self) -> dict[str, str]:
        """Return the ids of the catalogues of all collections that are known by now; asks nobody."""
        return {id: catalogue.id for id, catalogue in self._roll.known.owners.items()}

    def steps(self, query: Query) -> list[Step]:
        """Return which catalogues are asked what for a search."""
        steps = [
            (catalogue, replace(query, collections=() if everything else own))
            for catalogue, own, everything in self._roll.parts(query.collections)
        ]
        return [(each, own) for each, part in steps if (own := _possible(each, part))] if query.ids else steps

    def shares(self, query: Query) -> list[tuple[str, ...]]:
        """Return the collections that a search is of, those of each catalogue together.

        Where it names none these are all, which raises why a catalogue has never told its own.
        """
        if not query.collections:
            for failure in self.told().silent.values():
                raise failure
        return [own for _, own, _ in self._roll.parts(query.collections) if own]

    def ask(self, catalogue: Catalogue, query: Query, root: str) -> Asked:
        """Ask one of the catalogues for a page, without waiting for it."""
        return self._channels[catalogue.id].ask(query, root, ready=True)

    def search(
        self, query: Query, token: str | None, root: str, *, ready: bool = False, strict: bool = False
    ) -> Results:
        """Return the page of `query` that `token` names, or the first.

        All catalogues that may hold matches are asked at once. Those that fail or are late are `missing` from
        the page, and asked again by the next one from where they were; with `strict` they fail the search.
        Collections that nobody has match nothing. Matches are counted on the first page only.

        Raises `BadRequest` for a token that is not of this search, and for what a catalogue cannot sort by;
        what catalogues raise where there is nothing to give.
        """
        query = replace(query, count=query.count and token is None)
        positions = {} if token is None else self._resumed(token, query)
        parts = [self._part(catalogue, own, positions) for catalogue, own in self.steps(query)]
        self._check_sortable(parts)
        results = self._gathered(parts, query, root, ready=ready, strict=strict)
        strands = {part.id: part.strand for part in parts}
        if not all(strand.ended for strand in strands.values()):
            ends = {id: strand.position for id, strand in strands.items() if strand.begun}
            results.token = self._cursors.write(query, ends)
        return results

    def _elsewhere(self, catalogue: Catalogue, collection: str) -> bool:
        return (self._roll.holder(collection) or catalogue) is not catalogue

    def _owners_of(self, collection: str | None) -> Iterable[Catalogue]:
        if collection is None:
            return self.catalogues.values()
        return (self._roll.owner(collection),)

    def _part(self, catalogue: Catalogue, query: Query, positions: Positions) -> Part:
        id = catalogue.id
        strand = Strand(positions.get(id), ended=id in positions and positions[id] is None)
        return Part(self._channels[id], query, strand)

    def _resumed(self, token: str, query: Query) -> Positions:
        positions = self._cursors.read(token, query)
        for id in positions:
            if id not in self.catalogues:
                raise BadRequest(f"The token names catalogue {id!r}, which is not served.", parameter="token")
        return positions

    def _check_sortable(self, parts: Iterable[Part]) -> None:
        """Raise `BadRequest` naming the catalogue that has no such order."""
        for part in parts:
            names = {key.name for key in part.query.sortby} - ALWAYS_SORTABLE
            for collection in part.query.collections or (None,) if names else ():
                unknown = names - _sortable(part.channel.catalogue, collection, names)
                if unknown:
                    raise _unsortable(min(unknown), part.id, collection)

    def _gathered(
        self, parts: Sequence[Part], query: Query, root: str, *, ready: bool = False, strict: bool = False
    ) -> Results:
        deadline = self._patience.clock() + self._deadline
        return Gathering(parts, query, root, self._patience, deadline, ready, strict).page()


def _possible(catalogue: Catalogue, query: Query) -> Query | None:
    """Return the search for those ids that the catalogue may hold, `None` without any."""
    if not isinstance(catalogue, Selective):
        return query
    ids = tuple(id for id in query.ids if catalogue.may_hold(id))
    return replace(query, ids=ids) if ids else None


def _sortable(catalogue: Catalogue, collection: str | None, names: Set[str]) -> Set[str]:
    """Return what can be sorted by; all `names` where the catalogue cannot tell, as its search will not."""
    try:
        known: Json = catalogue.sortables(collection)["properties"]
        return known.keys()
    except (UpstreamError, NotFound):
        return names


def _unsortable(name: str, catalogue: str, collection: str | None) -> BadRequest:
    where = f"collection {collection!r} of catalogue" if collection else "catalogue"
    return BadRequest(
        f"Items of {where} {catalogue!r} cannot be sorted by {name!r}.",
        parameter="sortby",
        advice="Leave it out of the search by `collections`, or sort by what all that are asked can sort by.",
    )
