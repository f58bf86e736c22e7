import gzip
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.errors import (
    UpstreamError,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.model import Request
from stacbridge.settings import Settings
from stacbridge.wire.client import MAX_WAIT, Wire
from stacbridge.wire.hosts import Hosts
from stacbridge.wire.refusals import full_url
from tests.servers import Answer, Clock, Script, in_turn, serving

BEARER = {"Authorization": "Bearer canary-token", "X-API-Key": "canary-key", "Accept": "application/json"}


def wire(*trusted: str, known: tuple[str, ...] = (), clock: Clock | None = None, **settings: object) -> Wire:
    time = clock or Clock()
    configured = Settings.model_validate(settings)
    return Wire("cdse", configured, Hosts.listed(trusted, known), clock=time, sleep=time.sleep)


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_answer_comes_whole_with_lower_case_headers() -> None:
    with serving(in_turn(Answer(body=b'{"value":[]}', headers={"X-Trace": "7"}))) as server:
        reply = wire(server.url).send(Request("GET", f"{server.url}/Products"))
    assert (reply.status, reply.body, reply.headers["x-trace"]) == (200, b'{"value":[]}', "7")


def test_the_bridge_says_who_it_is_and_sends_no_credential_of_the_machine(tmp_path: object) -> None:
    with serving(in_turn(Answer())) as server:
        wire(server.url).send(Request("GET", server.url))
    headers = server.seen[0].headers
    assert headers["user-agent"].startswith("stacbridge/")
    assert "authorization" not in headers
    assert "cookie" not in headers


def test_cookies_are_not_kept() -> None:
    with serving(in_turn(Answer(headers={"Set-Cookie": "session=1; Path=/"}))) as server:
        line = wire(server.url)
        line.send(Request("GET", server.url))
        line.send(Request("GET", server.url))
    assert "cookie" not in server.seen[1].headers


def test_parameters_are_escaped_exactly_once() -> None:
    params = (
        ("$filter", "Name eq 'a''b%20&+=#ü' and x eq 'VV&VH'"),
        ("$top", "1"),
        ("$expand", "A"),
        ("$expand", "B"),
    )
    with serving(in_turn(Answer())) as server:
        wire(server.url).send(Request("GET", f"{server.url}/Products", params))
    assert tuple(parse_qsl(urlsplit(server.seen[0].path).query)) == params


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), max_size=4))
def test_any_parameters_survive_the_way_through_a_url(params: list[tuple[str, str]]) -> None:
    url = full_url(Request("GET", "https://a.eu/x?fixed=1", tuple(params)))
    assert parse_qsl(urlsplit(url).query, strict_parsing=True) == [("fixed", "1"), *params]


def test_connections_are_used_again() -> None:
    with serving(in_turn(Answer(body=b"x" * 200_000))) as server:
        line = wire(server.url)
        for _ in range(5):
            line.send(Request("GET", server.url))
    assert len(server.peers) == 1


def test_threads_share_a_wire() -> None:
    def echo(path: str) -> bytes:
        return line.send(Request("GET", f"{server.url}/{path}")).body

    with serving(lambda seen: Answer(body=seen.path.encode())) as server, ThreadPoolExecutor(8) as threads:
        line = wire(server.url)
        assert list(threads.map(echo, map(str, range(64)))) == [f"/{n}".encode() for n in range(64)]


SEARCH = Request("POST", "", body=b'{"limit": 1}', safe=True)


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


def test_a_compressed_answer_is_unpacked() -> None:
    packed = Answer(body=gzip.compress(b"[1]"), headers={"Content-Encoding": "gzip"})
    with serving(in_turn(packed)) as server:
        assert wire().send(Request("GET", server.url)).body == b"[1]"


def redirect(target: str, status: int = 301) -> Script:
    return in_turn(Answer(status, headers={"Location": target}))


def test_a_redirect_to_a_listed_server_keeps_the_credential() -> None:
    with serving(in_turn(Answer(body=b"ok"))) as far, serving(redirect(f"{far.url}/x?y=%2F")) as near:
        reply = wire(near.url, far.url).send(Request("GET", near.url, (("a", "1"),), BEARER))
    assert reply.body == b"ok"
    assert far.seen[0].path == "/x?y=%2F"
    assert far.seen[0].headers["authorization"] == "Bearer canary-token"


def test_a_redirect_to_another_known_server_takes_no_credential_along() -> None:
    with serving(in_turn(Answer(body=b"ok"))) as far, serving(redirect(far.url)) as near:
        wire(near.url, known=(far.url,)).send(Request("GET", near.url, headers=BEARER))
    assert far.seen[0].headers["accept"] == "application/json"
    assert "canary" not in str(far.seen[0].headers)


def test_a_redirect_to_an_unknown_server_is_refused() -> None:
    with serving(in_turn(Answer())) as far, serving(redirect(f"{far.url}/?sig=canary")) as near:
        with pytest.raises(UpstreamError) as caught:
            wire(near.url).send(Request("GET", near.url, headers=BEARER))
        assert far.seen == []
    assert "canary" not in str(caught.value.body())
    assert far.url in str(caught.value.answered)


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/", "file:///etc/passwd", "http://[", "https://a@b/"]
)
def test_a_redirect_to_nowhere_sensible_is_refused(target: str) -> None:
    with serving(redirect(target)) as near, pytest.raises(UpstreamError, match="redirects"):
        wire(near.url).send(Request("GET", near.url))


def test_a_redirect_keeps_the_method() -> None:
    with serving(in_turn(Answer())) as far, serving(redirect(far.url, 307)) as near:
        wire(near.url, far.url).send(Request("POST", near.url, headers=BEARER))
    assert far.seen[0].method == "POST"


def test_see_other_is_fetched_with_get() -> None:
    with serving(in_turn(Answer())) as far, serving(redirect(far.url, 303)) as near:
        wire(near.url, far.url).send(Request("POST", near.url, body=b"password=canary"))
    assert (far.seen[0].method, far.seen[0].body) == ("GET", b"")


def test_a_body_goes_only_to_the_server_it_was_meant_for() -> None:
    with serving(in_turn(Answer())) as far, serving(redirect(far.url)) as near:
        with pytest.raises(UpstreamError, match="may not go to"):
            wire(near.url, far.url).send(Request("POST", near.url, body=b"password=canary"))
        assert far.seen == []


def test_redirects_are_bounded() -> None:
    with serving(redirect("/again")) as server:
        with pytest.raises(UpstreamError, match="without end"):
            wire(server.url, max_redirects=3).send(Request("GET", server.url))
        assert len(server.seen) == 4


def test_no_secret_is_logged_or_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = Answer(503, b"you sent Bearer canary-token and password=canary-word")
    with serving(in_turn(echo)) as server:
        for request in (
            Request("GET", server.url, headers=BEARER),
            Request("POST", server.url, headers=BEARER, body=b"password=canary-word"),
        ):
            with pytest.raises(UpstreamUnavailable) as caught:
                wire(server.url, retries=1).send(request)
            if request.body:
                assert "canary" not in f"{caught.value!r} {caught.value} {caught.value.body()}"
    assert "canary-token" not in caplog.text
    assert "canary-key" not in caplog.text
