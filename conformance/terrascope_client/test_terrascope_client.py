"""terracatalogueclient, the client that Terrascope publishes, unmodified, against the simulator."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from stacbridge.simulators.opensearch import OpenSearchSimulator
from stacbridge.simulators.opensearch_products import Product

pytestmark = pytest.mark.skipif(
    find_spec("terracatalogueclient") is None, reason="terracatalogueclient is in the group `conformance`"
)

SCRIPT = Path(__file__).parent / "run_terracatalogue.py"
TOC = "urn:eop:VITO:TERRASCOPE_S2_TOC_V2"
CONFIGURATION = """
[Catalogue]
URL = {url}/catalogue
[Auth]
TokenEndpoint = {token}
"""
DEPTH = 400
SHORT = 20
"""Seconds that a token lives; the client renews one that has less than thirty left."""


@dataclass(frozen=True)
class Run:
    simulator: OpenSearchSimulator
    told: dict[str, Any]
    folder: Path

    @property
    def products(self) -> list[Product]:
        return self.simulator.holdings.products[TOC]

    def wanted(self, name: str) -> list[str]:
        """What a search must give, by the simulator's own holdings."""
        return sorted(product.id for product in self.products if WANTED[name](product))


def clouds(product: Product) -> float:
    assert product.cloud_cover is not None
    return product.cloud_cover


def day(number: int) -> datetime:
    return datetime(2020, 1, number, tzinfo=UTC)


WANTED: dict[str, Any] = {
    "start and end": lambda p: day(3) <= p.start < day(6),
    "bbox": lambda p: p.tile == "31UFS",
    "bbox as dict": lambda p: p.tile == "31UFS",
    "geometry": lambda p: p.tile == "31UFS",
    "productType": lambda p: p.tile == "31UES",
    "cloudCover any": lambda p: p.tile == "31UES",
    "accessedFrom": lambda p: p.tile == "31UES",
    "resolution": lambda p: p.tile == "31UES",
    "clientId": lambda p: p.tile == "31UES",
    "relativeOrbitNumber": lambda p: p.orbit == 9,
    "orbitDirection": lambda p: p.direction == "ASCENDING",
    "cloudCover": lambda p: clouds(p) <= 40,
    "cloudCover interval": lambda p: 10 <= clouds(p) <= 40,
    "cloudCover open": lambda p: clouds(p) >= 50,
    "cloudCover text": lambda p: 10 <= clouds(p) < 20,
    "tileId": lambda p: p.tile == "31UFS",
    "productGroupId": lambda p: f"{p.start:%Y%m%d}" == "20200103",
    "publicationDate": lambda p: day(10) <= p.published <= day(12),
    "modificationDate": lambda p: p.published >= day(10),
    "productVersion": lambda p: p.version == "V210",
    "no such tile": lambda p: False,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("terrascope")
    with OpenSearchSimulator(size=450, depth=DEPTH, wso2=True, access_life=SHORT) as simulator:
        configuration = folder / "client.ini"
        configuration.write_text(
            CONFIGURATION.format(url=simulator.url, token=simulator.token_url), encoding="utf-8"
        )
        account = [simulator.username, simulator.password]
        command = [sys.executable, str(SCRIPT), str(configuration), *account, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
        yield Run(simulator, json.loads(done.stdout.splitlines()[-1]), folder)


def test_it_lists_the_collections(run: Run) -> None:
    assert run.told["collections"] == list(run.simulator.holdings.collections)
    assert run.told["platform"] == ["urn:ogc:def:EOP:VITO:VGT_S10"]


@pytest.mark.parametrize("name", WANTED)
def test_it_searches_by_every_parameter(run: Run, name: str) -> None:
    assert sorted(run.told["searches"][name]) == run.wanted(name)


def test_it_finds_one_product_by_title_and_by_id(run: Run) -> None:
    first = run.told["searches"]["limit"][0]
    assert run.told["by title"] == run.told["by uid"] == [first]


def test_it_stops_at_its_limit(run: Run) -> None:
    assert len(run.told["searches"]["limit"]) == 7


def test_it_counts_without_fetching(run: Run) -> None:
    assert run.told["count"] == sum(product.tile == "31UFS" for product in run.products)


def test_it_is_told_what_was_wrong(run: Run) -> None:
    assert run.told["refused"] == {
        "test": "test - Unknown parameter",
        "orbitDirection": "orbitDirection - Invalid value: test",
        "geometry": "geometry - Invalid geometry: polygon",
    }


def test_it_refuses_more_results_than_can_be_paged_through(run: Run) -> None:
    assert run.told["too many"].startswith("Too many results: 450 found")


def test_a_stranger_gets_no_file(run: Run) -> None:
    """The client takes the login page for leave to download, and saves nothing, as it does at the service."""
    assert run.told["without login"] == "0 bytes"


def test_it_downloads_every_type_of_file(run: Run) -> None:
    kinds = ("all", "DATA", "RELATED", "ALTERNATES")
    folders = {kind: [file for file in (run.folder / kind).rglob("*") if file.is_file()] for kind in kinds}
    assert {name: len(files) for name, files in folders.items()} == {
        "all": 2 * 9,
        "DATA": 4,
        "RELATED": 2,
        "ALTERNATES": 1,
    }
    assert all(file.stat().st_size for files in folders.values() for file in files)


def test_it_signs_in_by_password_once_and_by_refresh_token_from_then_on(run: Run) -> None:
    first, *others = run.simulator.identity.grants
    assert first == "password"
    assert set(others) == {"refresh_token"}
