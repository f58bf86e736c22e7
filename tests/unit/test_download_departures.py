"""A client that goes away: its upstream connection and slot are free within two seconds, wherever it was."""

import gc
import socket
import struct

import pytest

from stacbridge.download.tap import LONG, Tap
from tests.unit.download_servers import Bridge, in_front_of, within
from tests.unit.scripted_upstream import Asked, Connection, Script, Upstream, tls

SECONDS = 2
PIECE = b"PK\x03\x04" + bytes(64 * 1024 - 4)


def before_headers(asked: Asked, connection: Connection) -> None:
    connection.stall()


def stalled_early(asked: Asked, connection: Connection) -> None:
    connection.answer(body=PIECE, Content_Length=str(2 * len(PIECE)))
    connection.stall()


def stalled_late(asked: Asked, connection: Connection) -> None:
    connection.answer(body=PIECE, Content_Length=str(1 << 40))
    connection.stall()


def stalled_between_chunks(asked: Asked, connection: Connection) -> None:
    connection.answer(
        body=b"%x\r\n%b\r\n" % (len(PIECE), PIECE), Content_Length="", Transfer_Encoding="chunked"
    )
    connection.stall()


def streaming(asked: Asked, connection: Connection) -> None:
    connection.answer(Content_Length=str(1 << 40))
    while True:
        connection.sock.sendall(PIECE)


def streaming_chunks(asked: Asked, connection: Connection) -> None:
    connection.answer(Content_Length="", Transfer_Encoding="chunked")
    while True:
        connection.sock.sendall(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))


PHASES = pytest.mark.parametrize(
    "script",
    [before_headers, stalled_early, stalled_late, stalled_between_chunks, streaming, streaming_chunks],
    ids=lambda script: script.__name__,
)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@PHASES
def test_the_upstream_connection_is_closed_when_the_client_goes(script: Script, secure: bool) -> None:
    server, client = tls() if secure else (None, None)
    with Upstream(script, server) as upstream, Bridge(in_front_of(upstream), client) as bridge:
        with bridge.client() as leaving:
            assert upstream.wait(asked=1, busy=1)
            if script is not before_headers:
                assert leaving.recv(64) != b""
        assert upstream.wait(asked=1, busy=0, seconds=SECONDS)


@PHASES
def test_the_slot_is_free_when_the_client_goes(script: Script) -> None:
    with Upstream(script) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.connections = 1
        with Bridge(catalogue) as bridge:
            with bridge.client():
                assert upstream.wait(asked=1, busy=1)
            with bridge.client():
                assert upstream.wait(asked=2, busy=1, seconds=SECONDS)


def test_one_who_leaves_the_line_is_forgotten_and_never_reaches_the_upstream() -> None:
    with Upstream(stalled_late) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.connections = 1
        with Bridge(catalogue, download_queue=1) as bridge:
            with bridge.client() as first:
                assert upstream.wait(asked=1, busy=1)
                with bridge.client():
                    assert within(SECONDS, lambda: bridge.ask().status == 503), "the line is full"
                assert within(SECONDS, lambda: waits(bridge)), "the place in line is free again"
                assert first.recv(64) != b""
            assert upstream.wait(asked=1, busy=0, seconds=SECONDS)
    assert len(upstream.asked) == 1


def waits(bridge: Bridge) -> bool:
    """Tell whether a request finds a place in line, rather than being refused."""
    with bridge.client() as sock:
        sock.settimeout(0.2)
        try:
            return sock.recv(64) == b""
        except TimeoutError:
            return True


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_what_a_connection_held_is_let_go_of_at_its_end_without_the_garbage_collector(secure: bool) -> None:
    server, client = tls() if secure else (None, None)
    with Upstream(streaming, server) as upstream, Bridge(in_front_of(upstream), client) as bridge:
        gc.collect()
        gc.disable()
        try:
            with bridge.client() as leaving:
                assert leaving.recv(64) != b""
                assert within(SECONDS, lambda: taps() == 1)
            assert within(SECONDS, lambda: taps() == 0)
        finally:
            gc.enable()


def taps() -> int:
    """Return how many connections that were taken over are still in memory."""
    return sum(isinstance(one, Tap) for one in gc.get_objects())


def test_a_client_that_resets_its_connection_is_gone_too() -> None:
    with Upstream(streaming) as upstream, Bridge(in_front_of(upstream)) as bridge:
        with bridge.client() as leaving:
            assert leaving.recv(64) != b""
            leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert upstream.wait(asked=1, busy=0, seconds=SECONDS)


def test_no_more_streams_reach_the_upstream_than_the_account_may_have() -> None:
    with Upstream(stalled_late) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.connections = 2
        with Bridge(catalogue) as bridge, bridge.client(), bridge.client(), bridge.client():
            assert upstream.wait(asked=2, busy=2)
            assert not upstream.wait(asked=3, busy=3, seconds=0.3)
        assert upstream.wait(asked=2, busy=0, seconds=SECONDS)


def test_many_departures_leave_nothing_behind() -> None:
    with Upstream(streaming) as upstream:
        catalogue = in_front_of(upstream)
        with Bridge(catalogue) as bridge:
            for count in range(1, 51):
                with bridge.client() as leaving:
                    assert leaving.recv(LONG) != b""
                assert upstream.wait(asked=count, busy=0, seconds=SECONDS)
