"""A bridge that is told to stop finishes what it sends, and begins nothing new."""

import http.client
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from stacbridge.app import create_app
from stacbridge.commands.bridge import Server
from stacbridge.draining import Drain
from stacbridge.settings import Settings
from tests.unit.download_servers import PATH, PATIENCE, Heard, in_front_of, lowered, within
from tests.unit.scripted_upstream import Asked as Request
from tests.unit.scripted_upstream import Connection, Upstream

PRODUCT = b"PK\x03\x04" + bytes(200_000)
HALF = 100_000


class Halting:
    """An upstream that sends one half of a file, and the other when it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, asked: Request, connection: Connection) -> None:
        connection.answer(body=PRODUCT[:HALF], Content_Length=str(len(PRODUCT)), ETag='"one"')
        self.go.wait(PATIENCE)
        connection.sock.sendall(PRODUCT[HALF:])


@contextmanager
def bridge(drain: Drain, upstream: Upstream) -> Iterator[tuple[Server, int, threading.Thread]]:
    """Serve a bridge in a thread; give its server, its port and its thread."""
    app: Any = create_app(Settings(), [in_front_of(upstream)], drain)
    ready = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
        server = Server(config, ready.set, drain)
        thread = threading.Thread(target=server.run, args=[[listening]])
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            yield server, listening.getsockname()[1], thread
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


def ask(port: int, path: str) -> Heard:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        client.request("GET", path)
        answer = client.getresponse()
        return Heard(answer.status, lowered(answer.getheaders()), answer.read())
    finally:
        client.close()


@contextmanager
def downloading(port: int) -> Iterator[http.client.HTTPResponse]:
    """Begin a download; give its answer, of which half is on its way."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    client.request("GET", PATH)
    try:
        yield client.getresponse()
    finally:
        client.close()


def test_downloads_under_way_are_finished_and_new_ones_are_503_meanwhile() -> None:
    halting, drain = Halting(), Drain(PATIENCE)
    with Upstream(halting) as upstream, bridge(drain, upstream) as (server, port, thread):
        with downloading(port) as answer:
            server.handle_exit(signal.SIGTERM, None)
            refused = ask(port, PATH)
            assert (refused.status, refused.headers["retry-after"]) == (503, "5")
            assert [ask(port, path).status for path in ("/readyz", "/healthz", "/search")] == [503, 200, 200]
            assert thread.is_alive()
            halting.go.set()
            assert answer.read() == PRODUCT
        assert within(PATIENCE, lambda: not thread.is_alive())
    assert len(upstream.asked) == 1


def test_a_client_that_keeps_its_connection_does_not_come_back_to_a_bridge_that_stops() -> None:
    halting, drain = Halting(), Drain(PATIENCE)
    with Upstream(halting) as upstream, bridge(drain, upstream) as (server, port, _), downloading(port):
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        for path, connection in (("/healthz", None), (PATH, "close")):
            kept.request("GET", path)
            answer = kept.getresponse()
            answer.read()
            assert answer.getheader("connection") == connection
            server.handle_exit(signal.SIGTERM, None)
        kept.close()
        halting.go.set()


def test_without_downloads_it_stops_at_once() -> None:
    with Upstream(Halting()) as upstream, bridge(Drain(60), upstream) as (server, _, thread):
        server.handle_exit(signal.SIGTERM, None)
        assert within(PATIENCE, lambda: not thread.is_alive())


def test_downloads_that_take_longer_than_is_set_are_cut() -> None:
    halting, drain = Halting(), Drain(0.1)
    with Upstream(halting) as upstream, bridge(drain, upstream) as (server, port, thread):
        with downloading(port):
            server.handle_exit(signal.SIGTERM, None)
            assert within(PATIENCE, lambda: not thread.is_alive())
        halting.go.set()


def test_a_second_signal_waits_for_nobody() -> None:
    halting, drain = Halting(), Drain(3600)
    with Upstream(halting) as upstream, bridge(drain, upstream) as (server, port, thread):
        with downloading(port):
            server.handle_exit(signal.SIGTERM, None)
            server.handle_exit(signal.SIGTERM, None)
            assert within(PATIENCE, lambda: not thread.is_alive())
        halting.go.set()
