"""Connections to upstreams: used again where they can be, with handshakes that are shorter, and bounds."""

import asyncio
import http.client
import socket
import ssl
from contextlib import suppress

import aiohttp
import pytest

from stacbridge.download.connector import Connector, roomy
from stacbridge.download.origin import WAITING, Origin
from stacbridge.download.tap import SPAN
from stacbridge.download.tls import TlsTransport
from tests.unit.download_servers import Bridge, in_front_of
from tests.unit.encrypted import BODY, digest, encrypted, whole
from tests.unit.scripted_upstream import Asked, Connection, Upstream, tls


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
