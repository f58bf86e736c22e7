"""Which catalogue holds which collection, as far as catalogues have told."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stacbridge.catalogue import Catalogue, Dated
from stacbridge.channel import Channel
from stacbridge.errors import Misconfigured, NotFound, UpstreamError
from stacbridge.model import Json

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Told:
    """What catalogues told: Collections and their owners by id, and why some have never told, by theirs.

    `age` are the seconds since the first of them heard it from its upstream, `None` where none had to.
    """

    collections: dict[str, Json] = field(default_factory=dict)
    owners: dict[str, Catalogue] = field(default_factory=dict)
    silent: dict[str, UpstreamError] = field(default_factory=dict)
    age: float | None = None


class Roll:
    """Asks catalogues for their collections, at first, and later when all or unknown ones are wanted.

    Catalogues remember their own answers, so that asking again costs little. One that cannot be reached, or
    is late, takes nothing from the others, and keeps the collections that it told before.
    """

    def __init__(self, channels: Sequence[Channel]) -> None:
        """Raises `Misconfigured` where two catalogues claim one collection."""
        self._channels = channels
        self._told = _asked(channels)
        for id, failure in self._told.silent.items():
            log.warning("%s has not told its collections yet: %s", id, failure)

    @property
    def known(self) -> Told:
        """What all catalogues told when they were last asked."""
        return self._told

    def all(self) -> Told:
        """Return what all catalogues tell now. Blocks."""
        for channel in self._channels:
            channel.refresh()
        self._told = _asked(self._channels)
        return self._told

    def collection(self, id: str) -> Json:
        """Return a Collection. Blocks where it is unknown.

        Raises `NotFound`, or why a catalogue that may have it could not tell.
        """
        told = self._told if id in self._told.collections else self.all()
        if id in told.collections:
            return told.collections[id]
        for failure in told.silent.values():
            raise failure
        raise NotFound(f"There is no collection {id!r}.", advice="GET /collections lists all.")

    def owner(self, id: str) -> Catalogue:
        """Return the catalogue of a collection, as `collection` does."""
        self.collection(id)
        return self._told.owners[id]

    def parts(self, ids: Iterable[str]) -> list[tuple[Catalogue, tuple[str, ...], bool]]:
        """Return the catalogues that hold some of these collections, which, and whether these are all theirs.

        Ids that nobody has are left out, unless some catalogue has never told what it has: it may hold them.
        Blocks where some are unknown.
        """
        wanted = list(dict.fromkeys(ids))
        told = self._told if all(id in self._told.owners for id in wanted) else self.all()
        unknown = tuple(id for id in wanted if id not in told.owners)
        found = []
        for channel in self._channels:
            catalogue = channel.catalogue
            if catalogue.id in told.silent and unknown:
                found.append((catalogue, unknown, False))
            own = tuple(id for id in wanted if told.owners.get(id) is catalogue)
            if own:
                holds = sum(owner is catalogue for owner in told.owners.values())
                found.append((catalogue, own, len(own) == holds))
        return found


def _asked(channels: Iterable[Channel]) -> Told:
    told = Told()
    for channel in channels:
        catalogue = channel.catalogue
        try:
            collections = channel.collections()
        except UpstreamError as failure:
            told.silent[catalogue.id] = failure
            continue
        if isinstance(catalogue, Dated) and (age := catalogue.age()) is not None:
            told.age = max(age, told.age or 0)
        for collection in collections:
            id = collection["id"]
            if id in told.owners:
                first = told.owners[id].id
                raise Misconfigured(
                    f"Collection {id!r} is in both catalogues {first!r} and {catalogue.id!r}."
                )
            told.collections[id], told.owners[id] = collection, catalogue
    return told
