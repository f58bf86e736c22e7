"""A simulator, and a bridge to it, in processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree
from typing import Any
from urllib.parse import urlsplit

import requests

from conformance.benchmark.processes import free_port, stopped
from conformance.benchmark.served import until_answered

Site = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bridge:
    """A running bridge: its URL and its process."""

    url: str
    pid: int

    def megabytes(self) -> float:
        """Return its resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def simulator(catalogue: str, **options: Any) -> Iterator[Site]:
    """Run the simulator of a catalogue; give its endpoints and an account."""
    command = [sys.executable, "-m", "conformance.walks.simulator", catalogue, json.dumps(options)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with stopped(child) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())


def publish(site: Site, count: int) -> list[str]:
    """Let so many products in that the simulator held; return their names."""
    parts = urlsplit(next(iter(site["endpoints"].values())))
    url = f"{parts.scheme}://{parts.netloc}/simulator/publish?count={count}"
    return list(requests.post(url, timeout=30).json()["published"])


@contextmanager
def bridge(catalogue: str, site: Site, folder: Path | None = None) -> Iterator[Bridge]:
    """Run a bridge to a simulator; `folder` has catalogue files of its own."""
    own = {} if folder is None else {"catalogue_folder": str(folder)}
    with federated({catalogue: site}, **own) as running:
        yield running


@contextmanager
def federated(sites: Mapping[str, Site], **settings: Any) -> Iterator[Bridge]:
    """Run a bridge to several simulators, with settings by name."""
    port = free_port()
    environment = os.environ | _environment(sites)
    environment |= {f"STACBRIDGE_{name.upper()}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "stacbridge", "serve", "--port", str(port)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    with stopped(child) as process:
        url = f"http://127.0.0.1:{port}"
        until_answered(f"{url}/", process)
        yield Bridge(url, process.pid)


def _environment(sites: Mapping[str, Site]) -> dict[str, str]:
    named = {
        f"STACBRIDGE_{group}__{catalogue.upper()}__{name.upper()}": value
        for catalogue, site in sites.items()
        for group, values in (("ENDPOINTS", site["endpoints"]), ("CREDENTIALS", site["account"]))
        for name, value in values.items()
    }
    # Answers that are remembered do not show yet what comes in during a walk, and are not what memory is for.
    fresh = {"STACBRIDGE_SEARCH_CACHE_SECONDS": "1e-6", "STACBRIDGE_SEARCH_CACHE_BYTES": "1000000"}
    return {**fresh, "STACBRIDGE_CATALOGUES": json.dumps(list(sites)), **named}


def with_limits(catalogue: str, folder: Path, **limits: int) -> Path:
    """Copy a catalogue's files to a folder, with other limits, so that a small archive meets them."""
    with as_file(files("stacbridge") / "catalogues") as shipped:
        lines = (shipped / f"{catalogue}.toml").read_text().splitlines()
        if (shipped / catalogue).is_dir():
            copytree(shipped / catalogue, folder / catalogue)
    for name, value in limits.items():
        (number,) = (n for n, line in enumerate(lines) if line.startswith(f"{name} = "))
        lines[number] = f"{name} = {value}"
    (folder / f"{catalogue}.toml").write_text("\n".join(lines) + "\n")
    return folder
