"""Bytes that an archive takes away again, through a whole bridge: ESA's archive and SeDAS, both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from stacbridge.app import create_app
from stacbridge.loading import load
from stacbridge.model import Query
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.clock import ManualClock
from stacbridge.simulators.lta import LtaSimulator
from stacbridge.simulators.lta_orders import LtaFaults
from stacbridge.simulators.sedas import SedasSimulator
from stacbridge.simulators.sedas_orders import SedasFaults
from stacbridge.upstream import Upstream
from tests.api.serving import running
from tests.orders import lta
from tests.orders.archives import opened
from tests.orders.waiting import until

TIMEOUT = 10
LIFE = 100.0
PAST = 1_700_000_000.0
"""Archives that tell when they take bytes away tell a time that is over, so that the bridge looks."""
QUICK: dict[str, Any] = {
    "order_poll": 0.05,
    "order_poll_most": 0.05,
    "location_seconds": 0.001,
    "search_cache_seconds": 1e-6,
}
OFFLINE = Query(filter={"op": "=", "args": [{"property": "order:status"}, "orderable"]}, limit=1)


@dataclass
class Gone:
    """A bridge over an archive, one of whose products is offline; `taken` are the archive's orders."""

    root: str
    sim: LtaSimulator | SedasSimulator
    clock: ManualClock
    collection: str
    item: str

    @property
    def taken(self) -> int:
        return len(self.sim.orders.taken)

    def order(self) -> str:
        body = {"collection": self.collection, "item": self.item}
        url = requests.post(f"{self.root}/orders", json=body, timeout=TIMEOUT).headers["Location"]
        until(lambda: told(url)["status"] == "succeeded")
        return url

    def download(self) -> int:
        item = f"{self.root}/collections/{self.collection}/items/{self.item}"
        assets = requests.get(item, timeout=TIMEOUT).json()["assets"]
        href = assets["Product" if "Product" in assets else "product"]["href"]
        return requests.get(href, timeout=TIMEOUT).status_code

    def evict(self) -> None:
        self.clock.advance(LIFE + 1)


@contextmanager
def long_term(store: str, **given: Any) -> Iterator[Gone]:
    clock = ManualClock(PAST)
    with LtaSimulator(1000, clock=clock) as sim:
        sim.faults = LtaFaults(queue_seconds=0, staging_seconds=0, staged_life=LIFE)
        settings = lta.settings(sim.url, store, **QUICK, **given)
        with running(create_app(settings, [lta.catalogue(settings)])) as root:
            yield Gone(root, sim, clock, lta.COLLECTION, lta.items(sim, 1)[0])


@contextmanager
def sedas(store: str, **given: Any) -> Iterator[Gone]:
    clock = ManualClock(PAST)
    with SedasSimulator(100, clock=clock) as sim:
        sim.faults = SedasFaults(staging_seconds=0, staged_life=LIFE)
        settings = Settings(
            catalogues=["sedas"],
            endpoints={"sedas": {"catalogue": sim.url, "token": f"{sim.url}/authentication"}},
            credentials={"sedas": Credentials(username=sim.username, password=SecretStr(sim.password))},
            order_store=SecretStr(store),
            **QUICK,
            **given,
        )
        catalogue: Upstream = load("sedas", settings)
        old = catalogue.search(OFFLINE, "").items[0]
        with running(create_app(settings, [catalogue])) as root:
            yield Gone(root, sim, clock, old["collection"], old["id"])


def nothing_owed(store: str) -> bool:
    database = opened(store)
    with database.reading() as execute:
        found = execute("SELECT id FROM requests WHERE owed IS NOT NULL")
    database.close()
    return not found


ARCHIVES = pytest.mark.parametrize("archive", [long_term, sedas], ids=lambda archive: archive.__name__)


def told(url: str) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(url, timeout=TIMEOUT).json()
    return document


@ARCHIVES
def test_f40_a_download_that_finds_it_gone_has_it_ordered_again_and_then_gets_it(
    archive: Any, store: str
) -> None:
    with archive(store) as gone:
        url = gone.order()
        gone.evict()
        assert gone.download() == 503
        until(lambda: gone.taken == 2 and told(url)["status"] == "succeeded")
        assert gone.download() == 200
        assert "ordered again by itself (1 of 1)" in str(told(url)["events"])


@ARCHIVES
def test_f40_it_is_seen_to_be_gone_without_a_download_and_given_up_after_one_more_order(
    archive: Any, store: str
) -> None:
    with archive(store, order_check_seconds=0.05) as gone:
        url = gone.order()
        gone.evict()
        until(lambda: gone.taken == 2 and told(url)["status"] == "succeeded")
        gone.evict()
        until(lambda: told(url)["status"] == "orderable")
        assert "Order it anew, and download it before it expires." in told(url)["reason"]
        assert gone.taken == 2


@ARCHIVES
def test_f40_what_was_downloaded_is_not_ordered_again(archive: Any, store: str) -> None:
    with archive(store, order_check_seconds=0.05) as gone:
        url = gone.order()
        assert gone.download() == 200
        until(lambda: nothing_owed(store))
        gone.evict()
        until(lambda: told(url)["status"] == "orderable")
        assert gone.taken == 1
