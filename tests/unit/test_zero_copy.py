"""Bodies that pass through a pipe of the kernel: the server keeps its count, and connections stay usable."""

import hashlib
import http.client
import os
from pathlib import Path

import pytest

from stacbridge.download.duct import PIECE
from stacbridge.download.tap import LONG
from tests.unit.download_servers import PATH, PATIENCE, Bridge, in_front_of, within
from tests.unit.encrypted import breaking_off
from tests.unit.scripted_upstream import Asked, Connection, Upstream, bridged

BODY = b"PK\x03\x04" + os.urandom(8 * LONG)


def whole(asked: Asked, connection: Connection) -> None:
    connection.answer(body=BODY)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_a_connection_serves_one_long_body_after_another() -> None:
    """uvicorn counts what a body must still have; were it told wrongly, it would end the connection."""
    with bridged(whole) as (bridge, _):
        client = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=PATIENCE)
        ports = set()
        for _ in range(3):
            client.request("GET", PATH)
            ports.add(client.sock.getsockname())
            assert digest(client.getresponse().read()) == digest(BODY)
        client.close()
    assert len(ports) == 1


def test_requests_sent_ahead_are_answered_in_turn() -> None:
    request = f"GET {PATH} HTTP/1.1\r\nHost: bridge\r\n".encode()
    with bridged(whole) as (bridge, _), bridge.client() as sock, sock.makefile("rb") as lines:
        sock.sendall(request + b"\r\n" + request + b"Connection: close\r\n\r\n")
        for _ in range(3):
            while lines.readline().strip():
                pass
            assert digest(lines.read(len(BODY))) == digest(BODY)
        assert lines.read() == b""


@pytest.mark.parametrize("sent", [PIECE + 1, 3 * LONG, len(BODY) - 1])
def test_a_body_that_breaks_off_goes_on_from_the_byte_that_is_next(sent: int) -> None:
    with bridged(breaking_off(BODY, sent)) as (bridge, upstream):
        assert digest(bridge.ask().body) == digest(BODY)
        assert [asked.headers.get("range") for asked in upstream.asked] == [
            None,
            f"bytes={sent}-{len(BODY) - 1}",
        ]


def test_a_body_that_began_in_chunks_goes_on_in_chunks() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        version = {"ETag": '"1"'}
        if "range" in asked.headers:
            first = int(asked.headers["range"].removeprefix("bytes=").removesuffix("-"))
            part = {"Content_Range": f"bytes {first}-{len(BODY) - 1}/{len(BODY)}"}
            connection.answer("206 Partial Content", BODY[first:], **version, **part)
        else:
            chunk = b"%x\r\n%b\r\n" % (LONG, BODY[:LONG])
            connection.answer(body=chunk, Content_Length="", Transfer_Encoding="chunked", **version)
            connection.close()

    with bridged(script) as (bridge, upstream):
        heard = bridge.ask()
        assert digest(heard.body) == digest(BODY)
        assert "content-length" not in heard.headers
        assert len(upstream.asked) == 2


def test_a_body_that_breaks_off_for_good_is_cut() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=BODY[: 4 * LONG], Content_Length=str(len(BODY)))
        connection.close()

    with bridged(script) as (bridge, _), pytest.raises(http.client.IncompleteRead):
        bridge.ask()


def test_an_upstream_that_stalls_is_given_up() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=BODY[: 4 * LONG], Content_Length=str(len(BODY)))
        connection.stall()

    with (
        Upstream(script) as upstream,
        Bridge(in_front_of(upstream), download_idle_timeout=0.5) as bridge,
        pytest.raises(http.client.IncompleteRead),
    ):
        bridge.ask()


def test_no_descriptor_is_left_behind() -> None:
    with bridged(whole) as (bridge, upstream):
        bridge.ask()
        assert upstream.wait(asked=1, busy=0)
        before = len(descriptors())
        for _ in range(5):
            bridge.ask()
            with bridge.client() as leaving:
                assert leaving.recv(64) != b""
        assert upstream.wait(asked=11, busy=0)
        assert within(PATIENCE, lambda: len(descriptors()) <= before), descriptors()


def descriptors() -> list[str]:
    """Return what the process has open."""
    return sorted(str(path.resolve()) for path in Path("/proc/self/fd").iterdir())
