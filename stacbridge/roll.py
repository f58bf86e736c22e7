"""Which catalogue holds which collection, as far as catalogues have told."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stacbridge.catalogue import Catalogue, Claiming, Dated
from stacbridge.channel import Channel
from stacbridge.errors import Misconfigured, NotFound, UpstreamError
from stacbridge.model import Json

log = logging.getLogger(__name__)


LEFT_OUT = (
    "Left out are Collections whose ids other catalogues have: {}. An id is that of the catalogue whose "
    "files name it, else of the first in the setting `catalogues` that lists it."
)


@dataclass(slots=True)
class Told:
    """What catalogues told: Collections and their owners by id, and why some have never told, by theirs.

    `held` are the ids of the Collections of each catalogue, by its id.
    `elsewhere` has, by the ids of catalogues, which Collections they list that are left out, since another
    catalogue has them, and the id of that one. `age` are the seconds since the first of them heard it from
    its upstream, `None` where none had to.
    """

    collections: dict[str, Json] = field(default_factory=dict)
    owners: dict[str, Catalogue] = field(default_factory=dict)
    silent: dict[str, UpstreamError] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    elsewhere: dict[str, dict[str, str]] = field(default_factory=dict)
    age: float | None = None

    def add(self, collection: Json, catalogue: Catalogue, holder: Catalogue) -> None:
        """Add a Collection that a catalogue lists, and whose id is that of the `holder`."""
        id = collection["id"]
        if holder is not catalogue:
            self.elsewhere.setdefault(catalogue.id, {})[id] = holder.id
        elif id not in self.collections:
            self.collections[id], self.owners[id] = collection, catalogue
            self.held.setdefault(catalogue.id, []).append(id)

    def remarks(self) -> dict[str, str]:
        """Return what to say of catalogues of which Collections are left out, by their ids."""
        return {
            id: LEFT_OUT.format(", ".join(f"{each!r} ({owner})" for each, owner in left.items()))
            for id, left in self.elsewhere.items()
        }


class Roll:
    """Asks catalogues for their collections, at first, and later when all or unknown ones are wanted.

    Catalogues remember their own answers, so that asking again costs little. One that cannot be reached, or
    is late, takes nothing from the others, and keeps the collections that it told before.

    An id is that of one catalogue: the one that claims it, else the first that lists it. A roll of some
    catalogues `among` others leaves them what that roll says is theirs.
    """

    def __init__(self, channels: Sequence[Channel], among: "Roll | None" = None) -> None:
        """Raises `Misconfigured` where two catalogues claim one collection, see `Claiming`."""
        self._channels, self._among = channels, among
        self._claimed: dict[str, Catalogue] = _claimed(channels) if among is None else among._claimed
        self._told = Told()
        self._told = self._asked()
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
        self._told = self._asked()
        return self._told

    def holder(self, id: str) -> Catalogue | None:
        """Return the catalogue that has a collection, as far as is known; asks nobody."""
        return self._claimed.get(id) or self._told.owners.get(id)

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

        Without ids these are all collections, of which nobody is asked. Ids that nobody has are left out,
        unless some catalogue has never told what it has: it may hold them. Blocks where some are unknown.
        """
        wanted = list(dict.fromkeys(ids))
        told = self._told if all(id in self._told.owners for id in wanted) else self.all()
        unknown = tuple(id for id in wanted if id not in told.owners)
        found = []
        for channel in self._channels:
            catalogue = channel.catalogue
            if catalogue.id in told.silent and unknown:
                found.append((catalogue, unknown, False))
            held = told.held.get(catalogue.id, [])
            own = tuple(id for id in wanted if told.owners.get(id) is catalogue) if wanted else tuple(held)
            everything = len(own) == len(held) and catalogue.id not in told.elsewhere
            if own or (everything and not wanted):
                found.append((catalogue, own, everything))
        return found

    def _asked(self) -> Told:
        told, holders = Told(), dict(self._among.known.owners if self._among else {}) | self._claimed
        for channel in self._channels:
            catalogue = channel.catalogue
            try:
                collections = channel.collections()
            except UpstreamError as failure:
                told.silent[catalogue.id] = failure
                continue
            if isinstance(catalogue, Dated) and (age := catalogue.age()) is not None:
                told.age = max(age, told.age or 0)
            for collection in collections:
                told.add(collection, catalogue, holders.setdefault(collection["id"], catalogue))
        for id, remark in told.remarks().items() if self._among is None else ():
            if told.elsewhere[id] != self._told.elsewhere.get(id):
                log.warning("%s: %s", id, remark)
        return told


def _claimed(channels: Iterable[Channel]) -> dict[str, Catalogue]:
    """Return the catalogues that claim collections, by the ids of these."""
    claimed: dict[str, Catalogue] = {}
    for channel in channels:
        catalogue = channel.catalogue
        for id in catalogue.claims() if isinstance(catalogue, Claiming) else ():
            first = claimed.setdefault(id, catalogue)
            if first is not catalogue:
                raise Misconfigured(
                    f"Collection {id!r} is in both catalogues {first.id!r} and {catalogue.id!r}.",
                    advice="Serve one of them, or take the collection out of the files of one.",
                )
    return claimed
