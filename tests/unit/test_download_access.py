"""Credentials, redirects and refusals before the first byte."""

import logging
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import orjson
import pytest

from stacbridge.model import Ready, Request
from tests.unit.download_servers import FILE, TOKEN, Bridge, in_front_of
from tests.unit.scripted_upstream import Asked, Connection, Script, Upstream, bridged, tls

ZIP = b"PK\x03\x04" * 1000


def give(asked: Asked, connection: Connection) -> None:
    connection.answer(body=b"" if asked.method == "HEAD" else ZIP, Content_Length=str(len(ZIP)))


def only_for(token: str) -> Script:
    def script(asked: Asked, connection: Connection) -> None:
        if asked.headers.get("authorization") == f"Bearer {token}":
            give(asked, connection)
        else:
            refused = asked.headers.get("authorization", "").removeprefix("Bearer ")
            connection.answer(
                "401 Unauthorized", orjson.dumps({"code": "DAT-ZIP-609", "message": f"{refused} expired"})
            )

    return script


def to(target: Callable[[], str], status: str = "301 Moved Permanently") -> Script:
    return lambda asked, connection: connection.answer(status, Location=target())


def test_a_refused_token_is_renewed_once_and_the_download_goes_on() -> None:
    with Upstream(only_for("fresh")) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.tokens = ["stale", "fresh"]
        with Bridge(catalogue) as bridge:
            answer = bridge.ask()
    assert (answer.status, answer.body) == (200, ZIP)
    assert (catalogue.renewals, len(upstream.asked)) == (1, 2)


def test_a_token_refused_again_is_502_and_no_login_of_the_clients_to_lose() -> None:
    with Upstream(only_for("another")) as upstream:
        catalogue = in_front_of(upstream)
        with Bridge(catalogue) as bridge:
            answer = bridge.ask()
    told = orjson.loads(answer.body)
    assert (answer.status, told["code"], told["upstream"]) == (502, "UpstreamRefused", "one")
    assert (catalogue.renewals, len(upstream.asked)) == (1, 2)
    assert told["answered"] == "HTTP 401: DAT-ZIP-609 *** expired"
    assert told["asked"] == f"GET {upstream.url}/Products(1)/$value"


def test_a_token_is_renewed_once_for_a_download_however_many_hosts_refuse_it() -> None:
    def first(asked: Asked, connection: Connection) -> None:
        stale = asked.headers["authorization"] == "Bearer stale"
        connection.answer("401 Unauthorized" if stale else "302 Found", Location=f"{store.url}/x")

    with Upstream(only_for("another")) as store, Upstream(first) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.tokens = ["stale", "fresh", "fresher"]
        catalogue.trusted.add(urlsplit(store.url).netloc)
        with Bridge(catalogue) as bridge:
            assert bridge.ask().status == 502
    assert (catalogue.renewals, len(store.asked)) == (1, 1)


def test_no_token_is_asked_for_where_none_was_given() -> None:
    with Upstream(only_for("another")) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.trusted = set()
        with Bridge(catalogue) as bridge:
            assert bridge.ask().status == 502
    assert (catalogue.renewals, len(upstream.asked)) == (0, 1)
    assert "authorization" not in upstream.asked[0].headers


def test_a_redirect_to_a_listed_host_is_followed_with_the_credentials() -> None:
    with Upstream(only_for(TOKEN)) as store, Upstream(to(lambda: f"{store.url}/a(b)/$value")) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.trusted.add(urlsplit(store.url).netloc)
        with Bridge(catalogue) as bridge:
            answer = bridge.ask(headers={"Range": "bytes=0-"})
    assert (answer.status, answer.body) == (200, ZIP)
    assert store.asked[0].path == "/a(b)/$value"
    assert store.asked[0].headers["range"] == "bytes=0-"


def test_a_redirect_to_another_host_is_followed_without_them() -> None:
    with Upstream(give) as store, Upstream(to(lambda: f"{store.url}/x?sig=a%2Fb#part", "307 To")) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.foreign.add(urlsplit(store.url).netloc)
        with Bridge(catalogue) as bridge:
            assert bridge.ask().body == ZIP
    assert store.asked[0].path == "/x?sig=a%2Fb"
    assert "authorization" not in store.asked[0].headers


def test_a_relative_redirect_is_followed_on_the_same_host() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        if asked.path == "/zipper/b":
            give(asked, connection)
        else:
            connection.answer("302 Found", Location="/zipper/b")

    with bridged(script) as (bridge, upstream):
        assert bridge.ask("HEAD").status == 200
    assert [asked.method for asked in upstream.asked] == ["HEAD", "HEAD"]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "",
        "http://[",
        "http://127.0.0.1:99999/",
        "http://a:b@127.0.0.1/",
    ],
)
def test_a_redirect_to_nowhere_safe_is_502_and_not_followed(location: str) -> None:
    with bridged(to(lambda: location)) as (bridge, upstream):
        answer = bridge.ask()
    assert (answer.status, orjson.loads(answer.body)["code"]) == (502, "UpstreamError")
    assert len(upstream.asked) == 1


def test_redirects_in_a_circle_end() -> None:
    with bridged(to(lambda: "/again"), settings={"max_redirects": 3}) as (bridge, upstream):
        answer = bridge.ask()
    assert (answer.status, len(upstream.asked)) == (502, 4)
    assert "more than 3 times" in orjson.loads(answer.body)["description"]


