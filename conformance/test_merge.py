"""Four catalogues behind a bridge of its own process: one slow, one down, one answering rubbish.

The fourth's items come within 1.2 times its own time, the page says who is missing, and the next one asks
them again.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from conformance.walks.servers import Site, federated
from stacbridge.simulators import CdseSimulator, Failure, Faults
from stacbridge.simulators.maap import MaapSimulator
from stacbridge.simulators.opensearch import OpenSearchSimulator
from stacbridge.simulators.sedas import SedasSimulator

Json = dict[str, Any]
OWN, LATE, SLACK = 2.0, 60.0, 2.0
"""Seconds that the one catalogue takes, that the slow one takes, and that a busy machine may take."""
RUBBISH = Failure(times=1000, status=200, body=b"<html><body>Welcome!</body></html>", role="catalogue")
COLLECTIONS = ["sentinel-2-l2a", "sedas-sentinel-2", "terrascope-s2-toc-v2", "BiomassLevel1a"]


@dataclass(frozen=True)
class Running:
    """The simulators, and a bridge to them."""

    cdse: CdseSimulator
    sedas: ExitStack
    terrascope: OpenSearchSimulator
    maap: MaapSimulator
    url: str

    def search(self, **members: object) -> tuple[Json, float]:
        """Return the first page of a search, and how long it took."""
        begun = time.monotonic()
        answer = requests.post(f"{self.url}/search", json={"limit": 1000, **members}, timeout=120)
        assert answer.status_code == 200, answer.text
        page: Json = answer.json()
        return page, time.monotonic() - begun


def sites(cdse: CdseSimulator, sedas: str, terrascope: OpenSearchSimulator, maap: MaapSimulator) -> Json:
    """Return how a bridge reaches them."""
    addresses: dict[str, dict[str, str]] = {
        "cdse": {"catalogue": cdse.catalogue_url, "download": cdse.download_url, "token": cdse.token_url},
        "sedas": {"catalogue": sedas, "token": f"{sedas}/authentication"},
        "terrascope": {
            "description": f"{terrascope.url}/catalogue/description",
            "download": f"{terrascope.url}/download",
            "token": terrascope.token_url,
        },
        "maap": {"catalogue": maap.catalogue_url, "data": maap.data_url, "token": maap.token_url},
    }
    account = {"username": "demo", "password": "demo-password"}
    own: dict[str, Site] = {name: {"endpoints": each, "account": account} for name, each in addresses.items()}
    return {**own, "maap": {"endpoints": addresses["maap"], "account": {"refresh_token": "unused"}}}


@pytest.fixture
def running() -> Iterator[Running]:
    with ExitStack() as stack, ExitStack() as down:
        cdse = stack.enter_context(CdseSimulator(size=1000))
        terrascope = stack.enter_context(OpenSearchSimulator(size=50))
        maap = stack.enter_context(MaapSimulator())
        sedas = down.enter_context(SedasSimulator(size=50))
        settings = {"search_cache_seconds": 0.001, "retry_wait": 0.1}
        bridge = stack.enter_context(federated(sites(cdse, sedas.url, terrascope, maap), **settings))
        yield Running(cdse, down, terrascope, maap, bridge.url)


def test_what_is_there_comes_in_its_own_time_and_says_what_is_missing(running: Running) -> None:
    running.cdse.faults = Faults(delay_seconds=OWN)
    running.terrascope.faults = Faults(delay_seconds=OWN / 10)  # what comes at once is taken for remembered
    whole, _ = running.search(collections=COLLECTIONS)
    assert {item["collection"] for item in whole["features"]} == set(COLLECTIONS)
    alone, own = running.search(collections=COLLECTIONS[:1])

    running.terrascope.faults = Faults(delay_seconds=LATE)
    running.maap.faults = Faults(failure=RUBBISH)
    running.sedas.close()
    page, took = running.search(collections=COLLECTIONS)
    print(f"alone {own:.2f} s; with one slow, one down and one answering rubbish {took:.2f} s")
    assert took < 1.2 * max(own, OWN) + SLACK
    assert [item["id"] for item in page["features"]] == [item["id"] for item in alone["features"]]
    assert set(page["federation:missing"]) == {"sedas", "terrascope", "maap"}
    assert any(link["rel"] == "next" for link in page["links"])
