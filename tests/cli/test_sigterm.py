"""`stacbridge serve` as a process of its own that is sent SIGTERM while a file goes through it."""

import hashlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
import pytest
import requests
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stacbridge.simulators import CdseSimulator
from stacbridge.simulators.clock import ManualClock
from stacbridge.simulators.sedas import SedasSimulator, zipped
from stacbridge.simulators.sedas_orders import SedasFaults
from tests.orders.waiting import until

PATIENCE = 30.0
GRACE = 5.0
"""Seconds that uvicorn gives whatever is left after the drain (`commands.bridge`)."""


class Halting(SedasSimulator):
    """Sends one half of a file, and the other once it is let go."""

    def __init__(self) -> None:
        self.hand = ManualClock()
        super().__init__(100, clock=self.hand)
        self.go = threading.Event()
        self.downloads = 0

    async def _download(self, request: Request) -> ASGIApp:
        self.downloads += 1
        whole = await super()._download(request)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await whole(scope, receive, self._halting(send))

        return answer

    def _halting(self, send: Send) -> Send:
        async def halted(message: Message) -> None:
            body = message.get("body", b"")
            if body:
                await send({**message, "body": body[: len(body) // 2], "more_body": True})
                await anyio.to_thread.run_sync(self.go.wait, PATIENCE)
                message = {**message, "body": body[len(body) // 2 :]}
            await send(message)

        return halted


@pytest.fixture
def sim() -> Iterator[Halting]:
    with Halting() as simulator:
        simulator.faults = SedasFaults(staging_seconds=3600)
        yield simulator
        simulator.go.set()


@dataclass(frozen=True)
class Process:
    """A bridge that runs, and where it answers."""

    process: "subprocess.Popen[str]"
    url: str

    def get(self, path: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.url}{path}"
        return requests.get(url, timeout=PATIENCE, headers={"Connection": "close"})

    def items(self) -> dict[str, Any]:
        """One item that is online, and one that is not."""
        found: dict[str, Any] = {}
        for item in self.get("/search?limit=100").json()["features"]:
            found.setdefault(item["properties"].get("order:status", "offline"), item)
        return found

    def order(self, item: dict[str, Any]) -> str:
        body = {"collection": item["collection"], "item": item["id"]}
        reply = requests.post(f"{self.url}/orders", json=body, timeout=PATIENCE)
        assert reply.status_code == 202
        path = urlsplit(reply.headers["Location"]).path
        until(lambda: self.get(path).json()["events"][-1]["state"] == "ordered")
        return path

    @contextmanager
    def downloading(self, href: str) -> Iterator[http.client.HTTPResponse]:
        """Begin a download, of which the first bytes have come."""
        parts = urlsplit(href)
        client = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE)
        client.request("GET", parts.path)
        try:
            yield client.getresponse()
        finally:
            client.close()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        until(lambda: self.get("/readyz").status_code == 503)


def in_front_of(sim: Halting, folder: Path, **more: object) -> dict[str, object]:
    """Settings of a bridge to the simulator, with a book in `folder`."""
    return {
        "catalogues": '["sedas"]',
        "endpoints": json.dumps({"sedas": {"catalogue": sim.url, "token": f"{sim.url}/authentication"}}),
        "credentials": json.dumps({"sedas": {"username": sim.username, "password": sim.password}}),
        "order_store": f"sqlite:///{folder / 'orders.sqlite'}",
        "order_poll": 0.05,
        "order_poll_most": 0.05,
        **more,
    }


@contextmanager
def serving(settings: dict[str, object]) -> Iterator[Process]:
    """Run `stacbridge serve`."""
    environment = os.environ | {f"STACBRIDGE_{name.upper()}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "stacbridge", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield Process(
                process, next(line.split()[1] for line in process.stdout if line.startswith("Ready"))
            )
        finally:
            process.kill()


def content(sim: Halting, item: dict[str, Any]) -> str:
    return hashlib.sha256(zipped(sim.products.by_name[item["id"]])).hexdigest()


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def check_book(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "orders.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_download_under_way_is_finished_and_nothing_new_is_begun(sim: Halting, tmp_path: Path) -> None:
    settings = in_front_of(sim, tmp_path, spool_folder=tmp_path / "spool")
    with serving({**settings, "drain_seconds": 60}) as bridge:
        items = bridge.items()
        order = bridge.order(items["orderable"])
        href = items["succeeded"]["assets"]["product"]["href"]
        with bridge.downloading(href) as answer:
            begun = answer.read(1000)
            bridge.terminate()
            refused = bridge.get(href)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            assert bridge.get("/healthz").status_code == bridge.get("/search?limit=1").status_code == 200
            assert bridge.process.poll() is None
            sim.go.set()
            assert sha256(begun + answer.read()) == content(sim, items["succeeded"])
        assert bridge.process.wait(PATIENCE) == 0
    check_book(tmp_path)
    assert sim.downloads == 1
    goes_on(sim, settings, items["succeeded"], order, downloads=1)


@pytest.mark.parametrize("spooled", [True, False], ids=["through the spool", "straight through"])
def test_a_download_that_takes_longer_than_the_drain_is_cut_and_never_ended(
    sim: Halting, tmp_path: Path, spooled: bool
) -> None:
    settings = in_front_of(sim, tmp_path, **({"spool_folder": tmp_path / "spool"} if spooled else {}))
    with serving({**settings, "drain_seconds": 0.5}) as bridge:
        items = bridge.items()
        order = bridge.order(items["orderable"])
        with bridge.downloading(items["succeeded"]["assets"]["product"]["href"]) as answer:
            assert answer.status == 200 and answer.read(1000)
            begun = time.monotonic()
            bridge.terminate()
            with pytest.raises((http.client.IncompleteRead, ConnectionError)):
                answer.read()
            assert bridge.process.wait(PATIENCE) == 0
            assert time.monotonic() - begun < 0.5 + GRACE + PATIENCE / 2
    check_book(tmp_path)
    sim.go.set()
    goes_on(sim, settings, items["succeeded"], order, downloads=2)


def test_a_search_whose_upstream_never_answers_holds_nothing_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        place = f"http://127.0.0.1:{silent.getsockname()[1]}/odata/v1"
        settings = {"endpoints": json.dumps({"cdse": {"catalogue": place}}), "read_timeout": 600}
        with serving({**settings, "order_store": f"sqlite:///{tmp_path / 'orders.sqlite'}"}) as bridge:
            parts = urlsplit(bridge.url)
            client = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE)
            client.request("GET", "/search?limit=1")
            with closing(client), closing(silent.accept()[0]):
                bridge.process.send_signal(signal.SIGTERM)
                assert bridge.process.wait(GRACE + PATIENCE / 2) == 0


def goes_on(
    sim: Halting, settings: dict[str, object], item: dict[str, Any], order: str, downloads: int
) -> None:
    """Check that the next process has whole files only, and drives the order that the first one took."""
    with serving(settings) as bridge:
        assert bridge.get(order).json()["status"] == "ordered"
        sim.hand.advance(3601)
        until(lambda: bridge.get(order).json()["status"] == "succeeded")
        path = urlsplit(item["assets"]["product"]["href"]).path
        assert sha256(bridge.get(path).content) == content(sim, item)
        assert (sim.downloads, len(sim.orders.taken)) == (downloads, 1)
        bridge.process.send_signal(signal.SIGTERM)
        assert bridge.process.wait(PATIENCE) == 0


def test_without_downloads_it_ends_at_once_and_has_signed_out(tmp_path: Path) -> None:
    with CdseSimulator(size=1000) as cdse:
        endpoints = {"catalogue": cdse.catalogue_url, "download": cdse.download_url, "token": cdse.token_url}
        logout = cdse.token_url.replace("/token", "/logout")
        settings: dict[str, object] = {
            "endpoints": json.dumps({"cdse": {**endpoints, "logout": logout}}),
            "credentials": json.dumps({"cdse": {"username": cdse.username, "password": cdse.password}}),
            "order_store": f"sqlite:///{tmp_path / 'orders.sqlite'}",
            "drain_seconds": 60,
        }
        with serving(settings) as bridge:
            item = bridge.get("/search?limit=1&collections=sentinel-1-grd").json()["features"][0]
            asset = item["assets"]["Product"]["href"]
            assert requests.head(asset, timeout=PATIENCE).status_code == 200
            assert cdse.sessions.count() == 1
            begun = time.monotonic()
            bridge.process.send_signal(signal.SIGTERM)
            assert bridge.process.wait(PATIENCE) == 0
            assert time.monotonic() - begun < PATIENCE
        assert cdse.sessions.count() == 0
