"""A catalogue whose service lists its collections."""

from collections.abc import Iterable
from threading import Event

from stacbridge.errors import UpstreamUnavailable
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query
from tests.api.archive import collection

PATIENCE = 10


class Discovered(MemoryCatalogue):
    """Tells the collections `told`, unless it is down; `slow` is waited for. Counts searches in `asked`."""

    def __init__(self, id: str, *collections: str, items: Iterable[Json] = ()) -> None:
        super().__init__(id, [], items)
        self.told = [collection(each) for each in collections]
        self.down = False
        self.slow: Event | None = None
        self.asked = 0

    def collections(self) -> list[Json]:
        if self.slow is not None:
            self.slow.wait(PATIENCE)
        if self.down:
            raise UpstreamUnavailable(f"{self.id} is down.", retry_after=60)
        return self.told

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        self.asked += 1
        return super().search(query, root, ready=ready)
