"""The simulator and the bridge in processes of their own, for measuring."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from conformance.benchmark.processes import PATIENCE, free_port, stopped

POLL = 0.005
"""Seconds between two attempts to reach a server that is starting."""


def until_answered(url: str, process: subprocess.Popen[bytes]) -> None:
    """Ask `url` until it answers 200."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"The process ended with {process.returncode} before it answered.")
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(POLL)
    raise SystemExit(f"{url} did not answer within {PATIENCE} s.")


@contextmanager
def simulator(*options: str) -> Iterator[dict[str, Any]]:
    """Run the CDSE simulator; yield what it announces."""
    command = [sys.executable, "-m", "stacbridge.simulators", "--announce-json", *options]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with stopped(child) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())


def pointed_at(announced: dict[str, Any]) -> dict[str, str]:
    """Return the environment that points a bridge at a running simulator."""
    endpoints = {name: announced[f"{name}_url"] for name in ("catalogue", "download", "token")}
    account = {name: announced[name] for name in ("username", "password")}
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # Answers that are remembered would leave out what is measured.
    plain["STACBRIDGE_SEARCH_CACHE_SECONDS"] = "1e-6"
    return (
        plain
        | {f"STACBRIDGE_ENDPOINTS__CDSE__{name.upper()}": value for name, value in endpoints.items()}
        | {f"STACBRIDGE_CREDENTIALS__CDSE__{name.upper()}": value for name, value in account.items()}
    )


@contextmanager
def bridge(announced: dict[str, Any]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the bridge against a simulator; yield its process and its URL once that answers."""
    port = free_port()
    command = [sys.executable, "-m", "stacbridge", "serve", "--port", str(port)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=pointed_at(announced))
    with stopped(child) as process:
        url = f"http://127.0.0.1:{port}"
        until_answered(f"{url}/", process)
        yield process, url


@contextmanager
def least(announced: dict[str, Any]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the least facade there can be against a simulator; yield its process and its URL."""
    port = free_port()
    command = [sys.executable, "-m", "conformance.benchmark.least", str(port), announced["catalogue_url"]]
    named = {f"STAC_FASTAPI_{name}": "least" for name in ("TITLE", "DESCRIPTION", "VERSION", "LANDING_ID")}
    with stopped(subprocess.Popen(command, env=os.environ | named)) as process:
        url = f"http://127.0.0.1:{port}"
        until_answered(f"{url}/_mgmt/ping", process)
        yield process, url
