"""The tutorial of ESA MAAP, run unchanged on the simulator of MAAP and on the bridge over it."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rasterio
import requests
from pydantic import SecretStr

from stacbridge.app import create_app
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.maap import MaapSimulator
from tests.api.serving import running

SCRIPT = Path(__file__).parent / "tutorial.py"


def run(url: str, folder: Path, *token: str) -> dict[str, Any]:
    """Run the tutorial in a process of its own; returns what it printed last."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-W", "ignore", str(SCRIPT), url, str(folder), *token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def simulator() -> Iterator[MaapSimulator]:
    with MaapSimulator() as running:
        yield running


@pytest.fixture(scope="module")
def direct(simulator: MaapSimulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    form = {
        "client_id": "offline-token",
        "client_secret": simulator.access.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": simulator.access.offline_token,
        "scope": "offline_access openid",
    }
    token = requests.post(simulator.token_url, data=form, timeout=10).json()["access_token"]
    return run(simulator.catalogue_url, tmp_path_factory.mktemp("direct"), token)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bridged")


@pytest.fixture(scope="module")
def bridge(simulator: MaapSimulator) -> Iterator[str]:
    account = Credentials(
        refresh_token=SecretStr(simulator.access.offline_token),
        client_secret=SecretStr(simulator.access.client_secret),
    )
    endpoints = {
        "catalogue": simulator.catalogue_url,
        "data": simulator.data_url,
        "token": simulator.token_url,
    }
    settings = Settings(catalogues=["maap"], endpoints={"maap": endpoints}, credentials={"maap": account})
    with running(create_app(settings)) as url:
        yield url


@pytest.fixture(scope="module")
def bridged(bridge: str, folder: Path) -> dict[str, Any]:
    return run(bridge, folder)


def test_the_tutorial_runs_on_the_simulator(direct: dict[str, Any]) -> None:
    assert direct["by type and instrument"]["matched"] == 90
    assert "BiomassLevel1a" in direct["about biomass"]
    assert direct["files"].keys() >= {"product", "enclosure_tiff", "thumbnail"}


@pytest.mark.parametrize(
    "step",
    [
        "title",
        "by time and box",
        "by open time",
        "by area",
        "by type and instrument",
        "by its new name",
        "by orbit",
        "by change",
        "files",
    ],
)
def test_the_same_tutorial_finds_and_fetches_the_same_over_the_bridge_without_a_token(
    direct: dict[str, Any], bridged: dict[str, Any], step: str
) -> None:
    assert bridged[step] == direct[step]
    assert bridged[step]


@pytest.mark.parametrize("step", ["about biomass", "in 2022", "by title", "by platform", "by organisation"])
def test_collections_are_searched_alike_but_for_those_without_items(
    direct: dict[str, Any], bridged: dict[str, Any], step: str
) -> None:
    assert bridged[step] == sorted(set(bridged["collections"]).intersection(direct[step]))
    assert bridged[step]


def test_queryables_have_the_old_names_and_the_new_ones(bridged: dict[str, Any]) -> None:
    assert {"productType", "product:type", "orbitNumber", "sat:absolute_orbit"} <= set(bridged["queryables"])


def test_the_product_is_a_sound_archive(bridged: dict[str, Any], folder: Path) -> None:
    assert bridged["files"]["product"] == (folder / "product").stat().st_size
    assert zipfile.ZipFile(folder / "product").testzip() is None


def test_gdal_reads_a_window_of_a_file_that_wants_a_token(bridge: str, simulator: MaapSimulator) -> None:
    items = requests.get(f"{bridge}/collections/BiomassLevel1b/items?limit=1", timeout=10).json()["features"]
    href = items[0]["assets"]["enclosure_tiff"]["href"]
    simulator.log.clear()
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), rasterio.open(f"/vsicurl/{href}") as image:
        window = image.read(1, window=((0, 16), (0, 16)))
    assert window.shape == (16, 16)
    assert any(seen.range for seen in simulator.log)
