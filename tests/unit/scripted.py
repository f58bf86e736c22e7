"""Catalogues in memory that fail when their scripts say so, and the federation of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from stacbridge.catalogue import Catalogue
from stacbridge.errors import UpstreamUnavailable
from stacbridge.federation import Federation
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query
from stacbridge.settings import Settings
from tests.api.archive import collection

ROOT = "http://bridge.example"
Script = Sequence[Exception | None]
DOWN = UpstreamUnavailable("It is down.", retry_after=7)
KNOWN: Json = {"op": "<>", "args": [{"property": "id"}, "never"]}


def item(catalogue: str, number: int, day: int, gsd: int | None) -> Json:
    properties: Json = {"datetime": f"2024-01-{day:02}T00:00:00Z"}
    return {
        "type": "Feature",
        "id": f"{catalogue}-{number}",
        "collection": catalogue,
        "geometry": None,
        "properties": properties if gsd is None else {**properties, "gsd": gsd},
        "links": [],
        "assets": {},
    }


class Scripted(MemoryCatalogue):
    """A catalogue that fails when its script says so, and then answers; keeps what it was asked."""

    def __init__(self, id: str, items: list[Json], script: Script | None = None) -> None:
        # One Item that no search here matches has every property, so that all can be sorted by.
        super().__init__(id, [collection(id)], [*items, item(id, 999, 1, 1) | {"id": "never"}])
        self.script: list[Exception | None] = list(script or [])
        self.asked: list[Query] = []

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        self.asked.append(query)
        failure = self.script.pop(0) if self.script else None
        if failure is not None:
            raise failure
        return super().search(query, root, ready=ready)


@contextmanager
def served(*catalogues: Catalogue, clock: Any = None, **given: object) -> Iterator[Federation]:
    """The federation of these catalogues, with threads that end."""
    chosen = Settings.model_validate({"breaker_failures": 1000, "search_threads": 4, **given})
    made = Federation(catalogues, chosen, **({} if clock is None else {"clock": clock}))
    try:
        yield made
    finally:
        made.close()
