"""A bridge in front of an upstream that fails as it is told."""

import hashlib
import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from conformance.faults import FULL
from stacbridge.app import create_app
from stacbridge.catalogue import Catalogue
from stacbridge.commands.protocol import bounded
from stacbridge.commands.zerocopy import zero_copy
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query, Ready, Request
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act, Chaos, Script
from tests.api.archive import collection, item
from tests.unit.download_servers import FILE, PATIENCE, Bridge, Heard, OneAsset

PRODUCT = b"PK\x03\x04" + b"".join(number.to_bytes(4, "big") for number in range(750_000))
"""A product of 3 MB in which every four bytes differ."""
HALF = len(PRODUCT) // 2
MD5 = "d50110" + hashlib.md5(PRODUCT, usedforsecurity=False).hexdigest()
SHA256 = "1220" + hashlib.sha256(PRODUCT).hexdigest()
SHA3 = "1620" + hashlib.sha3_256(PRODUCT).hexdigest()
CUT = (http.client.IncompleteRead, ConnectionError)
"""What a client sees of a connection that was cut."""
NIGHT = {"retry_wait": 0.01, "download_idle_timeout": 30}
"""Settings that make a moment of minutes; a slow machine is not taken for a silent upstream."""
SILENCE = {"download_idle_timeout": 0.6}
"""Settings of tests where an upstream falls silent, or a client."""


@contextmanager
def faced(
    *acts: Act,
    file: bytes = PRODUCT,
    script: Script | None = None,
    settings: Mapping[str, Any] | None = None,
    catalogue: Mapping[str, Any] | None = None,
    clock: Callable[[], float] = time.monotonic,
    **ready: Any,
) -> Iterator[tuple[Bridge, Chaos, OneAsset]]:
    """Run an upstream with `file`, which answers by `acts` or `script`, and a bridge in front of it."""
    with Chaos(file, *acts, script=script) as chaos:
        given = {"name": FILE, "media_type": "application/zip", "ranges": True, **ready}
        place = Ready(Request("GET", f"{chaos.url}/product"), **given)
        one = OneAsset(place, trusted={urlsplit(chaos.url).netloc}, **(catalogue or {}))
        with Bridge(one, clock=clock, **{**NIGHT, **(settings or {})}) as bridge:
            yield bridge, chaos, one


def full() -> bool:
    """Tell whether rows are to run their long form."""
    return os.environ.get(FULL) == "1"


def whole(heard: Heard) -> bool:
    """Tell whether a client has all of the product."""
    return heard.status == 200 and heard.body == PRODUCT


def ranges(chaos: Chaos) -> list[str | None]:
    """Return the ranges that the upstream was asked for."""
    return [asked.headers.get("range") for asked in chaos.asked]


@contextmanager
def served(*catalogues: Catalogue, **settings: Any) -> Iterator[int]:
    """Serve the whole bridge as `stacbridge serve` does, over an empty catalogue if none; give its port."""
    app = create_app(Settings(**settings), catalogues or [MemoryCatalogue("empty", [], [])])
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        config = uvicorn.Config(
            zero_copy(app),
            http=bounded(0.5),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=[[listening]])
        thread.start()
        try:
            port = int(listening.getsockname()[1])
            heard(port, "/healthz")  # it answers once it has started
            yield port
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


def heard(
    port: int, path: str, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Heard:
    """Ask a bridge for a path just as it is written."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        client.request(method, path, body or None, headers=dict(headers or {}))
        answer = client.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Heard(answer.status, told, answer.read())
    finally:
        client.close()


def gone(client: socket.socket) -> bool:
    """Tell whether the other side ends a connection without a word."""
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


class Wavering(MemoryCatalogue):
    """A catalogue of three items that fails, or hangs until it is let go, when told to."""

    def __init__(self, id: str) -> None:
        super().__init__(id, [collection(id)], [item(id, number) for number in range(3)])
        self.failure: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.asked = 0

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        self.asked += 1
        assert self.go.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure
        return super().search(query, root, ready=ready)

    def collections(self) -> list[Json]:
        if self.failure is not None:
            raise self.failure
        return super().collections()
