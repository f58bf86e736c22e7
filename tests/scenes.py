"""Catalogues in memory that hold copies of the same scenes."""

from datetime import timedelta
from typing import Any

from stacbridge.errors import SearchTooWide
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query
from stacbridge.scenes import Once
from tests.api.archive import collection, item

ROOT = "https://bridge.example"
NAMES = [f"S2A_MSIL1C_2024050{day}T103021_R001" for day in range(1, 8)]


def copy(catalogue: str, name: str, ending: str = "", **properties: Any) -> Json:
    number = NAMES.index(name)
    stac = item(f"{catalogue}-scenes", number)
    return {**stac, "id": f"{name}{ending}", "properties": {**stac["properties"], **properties}}


class Holding(MemoryCatalogue):
    """A catalogue that keeps what it was asked, and refuses `most` hours or more."""

    def __init__(self, id: str, items: list[Json], *, slow_by_id: bool = False, most: int = 100) -> None:
        super().__init__(id, [collection(f"{id}-scenes")], items, title=id.title())
        self.slow_by_id, self.most = slow_by_id, timedelta(hours=most)
        self.asked: list[Query] = []

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        self.asked.append(query)
        span = query.interval
        if span and span.start and span.end and span.end - span.start >= self.most:
            raise SearchTooWide("That would be too much.")
        return super().search(query, root, ready=ready)


def holding(id: str, items: list[Json], *, slow: bool = False) -> Holding:
    return Holding(id, items, slow_by_id=slow)


def walked(searches: Once, query: Query) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    token: str | None = None
    while True:
        page = searches.search(query, token, ROOT)
        found += [(each["collection"], each["id"]) for each in page.items]
        token = page.token
        if token is None:
            return found
        assert page.items
