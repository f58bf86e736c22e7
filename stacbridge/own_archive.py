"""The archive of a catalogue whose account is the caller's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from stacbridge.catalogue import Archive
from stacbridge.model import Progress
from stacbridge.upstream import Upstream


@dataclass(frozen=True, slots=True)
class OwnArchive:
    """The archive behind callers' own accounts: ordered from and asked with the caller's, or a scope's."""

    url: str
    finds: bool
    mine: Callable[[], Upstream]
    of: Callable[[str], Upstream]

    def under(self, scope: str) -> Self:
        """Return it as the account of a scope sees it."""
        return replace(self, url=f"{self.url}#{scope}", mine=partial(self.of, scope))

    def is_online(self, collection: str, item: str) -> bool:
        """Tell whether an item's bytes need no order."""
        return self._archive.is_online(collection, item)

    def find(self, collection: str, item: str) -> Progress | None:
        """Return the order of an item that is under way, where there is one."""
        return self._archive.find(collection, item)

    def place(self, collection: str, item: str) -> Progress:
        """Order an item, once."""
        return self._archive.place(collection, item)

    def poll(self, order: str) -> Progress:
        """Return how an order stands."""
        return self._archive.poll(order)

    @property
    def _archive(self) -> Archive:
        archive = self.mine().archive
        assert archive is not None
        return archive
