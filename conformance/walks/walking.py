"""A walk through a search by its `next` links, and what is to be said of it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests

from conformance.walks.servers import Bridge

Json = dict[str, Any]
SAMPLES = 200
"""How often memory is looked at, about."""
WARM = 0.2
"""The part of a walk after which memory no longer grows."""
PROGRESS = 100_000
"""After how many Items figures are printed on the way."""
SLACK = 24
"""Megabytes that the memory of a bridge may differ nevertheless."""


@dataclass(slots=True)
class Walk:
    """What was met: Items by collection and id, how many came again, and the bridge's memory on the way."""

    title: str
    met: set[tuple[str, str]] = field(default_factory=set)
    again: int = 0
    pages: int = 0
    seconds: float = 0.0
    memory: list[tuple[int, float]] = field(default_factory=list)

    @property
    def items(self) -> int:
        """Return how many Items came."""
        return len(self.met) + self.again

    def take(self, features: list[Json]) -> None:
        """Note the Items of a page."""
        keys = [(item["collection"], item["id"]) for item in features]
        before = len(self.met)
        self.met.update(keys)
        self.again += len(keys) - (len(self.met) - before)
        self.pages += 1

    def slope(self) -> float:
        """Return by how many megabytes memory grew for 100,000 Items, once the bridge was warm."""
        warm = [sample for sample in self.memory if sample[0] >= WARM * self.items]
        middle = sum(count for count, _ in warm) / len(warm)
        spread = sum((count - middle) ** 2 for count, _ in warm)
        return 1e5 * sum((count - middle) * size for count, size in warm) / spread if spread else 0.0

    def growth(self) -> float:
        """Return by how many megabytes memory grew from the first half of the warm walk to the second."""
        warm = [size for count, size in self.memory if count >= WARM * self.items]
        half = len(warm) // 2
        return sum(warm[half:]) / len(warm[half:]) - sum(warm[:half]) / max(1, half) if half else 0.0

    def report(self) -> None:
        """Print the figures."""
        sizes = [size for _, size in self.memory]
        print(
            f"{self.title}: {self.items} items on {self.pages} pages, {self.again} of them again, "
            f"{self.seconds:.1f} s, {self.items / self.seconds:.0f} items/s; bridge "
            f"{sizes[0]:.0f} MB at first, {max(sizes):.0f} MB at most, {self.slope():+.2f} MB/100,000 items",
            flush=True,
        )


def walk(
    title: str,
    bridge: Bridge,
    search: Json,
    method: str,
    between: Callable[[], object] = lambda: None,
) -> Walk:
    """Walk through a search to its end; `between` is called after each page."""
    found, begun = Walk(title), time.perf_counter()
    every = 1
    for features in pages(bridge.url, search, method):
        found.take(features)
        if found.pages % every == 0:
            found.memory.append((found.items, bridge.megabytes()))
            every = max(1, found.pages // (SAMPLES // 2))
        between()
        found.seconds = time.perf_counter() - begun
        if found.items // PROGRESS > (found.items - len(features)) // PROGRESS:
            found.report()
    found.report()
    check(found.growth() < SLACK, f"{title}: memory grew by {found.growth():.0f} MB")
    return found


def pages(url: str, search: Json, method: str) -> Iterator[list[Json]]:
    """Return the Items of page after page. No page with a next one may be empty."""
    session = requests.Session()
    following: Json | None = {"href": f"{url}/search", "method": method, "body": search}
    parameters = {name: ",".join(each) if isinstance(each, list) else each for name, each in search.items()}
    while following:
        if following["method"] == "POST":
            answer = session.post(following["href"], json=following["body"], timeout=120)
        else:
            answer = session.get(following["href"], params=parameters, timeout=120)
            parameters = {}  # the links have them
        check(answer.status_code == 200, f"{answer.status_code}: {answer.text[:300]}")
        page = orjson.loads(answer.content)
        following = next((link for link in page["links"] if link["rel"] == "next"), None)
        check(bool(page["features"]) or following is None, "an empty page has a next one")
        yield page["features"]


def check(holds: bool, otherwise: str) -> None:
    """End where something does not hold that must."""
    if not holds:
        raise SystemExit(f"FAILED: {otherwise}")
