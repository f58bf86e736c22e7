"""All simulated archives behind one bridge, and every Item they have, as the bridge tells them one by one.

That these are all is checked against the simulators' archives, read directly.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import requests

from conformance.differential.brute import Entry, entry
from conformance.walks.proofs import ENDINGS
from conformance.walks.servers import federated, simulator
from conformance.walks.walking import check, pages
from stacbridge.simulators.archive import Archive
from stacbridge.simulators.bursts import Bursts
from stacbridge.simulators.maap_holdings import holdings
from stacbridge.simulators.opensearch_products import Holdings
from stacbridge.simulators.sedas_products import Products

Json = dict[str, Any]

SIZES: dict[str, dict[str, int]] = {
    "cdse": {"size": 1000},
    "sedas": {"size": 400},
    "terrascope": {"size": 300},
    "maap": {},
}
"""Small enough to be looked through for each question; CDSE's adds 1,080 bursts, MAAP's has 1,220 items."""
BOUNDS = {
    "max_upstream_pages": 100,
    "search_seconds": 60,
    "catalogue_deadline": 120,
    "straggler_floor": 120,
    "search_cache_seconds": 3600,
    "max_filter_bytes": 100_000,
}
"""Settings of the bridge: bounds that fit the archives, which never change; nobody is left behind."""
VALUES = 12
"""Values of a property that filters are made of, of each collection."""


class Pool(list[Any]):
    """A list to draw from that is too long to be printed with what is drawn."""

    def __repr__(self) -> str:
        return f"{len(self)} values"


class Pools(dict[str, Pool]):
    """Pools by name."""

    def __repr__(self) -> str:
        return f"{len(self)} pools"


@dataclass(frozen=True, repr=False)
class World:
    """The bridge, its Items by collection, and which collections are whose."""

    url: str
    items: Mapping[str, Sequence[Json]]
    catalogues: Mapping[str, Sequence[str]]
    sortables: Mapping[str, frozenset[str]]
    empty: Sequence[str]
    _entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    _values: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    @cached_property
    def collections(self) -> list[str]:
        """The collections that have Items."""
        return sorted(self.items)

    def __repr__(self) -> str:
        return "the world"

    def of(self, collections: Sequence[str]) -> Pool:
        """Return the Items of some collections, or of all."""
        names = [name for name in collections if name in self.items] if collections else self.collections
        return Pool(item for name in names for item in self.items[name])

    def entries(self, collections: Sequence[str]) -> list[Entry]:
        """Return the Items of these very collections, or of all without any, read once."""
        return [self.entry(item) for item in self.of(collections)]

    def entry(self, item: Json) -> Entry:
        """Return what is known of an Item."""
        key = item["collection"], item["id"]
        if key not in self._entries:
            self._entries[key] = entry(item)
        return self._entries[key]

    def values(self, collections: Sequence[str]) -> Pools:
        """Return some of the values that Items have of each property; of all collections without any."""
        found: dict[str, list[Any]] = {}
        for name in [name for name in collections if name in self.items] or self.collections:
            for property, values in self._values_of(name).items():
                found.setdefault(property, []).extend(values)
        return Pools({name: _alike(values) for name, values in found.items()})

    def _values_of(self, collection: str) -> dict[str, list[Any]]:
        if collection not in self._values:
            every: dict[str, list[Any]] = {}
            for item in self.items[collection]:
                for name, value in item["properties"].items():
                    if not isinstance(value, dict):
                        every.setdefault(name, []).append(value)
            self._values[collection] = {
                name: values[:: max(1, len(values) // VALUES)] for name, values in every.items()
            }
        return self._values[collection]


def _alike(values: list[Any]) -> Pool:
    """Return the values that are of the first one's kind."""
    kind = list if isinstance(values[0], list) else type(values[0])
    return Pool(value for value in values if isinstance(value, kind))


@contextmanager
def world(sizes: Mapping[str, Mapping[str, int]] = SIZES) -> Iterator[World]:
    """Run the simulators and a bridge to them; give it with all Items."""
    with ExitStack() as running:
        sites = {name: running.enter_context(simulator(name, **sizes[name])) for name in sizes}
        bridge = running.enter_context(federated(sites, **BOUNDS))
        catalogues = {name: _collections(f"{bridge.url}/catalogues/{name}") for name in sites}
        items: dict[str, list[Json]] = {}
        for name, own in catalogues.items():
            found = [item for each in own for item in _walked(bridge.url, each)]
            _check_whole(name, found, _ids(name, sizes[name]))
            for item in found:
                items.setdefault(item["collection"], []).append(item)
        every = [each for own in catalogues.values() for each in own]
        sortables = {each: _sortables(bridge.url, each) for each in every}
        empty = [each for each in every if each not in items]
        populated = {name: [each for each in own if each in items] for name, own in catalogues.items()}
        yield World(bridge.url, items, populated, sortables, empty)


def _collections(url: str) -> list[str]:
    listed = requests.get(f"{url}/collections", timeout=60).json()["collections"]
    return [collection["id"] for collection in listed]


def _walked(url: str, collection: str) -> list[Json]:
    search = {"collections": [collection], "limit": 1000, "strict": True}
    found = [item for page in pages(url, search, "POST") for item in page]
    check(all(item["collection"] == collection for item in found), f"{collection} has items of others")
    return found


def _sortables(url: str, collection: str) -> frozenset[str]:
    told = requests.get(f"{url}/collections/{collection}/sortables", timeout=60).json()
    return frozenset(told["properties"])


def _check_whole(catalogue: str, items: Sequence[Json], expected: Counter[str]) -> None:
    found = Counter(item["id"] for item in items)
    differing = [*(found - expected), *(expected - found)]
    check(not differing, f"{catalogue}: {len(differing)} items too many or too few, such as {differing[:3]}")


def _ids(catalogue: str, options: Mapping[str, int]) -> Counter[str]:
    """Return the ids that Items of a whole archive have, from the archive itself."""
    if catalogue == "cdse":
        archive = Archive(options["size"])
        bursts = Bursts(archive)
        names = [*archive.names.tolist(), *bursts.column("Name", bursts.all_rows).tolist()]
        return Counter(_without_ending(name) for name in names)
    if catalogue == "sedas":
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0)
        return Counter(product.name for product in Products.made(options["size"], today).all)
    if catalogue == "terrascope":
        held = Holdings(options["size"]).products.values()
        return Counter(product.title for products in held for product in products)
    return Counter(item.id for holding in holdings().values() for item in holding.items)


def _without_ending(name: str) -> str:
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)
