"""Several `stacbridge serve` on one machine behind one port."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from conformance.benchmark.processes import free_port
from stacbridge.commands.serve import check_shared
from stacbridge.errors import Misconfigured
from stacbridge.settings import Settings
from tests.orders.waiting import until

TRIES = 64
"""New connections: that one of two processes gets none of them happens once in 2**63."""


@contextmanager
def process(folder: Path, port: int, shared: int, **more: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a bridge that listens on two ports, until the block ends; it answers when the block begins."""
    settings = {"SECRET": "one for all", "LEASES": str(folder / "leases"), "CATALOGUES": '["cdse"]', **more}
    environment = os.environ | {f"STACBRIDGE_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "stacbridge", "serve", "--port", str(port), "--shared-port", str(shared)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stdout is not None
        try:
            ready = next(line for line in running.stdout if line.startswith("Ready"))
            assert ready == f"Ready: http://127.0.0.1:{shared}\n"
            yield running
        finally:
            running.kill()


def ask(port: int) -> int:
    """Return the status of an answer on a connection of its own."""
    headers = {"Connection": "close"}
    return requests.get(f"http://127.0.0.1:{port}/conformance", headers=headers, timeout=10).status_code


def answered(port: int) -> int:
    """Return how many of those answers came from the process with a port of its own."""
    figures = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    found = re.findall(r'^stacbridge_http_requests_total{.*route="/conformance".*} ([\d.]+)$', figures, re.M)
    return int(sum(map(float, found)))


def avoids(shared: int, port: int) -> bool:
    """Tell whether a process gets none of many new connections."""
    before = answered(port)
    assert [ask(shared) for _ in range(TRIES)] == [200] * TRIES
    return answered(port) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads connections over a shared port")
def test_connections_to_a_shared_port_are_spread_and_one_that_stops_gets_none(tmp_path: Path) -> None:
    shared, first, second = free_port(), free_port(), free_port()
    patient = {"DRAIN_SECONDS": "60", "DRAIN_NOTICE": "60"}
    with ExitStack() as stack:
        stopping = stack.enter_context(process(tmp_path, first, shared, **patient))
        stack.enter_context(process(tmp_path, second, shared))
        assert [ask(shared) for _ in range(TRIES)] == [200] * TRIES
        assert answered(first) > 0
        assert answered(second) > 0
        assert answered(first) + answered(second) == TRIES
        stopping.send_signal(signal.SIGTERM)
        until(lambda: avoids(shared, first))
        assert requests.get(f"http://127.0.0.1:{first}/readyz", timeout=10).status_code == 503


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "secret and leases"),
        ({"secret": "s"}, "the same leases"),
        ({"leases": "/tmp/leases"}, "the same secret"),
    ],
)
def test_bridges_that_would_not_work_together_share_no_port(given: dict[str, str], missing: str) -> None:
    with pytest.raises(Misconfigured, match=f"share port 8080 .*{missing}"):
        check_shared(Settings.model_validate({"shared_port": 8080, **given}))


@pytest.mark.parametrize("together", [{"leases": "/tmp/leases"}, {"order_store": "postgresql://db/orders"}])
def test_bridges_that_share_secret_and_connections_share_a_port(together: dict[str, str]) -> None:
    check_shared(Settings.model_validate({"shared_port": 8080, "secret": "s", **together}))
