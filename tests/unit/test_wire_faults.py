"""Upstreams that are busy, gone, silent or say too much: asked again within bounds, or named in an error."""

import gzip
import socket
import threading
from dataclasses import replace

import pytest

from stacbridge.errors import (
    UpstreamError,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.model import Request
from stacbridge.wire.client import MAX_WAIT
from tests.servers import Answer, Clock, in_turn, serving
from tests.unit.wires import wire

SEARCH = Request("POST", "", body=b'{"limit": 1}', safe=True)


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("request_", [Request("GET", ""), SEARCH], ids=["get", "search by post"])
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_upstream_is_asked_again_with_doubled_pauses(status: int, request_: Request) -> None:
    clock = Clock()
    with serving(in_turn(Answer(status), Answer(status), Answer(body=b"ok"))) as server:
        assert wire(clock=clock).send(replace(request_, url=server.url)).body == b"ok"
    assert clock.slept == [1, 2]
    assert [seen.body for seen in server.seen] == [request_.body or b""] * 3


def test_a_search_by_post_waits_as_long_as_the_upstream_says_within_the_bound() -> None:
    clock = Clock()
    with serving(in_turn(Answer(503, headers={"Retry-After": "9"}), Answer(body=b"ok"))) as server:
        assert wire(clock=clock).send(replace(SEARCH, url=server.url)).body == b"ok"
    assert clock.slept == [9]
    with serving(in_turn(Answer(503, headers={"Retry-After": "31"}))) as server:
        with pytest.raises(UpstreamUnavailable) as caught:
            wire(clock=clock).send(replace(SEARCH, url=server.url))
        assert len(server.seen) == 1
    assert (caught.value.retry_after, clock.slept) == (31, [9])


def test_a_lost_connection_is_tried_again() -> None:
    with serving(in_turn(None, Answer(body=b"ok"))) as server:
        assert wire().send(Request("GET", server.url)).body == b"ok"


def test_retry_after_sets_the_pause() -> None:
    clock = Clock()
    with serving(in_turn(Answer(429, headers={"Retry-After": "7"}), Answer())) as server:
        wire(clock=clock).send(Request("GET", server.url))
    assert clock.slept == [7]


def test_an_upstream_that_wants_a_long_pause_is_not_asked_again() -> None:
    clock = Clock()
    with serving(in_turn(Answer(503, headers={"Retry-After": "3600"}))) as server:
        with pytest.raises(UpstreamUnavailable) as caught:
            wire(clock=clock).send(Request("GET", server.url))
        assert len(server.seen) == 1
    assert (caught.value.retry_after, clock.slept) == (3600, [])


def test_pauses_never_exceed_their_bound() -> None:
    clock = Clock()
    with serving(in_turn(Answer(503))) as server, pytest.raises(UpstreamUnavailable):
        wire(clock=clock, retries=7, retry_wait=9, read_timeout=1000).send(Request("GET", server.url))
    assert clock.slept == [9, 18, MAX_WAIT, MAX_WAIT, MAX_WAIT, MAX_WAIT, MAX_WAIT]


def test_a_post_that_may_change_something_is_sent_once() -> None:
    with serving(in_turn(Answer(503))) as server:
        with pytest.raises(UpstreamUnavailable):
            wire().exchange(Request("POST", server.url, body=b"a=1"))
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UpstreamRejected),
        (401, UpstreamRefused),
        (404, UpstreamRejected),
        (422, UpstreamRejected),
        (429, UpstreamUnavailable),
        (500, UpstreamError),
        (503, UpstreamUnavailable),
        (504, UpstreamTimeout),
    ],
)
def test_a_refusal_says_who_what_and_why(status: int, kind: type[UpstreamError]) -> None:
    body = b'{"detail":{"message":"Invalid value","request_id":"7"}}'
    with serving(in_turn(Answer(status, body))) as server, pytest.raises(UpstreamError) as caught:
        wire(retries=0).send(Request("GET", f"{server.url}/Products", (("$top", "1"),)))
    assert type(caught.value) is kind
    assert caught.value.upstream == "cdse"
    assert caught.value.asked == f"GET {server.url}/Products?$top=1"
    assert caught.value.answered == f"HTTP {status}: Invalid value"


def test_exchange_returns_refusals_that_a_conversation_can_read() -> None:
    with serving(in_turn(Answer(400, b'{"error":"invalid_grant"}'))) as server:
        assert wire().exchange(Request("POST", server.url, body=b"a=1")).status == 400


def test_an_unreachable_upstream_is_unavailable_in_the_systems_own_words() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        wire(retries=0).send(Request("GET", f"http://127.0.0.1:{refused_port()}/"))
    assert "Connection refused" in str(caught.value.answered)


def test_a_silent_upstream_is_a_timeout_and_not_asked_again() -> None:
    hold = threading.Event()
    with serving(in_turn(Answer(body=b"late", hold=hold))) as server:
        with pytest.raises(UpstreamTimeout):
            wire(read_timeout=0.05).send(Request("GET", server.url))
        hold.set()
        assert len(server.seen) == 1


def test_a_dripping_answer_ends_at_the_deadline() -> None:
    """The clock runs past the deadline while the body is read, as it does when bytes come one by one."""
    clock = Clock()

    def late(seen: object) -> Answer:
        clock.now += 1000
        return Answer(body=b"x" * 10)

    with serving(late) as server, pytest.raises(UpstreamTimeout):
        wire(clock=clock).send(Request("GET", server.url))


def test_an_answer_cut_short_is_a_lost_connection() -> None:
    with serving(in_turn(Answer(body=b"half", length=8))) as server, pytest.raises(UpstreamUnavailable):
        wire(retries=0).send(Request("GET", server.url))


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_beyond_the_limit_is_refused_and_never_held_whole(compressed: bool) -> None:
    body = b"0" * 50_000_000
    answer = (
        Answer(body=gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})
        if compressed
        else Answer(body=body)
    )
    with serving(in_turn(answer)) as server, pytest.raises(UpstreamError, match="more than 1000 bytes"):
        wire(max_reply_bytes=1000).send(Request("GET", server.url))
