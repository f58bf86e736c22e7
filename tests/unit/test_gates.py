"""A catalogue as an event loop asks it."""

import asyncio
from collections.abc import Callable
from typing import Any

from stacbridge.download.gates import AsyncCatalogue
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Ready, Request

KNOWN = Ready(Request("GET", "https://store.example/known"), "a.tif", "image/tiff")
FOUND = Ready(Request("GET", "https://store.example/found"), "a.tif", "image/tiff")


class Slow(MemoryCatalogue):
    """A catalogue that must be asked in a thread."""

    def locate(self, collection: str, item: str, asset: str) -> Ready:
        return FOUND

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        return {"Authorization": f"found for {method}"}

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        return {"Authorization": f"not {refused['Authorization']}"}


class Quick(Slow):
    """One that knows of some items, and has some tokens."""

    def located(self, collection: str, item: str, asset: str) -> Ready | None:
        return KNOWN if item == "known" else None

    def authorized(self, url: str, method: str = "GET") -> dict[str, str] | None:
        return {"Authorization": f"known for {method}"} if "known" in url else None


def asked(catalogue: MemoryCatalogue, item: str) -> tuple[str, str, str, int]:
    """Return what is told of an item, and how often a thread was needed for that."""
    threads = 0

    async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal threads
        threads += 1
        return function(*arguments)

    async def scenario() -> tuple[str, str, str]:
        gate = AsyncCatalogue(catalogue, in_thread)
        place = await gate.locate("c", item, "a")
        assert isinstance(place, Ready)
        given = await gate.authorize(place.request.url, "HEAD")
        fresh = await gate.reauthorize(place.request.url, given)
        return place.request.url, given["Authorization"], fresh["Authorization"]

    return (*asyncio.run(scenario()), threads)


def test_what_a_catalogue_knows_needs_no_thread() -> None:
    told = ("https://store.example/known", "known for HEAD", "not known for HEAD")
    assert asked(Quick("q", [], []), "known") == (*told, 1)


def test_what_it_does_not_know_is_found_in_a_thread() -> None:
    told = ("https://store.example/found", "found for HEAD", "not found for HEAD")
    assert asked(Quick("q", [], []), "other") == asked(Slow("s", [], []), "known") == (*told, 3)