def test_a_redirect_from_tls_to_plain_http_is_refused() -> None:
    server, client = tls()
    with Upstream(give) as plain, Upstream(to(lambda: f"{plain.url}/x"), server) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.foreign.add(urlsplit(plain.url).netloc)
        with Bridge(catalogue, client) as bridge:
            answer = bridge.ask()
    assert (answer.status, plain.asked) == (502, [])


@pytest.mark.parametrize(
    "status, ours, code, retry_after",
    [
        ("202 Accepted", 503, "NotStaged", "30"),
        ("204 No Content", 502, "UpstreamError", None),
        ("400 Bad Request", 502, "UpstreamError", None),
        ("403 Forbidden", 403, "Forbidden", None),
        ("404 Not Found", 404, "NotFound", None),
        ("410 Gone", 404, "NotFound", None),
        ("429 Too Many Requests", 503, "UpstreamUnavailable", "30"),
        ("500 Internal Server Error", 502, "UpstreamError", None),
        ("503 Service Unavailable", 503, "UpstreamUnavailable", "30"),
        ("504 Gateway Timeout", 504, "UpstreamTimeout", None),
    ],
)
def test_a_refusal_becomes_the_failure_that_it_means(
    status: str, ours: int, code: str, retry_after: str | None
) -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(status, b"" if status.startswith("204") else b'{"detail": {"message": "why"}}')

    with bridged(script) as (bridge, _):
        answer = bridge.ask()
    told = orjson.loads(answer.body)
    assert (answer.status, told["code"], answer.headers.get("retry-after")) == (ours, code, retry_after)
    assert told["answered"].startswith(f"HTTP {status[:3]}: ")


def test_the_upstreams_retry_after_is_passed_on() -> None:
    def busy(asked: Asked, connection: Connection) -> None:
        connection.answer("429 Too Many Requests", Retry_After="7")

    with bridged(busy) as (bridge, _):
        assert bridge.ask().headers["retry-after"] == "7"


@pytest.mark.parametrize(
    "headers, body",
    [
        ({"Content_Type": "text/html; charset=utf-8"}, b"<html>Log in</html>"),
        ({"Content_Type": "application/json"}, b'{"detail": "no"}'),
        ({"Content_Type": "application/problem+json"}, b"{}"),
        ({"Content_Encoding": "gzip"}, b"\x1f\x8b"),
        ({}, b""),
        ({"Content_Length": "", "Connection": "close"}, ZIP),
    ],
    ids=["html", "json", "problem", "gzip", "empty", "endless"],
)
def test_a_success_without_the_file_is_502_and_none_of_it_is_passed_on(
    headers: dict[str, str], body: bytes
) -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer(body=body, **headers)
        connection.close()

    with bridged(script) as (bridge, _):
        answer = bridge.ask()
    assert (answer.status, orjson.loads(answer.body)["code"]) == (502, "UpstreamError")


@pytest.mark.parametrize(
    "content_range", ["bytes 1-15/100", "bytes 0-14/100", "bytes 0-15/10", "bytes 0-15", "", "items 0-15/100"]
)
def test_a_part_other_than_the_one_asked_for_is_502(content_range: str) -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer("206 Partial Content", ZIP[:16], Content_Range=content_range)

    with bridged(script) as (bridge, _):
        answer = bridge.ask(headers={"Range": "bytes=0-15"})
    assert (answer.status, orjson.loads(answer.body)["code"]) == (502, "UpstreamError")


def test_a_part_that_nobody_asked_for_is_502() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer("206 Partial Content", ZIP[:16], Content_Range="bytes 0-15/100")

    with bridged(script) as (bridge, _):
        assert bridge.ask().status == 502


def test_an_upstream_that_is_not_there_is_503() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with Upstream(give) as upstream:
        catalogue = in_front_of(upstream)
        catalogue.place = Ready(Request("GET", f"http://127.0.0.1:{port}/"), FILE, "application/zip")
        with Bridge(catalogue) as bridge:
            answer = bridge.ask()
    assert (answer.status, orjson.loads(answer.body)["code"]) == (503, "UpstreamUnavailable")


@pytest.mark.parametrize(
    "script, status",
    [
        (lambda asked, connection: connection.stall(), 504),
        (lambda asked, connection: connection.close(), 503),
        (lambda asked, connection: connection.sock.sendall(b"SSH-2.0\r\n\r\n"), 502),
    ],
    ids=["silent", "closed", "not HTTP"],
)
def test_an_upstream_that_does_not_answer_is_an_error_in_time(script: Script, status: int) -> None:
    with bridged(script, settings={"download_idle_timeout": 0.3}) as (bridge, _):
        assert bridge.ask().status == status


def test_the_credentials_are_in_no_log_and_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    scripts = [
        only_for("another"),
        lambda asked, connection: connection.reset(),
        to(lambda: "http://127.0.0.1:1/"),
    ]
    bodies = b""
    with caplog.at_level(logging.DEBUG):
        for script in scripts:
            with bridged(script) as (bridge, upstream):
                bodies += bridge.ask().body
                assert TOKEN in upstream.asked[0].headers["authorization"]
    assert TOKEN not in caplog.text
    assert TOKEN.encode() not in bodies
