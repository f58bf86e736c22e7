"""Which catalogue holds which collection, as far as catalogues have told."""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass, field

from stacbridge.catalogue import Catalogue
from stacbridge.errors import Misconfigured, NotFound, UpstreamError
from stacbridge.model import Json

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What catalogues told at one time: Collections and their owners by id, and why some could not tell."""

    collections: dict[str, Json] = field(default_factory=dict)
    owners: dict[str, Catalogue] = field(default_factory=dict)
    silent: tuple[UpstreamError, ...] = ()


class Roll:
    """Asks catalogues for their collections, at first all at once, later when one is wanted that is unknown.

    Catalogues remember their own answers, so that asking again costs little. One that cannot be reached takes
    nothing from the others.
    """

    def __init__(self, catalogues: Sequence[Catalogue], threads: Executor, patience: float) -> None:
        """Ask in `threads`, and go on without those that need more than `patience` seconds.

        Raises `Misconfigured` where two catalogues claim one collection.
        """
        self._catalogues = catalogues
        asked = [threads.submit(catalogue.collections) for catalogue in catalogues]
        done, _ = wait(asked, patience)
        in_time = [each for each, answer in zip(catalogues, asked, strict=True) if answer in done]
        self._told = _asked(in_time)
        for late in catalogues:
            if late not in in_time:
                log.warning("%s has not told its collections yet.", late.id)

    def all(self) -> dict[str, Json]:
        """Return the Collections of all catalogues, by id. Blocks."""
        return self._again().collections

    def collection(self, id: str) -> Json:
        """Return a Collection. Blocks where it is unknown.

        Raises `NotFound`, or why a catalogue that may have it could not tell.
        """
        told = self._told if id in self._told.collections else self._again()
        if id in told.collections:
            return told.collections[id]
        for failure in told.silent:
            raise failure
        raise NotFound(f"There is no collection {id!r}.", advice="GET /collections lists all.")

    def owner(self, id: str) -> Catalogue:
        """Return the catalogue of a collection, as `collection` does."""
        self.collection(id)
        return self._told.owners[id]

    def parts(self, ids: Iterable[str]) -> list[tuple[Catalogue, tuple[str, ...], bool]]:
        """Return the catalogues that hold some of these collections, which, and whether these are all theirs.

        Ids that nobody has are left out. Blocks where some are unknown; raises why a catalogue that may have
        them could not tell.
        """
        wanted = list(dict.fromkeys(ids))
        told = self._told if all(id in self._told.owners for id in wanted) else self._again()
        if any(id not in told.owners for id in wanted):
            for failure in told.silent:
                raise failure
        found = []
        for catalogue in self._catalogues:
            own = tuple(id for id in wanted if told.owners.get(id) is catalogue)
            if own:
                holds = sum(owner is catalogue for owner in told.owners.values())
                found.append((catalogue, own, len(own) == holds))
        return found

    def _again(self) -> Told:
        self._told = _asked(self._catalogues)
        return self._told


def _asked(catalogues: Iterable[Catalogue]) -> Told:
    collections: dict[str, Json] = {}
    owners: dict[str, Catalogue] = {}
    silent = []
    for catalogue in catalogues:
        try:
            told = catalogue.collections()
        except UpstreamError as failure:
            silent.append(failure)
            continue
        for collection in told:
            id = collection["id"]
            if id in owners:
                first = owners[id].id
                raise Misconfigured(
                    f"Collection {id!r} is in both catalogues {first!r} and {catalogue.id!r}."
                )
            collections[id], owners[id] = collection, catalogue
    return Told(collections, owners, tuple(silent))
