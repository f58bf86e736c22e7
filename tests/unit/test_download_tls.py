"""Downloads over TLS: whole or cut, nothing mixed up, nothing left behind."""

import hashlib
import http.client
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from stacbridge.download.tap import LONG, SPAN
from tests.unit.download_servers import PATIENCE, Bridge, in_front_of, within
from tests.unit.encrypted import BODY, breaking_off, digest, encrypted, first_of, whole
from tests.unit.scripted_upstream import Asked, Connection, Upstream, tls


@pytest.mark.parametrize("sent", [LONG, SPAN - 1, SPAN + 1, 2 * SPAN + 77777, len(BODY) - 1])
def test_a_body_that_breaks_off_goes_on_from_the_byte_that_is_next(sent: int) -> None:
    with encrypted(breaking_off(BODY, sent)) as (bridge, upstream):
        assert digest(bridge.ask().body) == digest(BODY)
        assert [first_of(asked) for asked in upstream.asked] == [0, sent]


def test_an_upstream_that_stalls_after_a_part_is_given_up() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=BODY[:LONG], Content_Length=str(len(BODY)))
        connection.stall()

    with (
        encrypted(script, download_idle_timeout=0.5) as (bridge, _),
        pytest.raises(http.client.IncompleteRead) as cut,
    ):
        bridge.ask()
    assert cut.value.partial == BODY[:LONG]


def test_the_account_is_told_of_every_byte_that_a_client_took_who_left() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=BODY[: 3 * LONG], Content_Length=str(len(BODY)))
        connection.stall()

    with encrypted(script) as (bridge, upstream):
        with bridge.client() as leaving, leaving.makefile("rb") as lines:
            while lines.readline().strip():
                pass
            assert lines.read(3 * LONG) == BODY[: 3 * LONG]
        assert upstream.wait(asked=1, busy=0)
        assert within(PATIENCE, lambda: bridge.status()["one"]["bytes_30_days"] == 3 * LONG)


def test_a_certificate_that_is_not_trusted_is_an_answer_that_says_so() -> None:
    server, _ = tls()
    with (
        Upstream(whole, server) as upstream,
        Bridge(in_front_of(upstream), ssl.create_default_context(), download_retries=0) as bridge,
    ):
        heard = bridge.ask()
        assert heard.status == 502
        assert b"a certificate that is not trusted (" in heard.body
        assert b"SSL_CERT_FILE" in heard.body
        assert upstream.asked == []


def test_a_certificate_for_another_name_is_refused() -> None:
    server, client = tls()
    with Upstream(whole, server) as upstream:
        place = in_front_of(upstream)
        upstream.url = upstream.url.replace("localhost", "127.0.0.1")
        with Bridge(in_front_of(upstream), client, download_retries=0) as bridge:
            heard = bridge.ask()
            assert heard.status == 502
            assert b"is not valid for '127.0.0.1'" in heard.body
        with Bridge(place, client) as bridge:
            assert digest(bridge.ask().body) == digest(BODY)


@contextmanager
def silent() -> Iterator[tuple[Upstream, threading.Event]]:
    """Run something that takes connections and never says a word; the event tells that one has ended."""
    with Upstream(whole) as upstream, socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def listen() -> None:
            taken, _ = listener.accept()
            with taken:
                taken.settimeout(PATIENCE)
                while taken.recv(65536):
                    pass
                ended.set()

        thread = threading.Thread(target=listen)
        thread.start()
        upstream.url = f"https://localhost:{listener.getsockname()[1]}"
        yield upstream, ended
        thread.join(PATIENCE)


def test_a_handshake_that_is_not_answered_is_given_up_in_time() -> None:
    with (
        silent() as (upstream, ended),
        Bridge(in_front_of(upstream), connect_timeout=0.3, download_retries=0) as bridge,
    ):
        assert bridge.ask().status == 504
        assert ended.wait(PATIENCE)


def test_a_client_that_leaves_during_a_handshake_frees_the_connection() -> None:
    with silent() as (upstream, ended), Bridge(in_front_of(upstream)) as bridge:
        with bridge.client():
            assert not ended.wait(0.3)
        assert ended.wait(2)


def test_a_client_that_leaves_frees_the_connection() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=BODY[: 2 * LONG], Content_Length=str(len(BODY)))
        connection.stall()

    with encrypted(script) as (bridge, upstream):
        with bridge.client() as leaving:
            assert leaving.recv(64) != b""
        assert upstream.wait(asked=1, busy=0, seconds=2)


def test_what_slow_and_quick_clients_read_at_once_is_not_mixed_up() -> None:
    """Pieces of all streams pass through the same few buffers, and what a client does not take is kept."""
    bodies = [b"PK\x03\x04" + os.urandom(4 * SPAN) for _ in range(6)]
    following = iter(bodies)

    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=next(following))

    server, client = tls()
    with Upstream(script, server) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.connections = len(bodies)
        with Bridge(catalogue, client) as bridge, ThreadPoolExecutor(len(bodies)) as threads:
            heard = set(threads.map(lambda step: slowly(bridge, step), [1 << 12, 1 << 14, 1 << 16] * 2))
    assert heard == {digest(body) for body in bodies}


def slowly(bridge: Bridge, step: int) -> str:
    """Read a file in steps with little room between; return its digest."""
    with bridge.client() as taking:
        taking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * step)
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += taking.recv(step)
        body = heard.partition(b"\r\n\r\n")[2]
        read, left = hashlib.sha256(body), 4 * SPAN + 4 - len(body)
        while left and (piece := taking.recv(min(step, left))):
            read.update(piece)
            left -= len(piece)
        return read.hexdigest()


def test_no_descriptor_is_left_behind() -> None:
    with encrypted(whole) as (bridge, upstream):
        bridge.ask()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(4):
            bridge.ask()
            with bridge.client() as leaving:
                assert leaving.recv(64) != b""
        assert upstream.wait(asked=9, busy=0)
        assert within(PATIENCE, lambda: len(os.listdir("/proc/self/fd")) <= before + 2)
