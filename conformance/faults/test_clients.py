"""Section B, the clients' side: many, slow, silent, gone; and what the operator sees of it."""

import socket
import time
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest

from conformance.benchmark import readers
from conformance.faults.kit import CUT, PRODUCT, SILENCE, faced, full, gone, served, whole
from stacbridge.catalogue import Quota
from stacbridge.simulators.chaos import Act
from tests.unit.download_servers import PATIENCE, within

CLIENTS = 1000
EACH = 256 * 1024
"""Bytes of memory that a client may cost which takes nothing."""


def resident() -> int:
    """Return the bytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def test_f26_most_of_a_months_volume_is_a_warning_and_who_took_it_is_counted() -> None:
    with faced(Act(), catalogue={"quota": Quota(len(PRODUCT))}) as (bridge, _, _):
        assert bridge.proxy.warnings() == {}
        assert whole(bridge.ask())
        assert within(PATIENCE, lambda: "one" in bridge.proxy.warnings())
        status = bridge.status()["one"]
        assert (status["bytes_30_days"], status["your_bytes_30_days"]) == (len(PRODUCT), len(PRODUCT))


def test_f28_a_thousand_clients_that_never_read_cost_little_and_delay_nobody(tmp_path: Path) -> None:
    settings = {"spool_folder": tmp_path, "download_idle_timeout": 60}
    with (
        faced(Act(ignore_range=True), settings=settings, ranges=False) as (bridge, chaos, _),
        ExitStack() as all,
    ):
        assert whole(bridge.ask())
        before = resident()
        clients = [all.enter_context(bridge.client()) for _ in range(CLIENTS)]
        assert all_begun(clients)
        started = time.monotonic()
        assert whole(bridge.ask())
        assert time.monotonic() - started < PATIENCE
        assert resident() - before < CLIENTS * EACH
        assert sum(asked.method == "GET" for asked in chaos.asked) == 1


def test_f28_slow_readers_with_a_stream_each_cost_little_and_delay_neither_searches_nor_healthz() -> None:
    """A hundred, and a thousand in the full form, before a bridge in a process of its own."""
    found = readers.measure(readers.READERS if full() else readers.READERS // 10)
    print(found)
    assert found.holds, str(found)


def all_begun(clients: list[socket.socket]) -> bool:
    """Tell whether every client was sent the head of its answer, without taking it."""
    return all(client.recv(9, socket.MSG_PEEK) == b"HTTP/1.1 " for client in clients)


def test_f28_a_client_that_takes_nothing_is_cut() -> None:
    endless = Act(body=PRODUCT * 10)
    with faced(endless, settings=SILENCE) as (bridge, chaos, _), bridge.client():
        assert chaos.wait(asked=1, busy=1)
        assert chaos.wait(asked=1, busy=0)


def test_f28_more_requests_at_once_than_the_setting_says_are_503() -> None:
    stuck = Act(stop_after=1000, ending="stall")
    with faced(stuck, settings={"max_streams": 2}) as (bridge, chaos, _):
        with bridge.client(), bridge.client():
            assert chaos.wait(asked=2, busy=2)
            answer = bridge.ask()
            assert (answer.status, "retry-after" in answer.headers) == (503, True)
        assert within(PATIENCE, lambda: bridge.ask("HEAD").status == 200)


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: "])
def test_f29_a_head_that_does_not_end_in_time_ends_the_connection(sent: bytes) -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(sent)
        assert gone(client)


def test_f29_a_byte_now_and_then_makes_it_no_longer() -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        client.settimeout(0.1)
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE and not dripped(client):
            pass
        assert time.monotonic() - started < 3


def dripped(client: socket.socket) -> bool:
    """Send one more byte; tell whether the connection is gone."""
    try:
        client.sendall(b"x")
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    "head",
    [b"X-Large: " + b"x" * 70_000 + b"\r\n", b"".join(b"X-%d: 1\r\n" % number for number in range(101))],
    ids=["too large", "too many"],
)
def test_f29_a_giant_head_is_refused(head: bytes) -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n")
        assert client.recv(64).startswith(b"HTTP/1.1 400")


def test_f29_the_next_request_on_a_connection_is_bounded_too_and_good_ones_are_answered() -> None:
    good = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with served() as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        for _ in range(2):
            client.sendall(good)
            answer = client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            assert orjson.loads(answer.rpartition(b"\r\n\r\n")[2])["status"] == "ok"
        client.sendall(good[:20])
        assert gone(client)


def test_f31_no_url_of_a_client_is_ever_asked() -> None:
    with faced(Act()) as (bridge, chaos, _):
        for path in (
            "/assets/http://127.0.0.1:1/x",
            "/assets/one/c/i/a/http%3A%2F%2F127.0.0.1",
            "/assets//x/",
        ):
            assert bridge.ask(path=path).status == 404
        assert chaos.asked == []


def test_f42_without_room_parts_are_refused_before_they_are_promised_and_the_rest_goes_on(
    tmp_path: Path,
) -> None:
    settings = {"spool_folder": tmp_path, "spool_bytes": len(PRODUCT) - 1}
    with faced(Act(ignore_range=True), settings=settings, ranges=False) as (bridge, _, _):
        assert bridge.ask(headers={"Range": "bytes=10-"}).status == 503
        assert whole(bridge.ask())


def test_f42_a_disk_that_fills_up_on_the_way_never_makes_a_short_file(tmp_path: Path) -> None:
    settings = {"spool_folder": tmp_path, "spool_bytes": len(PRODUCT) // 2}
    act = Act(ignore_range=True, chunked=True)
    with faced(act, settings=settings, ranges=False) as (bridge, _, _), pytest.raises(CUT):
        bridge.ask()
