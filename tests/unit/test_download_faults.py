"""An upstream that fails after the first byte: the client must see it, whatever the fault."""

import hashlib
import http.client
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from stacbridge.download.signatures import ENOUGH
from stacbridge.download.tap import LONG
from tests.unit.download_servers import PATIENCE, Bridge, in_front_of
from tests.unit.scripted_upstream import Asked, Connection, Script, Upstream, bridged, tls

SHORT_BODY = b"PK\x03\x04" + bytes(range(256)) * 256
LONG_BODY = b"PK\x03\x04" + bytes(range(251)) * (3 * LONG // 251)
BODIES = pytest.mark.parametrize("body", [SHORT_BODY, LONG_BODY], ids=["short", "long"])

Fault = Callable[[Connection, bytes], None]


def cut(connection: Connection, body: bytes) -> None:
    connection.answer(body=body[: len(body) // 2], Content_Length=str(len(body)))
    connection.close()


def reset(connection: Connection, body: bytes) -> None:
    connection.answer(body=body[: len(body) // 2], Content_Length=str(len(body)))
    connection.reset()


def stall(connection: Connection, body: bytes) -> None:
    connection.answer(body=body[: len(body) // 2], Content_Length=str(len(body)))
    connection.stall()


def cut_between_chunks(connection: Connection, body: bytes) -> None:
    connection.answer(
        body=b"%x\r\n%b\r\n" % (len(body), body), Content_Length="", Transfer_Encoding="chunked"
    )
    connection.close()


def cut_in_a_chunk(connection: Connection, body: bytes) -> None:
    connection.answer(
        body=b"%x\r\n%b" % (2 * len(body), body), Content_Length="", Transfer_Encoding="chunked"
    )
    connection.close()


@BODIES
@pytest.mark.parametrize("fault", [cut, reset, stall, cut_between_chunks, cut_in_a_chunk])
def test_a_body_that_breaks_off_never_ends_cleanly(fault: Fault, body: bytes) -> None:
    settings = {"download_idle_timeout": 0.5}
    with bridged(lambda asked, connection: fault(connection, body), settings=settings) as (bridge, upstream):
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            bridge.ask()
        assert upstream.wait(asked=1, busy=0, seconds=2)


def looks_complete(bridge: Bridge) -> bool:
    """Ask for the file, and tell whether the client takes what it gets for it."""
    try:
        return bridge.ask().status == 200
    except (http.client.IncompleteRead, ConnectionError):
        return False


@contextmanager
def heard(name: str, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Capture what a logger says, even where a server's configuration keeps it from the root."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    try:
        with caplog.at_level(logging.WARNING, name):
            yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(caplog.handler)


@pytest.mark.parametrize("sent", [SHORT_BODY[:-1], SHORT_BODY + b"x"], ids=["too short", "too long"])
def test_chunks_that_are_not_as_many_bytes_as_the_catalogue_states_never_end_cleanly(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=chunked(sent), Content_Length="", Transfer_Encoding="chunked")

    with (
        heard("uvicorn.error", caplog),
        bridged(script, size=len(SHORT_BODY)) as (bridge, _),
    ):
        assert not looks_complete(bridge)
    assert "The upstream sent a body of the wrong length" in caplog.text


def test_more_bytes_than_the_upstream_announced_never_end_cleanly() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=LONG_BODY + b"x" * 70000, Content_Length=str(len(LONG_BODY)))

    with (
        bridged(script) as (bridge, _),
        pytest.raises((http.client.IncompleteRead, ConnectionError)),
    ):
        bridge.ask()


@BODIES
def test_chunks_arrive_whole(body: bytes) -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=chunked(body), Content_Length="", Transfer_Encoding="chunked")

    with bridged(script) as (bridge, _):
        assert digest(bridge.ask().body) == digest(body)


def chunked(body: bytes) -> bytes:
    pieces = [body[start : start + 50_000] for start in range(0, len(body), 50_000)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def in_pieces(size: int) -> Script:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(Content_Length=str(len(LONG_BODY)))
        for start in range(0, len(LONG_BODY), size):
            connection.sock.sendall(LONG_BODY[start : start + size])

    return script


WAYS = pytest.mark.parametrize("way", ["piped", "read", "tls"])
"""How a long body goes through the bridge: through a pipe of the kernel, or read, plain or over TLS."""


@WAYS
@pytest.mark.parametrize("size", [1_000, 16_384, 1_000_000, len(LONG_BODY)])
def test_a_long_body_arrives_whole_however_it_is_cut_up(size: int, way: str) -> None:
    server, client = tls() if way == "tls" else (None, None)
    with (
        Upstream(in_pieces(size), server) as upstream,
        Bridge(in_front_of(upstream), client, zero_copy=way == "piped") as bridge,
    ):
        for _ in range(2):
            assert digest(bridge.ask().body) == digest(LONG_BODY)


@WAYS
def test_a_long_body_that_starts_late_arrives_whole(way: str) -> None:
    started = threading.Event()

    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(Content_Length=str(len(LONG_BODY)), body=LONG_BODY[:ENOUGH])
        started.wait(PATIENCE)
        connection.sock.sendall(LONG_BODY[ENOUGH:])

    server, client = tls() if way == "tls" else (None, None)
    with (
        Upstream(script, server) as upstream,
        Bridge(in_front_of(upstream), client, zero_copy=way == "piped") as bridge,
        bridge.client() as sock,
        sock.makefile("rb") as lines,
    ):
        while lines.readline().strip():
            pass
        started.set()
        assert digest(lines.read(len(LONG_BODY))) == digest(LONG_BODY)


def test_a_body_that_comes_slowly_but_steadily_is_not_cut() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(Content_Length="20")
        for _ in range(20):
            threading.Event().wait(0.05)
            connection.sock.sendall(b"x")

    settings = {"download_idle_timeout": 0.6, "download_min_rate": 1}
    with bridged(script, settings=settings, media_type="text/plain") as (bridge, _):
        assert bridge.ask().body == b"x" * 20


def test_the_connection_of_a_short_body_is_used_again() -> None:
    ports = []

    def script(asked: Asked, connection: Connection) -> None:
        ports.append(connection.sock.getpeername())
        connection.answer(body=SHORT_BODY)

    with bridged(script) as (bridge, _):
        for _ in range(3):
            assert bridge.ask().body == SHORT_BODY
    assert len(set(ports)) == 1


@WAYS
def test_a_client_that_takes_nothing_is_cut_and_gives_its_slot_back(way: str) -> None:
    def endless(asked: Asked, connection: Connection) -> None:
        connection.answer(Content_Length=str(1 << 40))
        while True:
            connection.sock.sendall(LONG_BODY)

    server, client = tls() if way == "tls" else (None, None)
    with (
        Upstream(endless, server) as upstream,
        Bridge(in_front_of(upstream), client, zero_copy=way == "piped", download_idle_timeout=0.5) as bridge,
        bridge.client(),
    ):
        assert upstream.wait(asked=1, busy=1)
        assert upstream.wait(asked=1, busy=0)
