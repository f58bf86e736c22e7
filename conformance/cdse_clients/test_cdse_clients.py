"""Published clients of CDSE, unmodified, search and download from the simulator by CDSE's host names."""

import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from stacbridge.simulators import CDSE, CdseSimulator

from .tunnel import Tunnel

HERE = Path(__file__).parent


@dataclass(frozen=True)
class World:
    simulator: CdseSimulator
    tunnel: Tunnel
    certificate: Path

    def run(self, script: str, folder: Path) -> Any:
        """Run a client in its own process; returns the JSON that it prints last."""
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        trusted = str(self.certificate)
        environment |= {
            "HTTPS_PROXY": self.tunnel.url,
            "REQUESTS_CA_BUNDLE": trusted,
            "SSL_CERT_FILE": trusted,
        }
        folder.mkdir()
        command = [
            sys.executable,
            str(HERE / script),
            self.simulator.username,
            self.simulator.password,
            str(folder),
        ]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    hosts = {
        role: str(urlsplit(getattr(CDSE, role)).hostname) for role in ("catalogue", "download", "identity")
    }
    issued = authority.issue_cert(*hosts.values())
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    pem = str(folder / "server.pem")
    with (
        CdseSimulator(20_000, certfile=pem, keyfile=pem, addresses=CDSE) as simulator,
        Tunnel({host: simulator.ports[role] for role, host in hosts.items()}) as tunnel,
    ):
        yield World(simulator, tunnel, folder / "ca.pem")


@pytest.fixture(scope="module")
def cdsetool(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("cdsetool") / "out"
    return world.run("run_cdsetool.py", folder), folder


@pytest.fixture(scope="module")
def phidown(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("phidown") / "out"
    return world.run("run_phidown.py", folder), folder


def test_cdsetool_pages_through_all_that_the_count_announces(cdsetool: tuple[Any, Path]) -> None:
    seen, _ = cdsetool
    assert seen["announced"] > 14
    assert len(set(seen["ids"])) == len(seen["ids"]) == seen["announced"]
    assert seen["starts"] == sorted(seen["starts"])
    assert all(cloud <= 60 for cloud in seen["clouds"])


def test_cdsetool_downloads_a_whole_product_that_is_a_sound_zip(cdsetool: tuple[Any, Path]) -> None:
    seen, folder = cdsetool
    with zipfile.ZipFile(folder / seen["downloaded"]) as archive:
        assert archive.testzip() is None
        assert any(name.endswith("/manifest.safe") for name in archive.namelist())


def test_cdsetool_downloads_single_files_by_the_manifest(cdsetool: tuple[Any, Path]) -> None:
    seen, folder = cdsetool
    assert seen["parts"]
    assert all((folder / part).read_bytes()[4:8] == b"jP  " for part in seen["parts"])


def test_cdsetool_is_told_of_a_wrong_password(cdsetool: tuple[Any, Path]) -> None:
    assert cdsetool[0]["wrong_password_refused"]


def test_phidown_collects_every_page_of_a_counted_search(phidown: tuple[Any, Path], world: World) -> None:
    seen, _ = phidown
    assert len(seen["ids"]) == len(set(seen["ids"])) > 10
    assert all("_SLC__1S" in name for name in seen["names"])
    assert max(seen["coverage"]) > 0


def test_phidown_finds_a_product_by_its_name(phidown: tuple[Any, Path]) -> None:
    assert phidown[0]["by_name"] == phidown[0]["ids"][:1]


def test_phidown_finds_nine_bursts_in_each_swath_and_polarisation(phidown: tuple[Any, Path]) -> None:
    seen, _ = phidown
    parts = Counter((swath, pol) for _, _, swath, pol in seen["bursts"])
    assert set(parts.values()) == {9}
    assert {swath for swath, _ in parts} == {"IW1", "IW2", "IW3"}
    assert seen["announced"] == len({id_ for id_, *_ in seen["bursts"]})


def test_phidown_downloads_a_burst_that_is_a_sound_zip(phidown: tuple[Any, Path]) -> None:
    seen, folder = phidown
    (name,) = seen["burst_files"]
    with zipfile.ZipFile(folder / name) as archive:
        assert archive.testzip() is None
        assert any(member.endswith(".tiff") for member in archive.namelist())


@pytest.mark.usefixtures("cdsetool", "phidown")
def test_no_client_asked_for_another_host(world: World) -> None:
    assert world.tunnel.refused == []
