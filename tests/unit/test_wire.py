"""Requests reach an upstream as they were meant, and redirects lead no credential astray."""

import gzip
import logging
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.errors import UpstreamError, UpstreamUnavailable
from stacbridge.model import Request
from stacbridge.wire.refusals import full_url
from tests.servers import Answer, Script, in_turn, serving
from tests.unit.wires import wire

BEARER = {"Authorization": "Bearer canary-token", "X-API-Key": "canary-key", "Accept": "application/json"}


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
    url = full_url("https://a.eu/x?fixed=1", params)
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
