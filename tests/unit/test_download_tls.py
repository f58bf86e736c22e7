"""Downloads over TLS: whole or cut, connections and handshakes used again, nothing mixed up."""

import asyncio
import hashlib
import http.client
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp
import pytest

from stacbridge.download.connector import Connector, roomy
from stacbridge.download.origin import WAITING, Origin
from stacbridge.download.tap import LONG, SPAN
from stacbridge.download.tls import TlsTransport
from tests.unit.download_servers import (
    PATIENCE,
    Asked,
    Bridge,
    Connection,
    Script,
    Upstream,
    in_front_of,
    tls,
    within,
)

BODY = b"PK\x03\x04" + os.urandom(3 * SPAN + 12345)


@contextmanager
def encrypted(script: Script, **settings: Any) -> Iterator[tuple[Bridge, Upstream]]:
    """Run an upstream over TLS that follows `script`, and a bridge in front of it that trusts it."""
    server, client = tls()
    with Upstream(script, server) as upstream, Bridge(in_front_of(upstream), client, **settings) as bridge:
        yield bridge, upstream


def whole(asked: Asked, connection: Connection) -> None:
    connection.answer(body=BODY)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def first_of(asked: Asked) -> int:
    """Return the first byte that is asked for."""
    return int(asked.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")[0])


def farewell(connection: Connection) -> None:
    """End the connection as TLS wants it."""
    assert isinstance(connection.sock, ssl.SSLSocket)
    connection.open = False
    with suppress(OSError):
        connection.sock.unwrap()


def test_long_bodies_come_one_after_another_over_one_connection() -> None:
    with encrypted(whole) as (bridge, upstream):
        assert {digest(bridge.ask().body) for _ in range(3)} == {digest(BODY)}
        assert len(upstream.asked) == 3
        assert len(upstream.sockets) == 1


def test_connections_are_made_with_the_transport_of_the_package() -> None:
    """aiohttp has no documented place for it, so that a new version could leave it out silently."""

    async def transport_of(url: str, context: ssl.SSLContext) -> asyncio.Transport | None:
        async with (
            aiohttp.ClientSession(connector=Connector(context, 0)) as session,
            session.get(url) as answer,
        ):
            assert answer.connection is not None
            return answer.connection.transport

    server, client = tls()
    with Upstream(whole, server) as upstream:
        assert isinstance(asyncio.run(transport_of(upstream.url, client)), TlsTransport)


@pytest.mark.parametrize("header", [{"Connection": "close"}, {"Connection": "Keep-Alive, Close"}])
def test_a_connection_that_the_upstream_closes_is_not_used_again(header: dict[str, str]) -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=BODY, **header)

    with encrypted(script) as (bridge, upstream):
        for _ in range(2):
            assert digest(bridge.ask().body) == digest(BODY)
        assert len(upstream.sockets) == 2


def test_a_connection_that_ended_while_it_waited_is_not_used_again() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=BODY)
        farewell(connection)

    with encrypted(script) as (bridge, upstream):
        for count in range(1, 4):
            assert digest(bridge.ask().body) == digest(BODY)
            assert upstream.wait(asked=count, busy=0)
        assert len(upstream.sockets) == 3


def test_a_connection_on_which_more_comes_than_was_asked_for_is_not_used_again() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=BODY)
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")

    with encrypted(script, download_retries=0) as (bridge, upstream):
        for _ in range(2):
            with suppress(http.client.IncompleteRead):
                assert digest(bridge.ask().body) == digest(BODY)
        assert len(upstream.sockets) == 2


def test_a_handshake_goes_on_from_an_earlier_one() -> None:
    resumed = []

    def script(asked: Asked, connection: Connection) -> None:
        assert isinstance(connection.sock, ssl.SSLSocket)
        resumed.append(connection.sock.session_reused)
        connection.answer(body=BODY, Connection="close")

    with encrypted(script) as (bridge, _):
        for _ in range(3):
            assert digest(bridge.ask().body) == digest(BODY)
    assert resumed == [False, True, True]


@pytest.mark.parametrize("sent", [LONG, SPAN - 1, SPAN + 1, 2 * SPAN + 77777, len(BODY) - 1])
def test_a_body_that_breaks_off_goes_on_from_the_byte_that_is_next(sent: int) -> None:
    def script(asked: Asked, connection: Connection) -> None:
        first = first_of(asked)
        version = {"ETag": '"1"', "Content_Length": str(len(BODY) - first)}
        if first:
            part = {"Content_Range": f"bytes {first}-{len(BODY) - 1}/{len(BODY)}"}
            connection.answer("206 Partial Content", BODY[first:], **version, **part)
        else:
            connection.answer(body=BODY[:sent], **version)
            connection.close()

    with encrypted(script) as (bridge, upstream):
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


@pytest.mark.parametrize("wire", ["tls", "plain"])
def test_the_kernel_holds_no_more_of_a_download_than_the_setting_says(wire: str) -> None:
    """What it holds was taken from the account's quota, and is for nothing where the client leaves."""
    sent = []

    def script(asked: Asked, connection: Connection) -> None:
        connection.sock.settimeout(0.5)
        connection.answer(Content_Length=str(1 << 30))
        connection.sock.sendall(b"PK\x03\x04")
        with suppress(TimeoutError):
            while True:
                sent.append(connection.sock.send(bytes(SPAN // 16)))
        connection.open = False

    server, client = tls() if wire == "tls" else (None, None)
    with (
        Upstream(script, server) as upstream,
        Bridge(in_front_of(upstream), client, receive_buffer=1 << 16, download_retries=0) as bridge,
        bridge.client() as stopping,
    ):
        assert stopping.recv(64) != b""
        assert upstream.wait(asked=1, busy=0)
    assert sum(sent) < 16 * SPAN


def test_a_bound_that_the_kernel_does_not_allow_is_left_to_the_kernel() -> None:
    with socket.socket() as common, roomy(1 << 62, (socket.AF_INET, socket.SOCK_STREAM, 0)) as made:
        bounds = [each.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for each in (common, made)]
    assert bounds[0] == bounds[1]


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
        assert within(PATIENCE, lambda: bridge.proxy.status()["one"]["bytes_30_days"] == 3 * LONG)


class Line(asyncio.Transport):
    """A connection that can be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


def test_the_connection_that_was_left_last_is_taken_first_and_none_that_is_closed() -> None:
    async def look() -> None:
        origin, lines = Origin(), [Line() for _ in range(WAITING + 1)]
        for line in lines:
            origin.park(line)
        assert [line.closed for line in lines] == [False] * WAITING + [True]
        lines[WAITING - 1].close()
        assert origin.take() is lines[WAITING - 2]
        origin.close()
        assert origin.take() is None
        assert lines[0].closed

    asyncio.run(look())
