"""Every asset that the bridge names can be fetched: one request for each, of items of every collection.

The archive is the demonstration's; the bridge runs here, whole, and is asked over HTTP.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import requests

from stacbridge.app import create_app
from stacbridge.commands.bridge import running
from stacbridge.commands.simulators import simulated
from stacbridge.loading import load
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Json, Ready
from stacbridge.settings import Credentials, Settings
from stacbridge.upstream import Upstream
from tests.schemas import extensions_known, faults

COLLECTIONS = list(load_mapping("cdse", Settings()).collections)
WITHOUT_PRODUCTS = {
    "sentinel-3-sl-2-aod-ntc": "this product is made in near real time only",
    "sentinel-3-syn-2-aod-stc": "this product is made not time critical only",
}
BURSTS = "sentinel-1-slc-bursts"
"""Made when they are asked for, and never by HEAD; their downloads are proven in `cdse_clients`."""
LOOKED_INTO = [name for name in COLLECTIONS if name not in {*WITHOUT_PRODUCTS, BURSTS}]
ONLINE, OFFLINE = "order:status = 'succeeded'", "order:status = 'offline'"
LOOKED_AT, TAKEN = 20, 2
AT_ONCE = 4


@dataclass(frozen=True)
class World:
    """A running bridge, the catalogue behind it, and a client of it."""

    upstream: Upstream
    root: str
    client: requests.Session

    def items(self, limit: int, **search: str) -> list[Json]:
        """Return the newest items that a search finds."""
        answer = self.client.get(f"{self.root}/search", params={**search, "limit": str(limit)}, timeout=60)
        assert answer.status_code == 200, answer.text
        found: list[Json] = answer.json()["features"]
        return found

    def various(self, collection: str) -> list[Json]:
        """Return online items of a collection that show as many different assets as so few can."""
        items = self.items(LOOKED_AT, collections=collection, filter=ONLINE)
        seen: set[str] = set()
        chosen: list[Json] = []
        for _ in range(min(TAKEN, len(items))):
            chosen.append(max(items, key=lambda item: len(item["assets"].keys() - seen)))
            seen |= chosen[-1]["assets"].keys()
            items.remove(chosen[-1])
        return chosen

    def complaints(self, item: Json, key: str) -> list[str]:
        """Say what is wrong with an asset, each complaint naming it."""
        asset = item["assets"][key]
        place = self.upstream.locate(item["collection"], item["id"], key)
        assert isinstance(place, Ready)
        answer = self.client.head(asset["href"], timeout=30)
        stated = {asset.get("file:size"), place.size} - {None}
        told = int(answer.headers.get("Content-Length", -1))
        type_ = answer.headers.get("Content-Type")
        checks = {
            f"status {answer.status_code}": answer.status_code == 200,
            f"{told} bytes where {stated or 'some'} are stated": told > 0 and stated <= {told},
            f"type {type_} where {asset['type']} is stated": type_ == asset["type"],
        }
        return [f"{item['id']} {key}: {what}" for what, good in checks.items() if not good]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with simulated() as announcement, requests.Session() as client:
        site = announcement()["cdse"]
        account = Credentials(**site["account"])
        settings = Settings(endpoints={"cdse": site["endpoints"]}, credentials={"cdse": account})
        upstream = load("cdse", settings)
        with running(create_app(settings, [upstream])) as root:
            yield World(upstream, root, client)


@pytest.mark.parametrize("collection", LOOKED_INTO)
def test_every_asset_of_a_collection_is_there_as_its_items_say(world: World, collection: str) -> None:
    asked = [(item, key) for item in world.various(collection) for key in item["assets"]]
    assert asked
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda one: world.complaints(*one), asked)
    assert [line for lines in answers for line in lines] == []


@pytest.mark.parametrize("collection", WITHOUT_PRODUCTS)
def test_a_collection_of_products_that_nobody_makes_is_empty(world: World, collection: str) -> None:
    assert world.items(1, collections=collection) == []


def test_assets_of_offline_products_answer_that_they_cannot_be_had(world: World) -> None:
    items = {item["collection"]: item for item in world.items(1000, filter=OFFLINE)}
    assert len(items) > len(COLLECTIONS) / 3
    statuses = {}
    for item in items.values():
        key = next(key for key, asset in item["assets"].items() if asset["roles"] != ["thumbnail"])
        answer = world.client.head(item["assets"][key]["href"], timeout=30)
        statuses[f"{item['id']} {key}"] = answer.status_code
    assert {name: status for name, status in statuses.items() if status != 409} == {}


@pytest.mark.skipif(not extensions_known, reason="STACBRIDGE_SCHEMAS is not set")
@pytest.mark.parametrize("collection", LOOKED_INTO)
def test_items_of_a_collection_are_valid(world: World, collection: str) -> None:
    items = world.various(collection)
    assert {item["id"]: wrong for item in items if (wrong := faults(item))} == {}
