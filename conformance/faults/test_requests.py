"""Section F, as far as requests go: however one is written, it opens nothing and leads nowhere else."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import orjson
import pytest

from conformance.faults.kit import heard, served
from stacbridge.memory import MemoryCatalogue
from tests.api.archive import alpha, collection, item
from tests.callers.bridges import guarded
from tests.orders.archives import Script
from tests.unit.download_servers import PATIENCE

HIDDEN = b"GET /canary HTTP/1.1\r\nHost: a\r\n\r\n"
SMUGGLED = {
    "length and chunks": b"POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": b"POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n"
    + HIDDEN,
    "a length that is none": b"POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n" + HIDDEN,
    "a folded header": b"POST /search HTTP/1.1\r\nHost: a\r\nX: 1\r\n Transfer-Encoding: chunked\r\n"
    b"Content-Length: 0\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a space before the colon": b"POST /search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n"
    b"Content-Length: 0\r\n\r\n" + HIDDEN,
    "chunks that are not the last coding": b"POST /search HTTP/1.1\r\nHost: a\r\n"
    b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a bare carriage return": b"POST /search HTTP/1.1\r\nHost: a\r\nX: 1\rTransfer-Encoding: chunked\r\n"
    b"Content-Length: 0\r\n\r\n" + HIDDEN,
    "a chunk size that is none": b"POST /search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0x0\r\n\r\n" + HIDDEN,
}


def answers(port: int, sent: bytes) -> bytes:
    """Send bytes and return all that comes back until the other side ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(sent)
        came = b""
        try:
            while piece := client.recv(65536):
                came += piece
        except ConnectionError:
            pass
        return came


@pytest.mark.parametrize("sent", SMUGGLED.values(), ids=SMUGGLED)
def test_f55_a_request_whose_end_is_unclear_is_refused_and_hides_no_other(sent: bytes) -> None:
    with served() as port:
        came = answers(port, sent)
    assert came.startswith(b"HTTP/1.1 400")
    assert came.count(b"HTTP/1.1 ") == 1


POISON = [
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
    {"X-Forwarded-Prefix": "/evil.example"},
    {"Forwarded": "host=evil.example;proto=https"},
]


@pytest.mark.parametrize("poison", POISON)
def test_f56_headers_of_a_proxy_that_is_not_named_change_no_link(poison: dict[str, str]) -> None:
    with served(alpha(), trusted_proxies=["192.0.2.1"]) as port:
        for path in ("/", "/search?limit=1", "/collections", "/api"):
            assert b"evil.example" not in heard(port, path, headers=poison).body


@pytest.mark.parametrize("poison", [*POISON, {"Host": "evil.example"}])
def test_f56_with_a_public_url_nothing_that_is_sent_changes_a_link(poison: dict[str, str]) -> None:
    with served(alpha(), public_url="https://stac.example") as port:
        for path in ("/", "/search?limit=1", "/collections"):
            body = heard(port, path, headers=poison).body
            assert b"evil.example" not in body and b"https://stac.example" in body


@pytest.mark.parametrize(
    "host", ["evil.example/x?", "a@evil.example", 'evil.example"><script>', "evil\\x", ""]
)
def test_f56_a_host_that_is_none_is_not_repeated(host: str) -> None:
    with served(alpha()) as port:
        body = heard(port, "/", headers={"Host": host}).body
        assert b"evil" not in body and f"http://127.0.0.1:{port}/".encode() in body


ODD_IDS = [
    "S2A/2024/01",
    "..",
    "a/../b",
    "a;b",
    "a b+c",
    "50%",
    "%2e%2e",
    "%252f",
    "a?b#c",
    "e\u0301t\u00e9",
    "\u00e9t\u00e9",
    "a//b",
    "b/",
    "q&a=1",
]


def odd() -> MemoryCatalogue:
    items = [{**item("odd", number), "id": id} for number, id in enumerate(ODD_IDS)]
    return MemoryCatalogue("odd", [collection("odd")], items)


@pytest.fixture(scope="module")
def odd_port() -> Iterator[int]:
    with served(odd()) as port:
        yield port


@pytest.mark.parametrize("id", ODD_IDS)
def test_f57_an_item_is_found_by_its_link_whatever_its_id(odd_port: int, id: str) -> None:
    found = orjson.loads(heard(odd_port, f"/search?ids={quote(id, safe='')}").body)
    (self_link,) = [link["href"] for link in found["features"][0]["links"] if link["rel"] == "self"]
    path = urlsplit(self_link).path
    assert orjson.loads(heard(odd_port, path).body).get("id") == id, path


HIDDEN_PATHS = [
    "/healthz/../orders",
    "/healthz/%2e%2e/orders",
    "/%2e%2e/orders",
    "//orders",
    "/./orders",
    "/orders/",
    "/orders;/healthz",
    "/orders%2f",
    "/orders%00",
    "/orders%0a",
    "/ORDERS",
    "/conformance/..%2forders",
    "/collections/..%2f..%2forders",
    "/search/../orders",
    "/catalogues/alpha/../../orders",
    "/catalogues/alpha/orders",
    "/catalogues/alpha//orders",
    "/orders?/healthz",
    "/orders%23/healthz",
]


@pytest.mark.parametrize("path", HIDDEN_PATHS)
def test_f57_no_spelling_of_a_path_goes_around_who_may(path: str, tmp_path: Path) -> None:
    catalogue = alpha()
    catalogue.archive = Script()
    with served(catalogue, access="keys", key_folder=tmp_path) as port:
        answer = heard(port, path)
    assert answer.status in (400, 401, 404)
    assert b'"orders"' not in answer.body


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "//evil.example/%2f..",
        "/%5cevil.example",
        "/%2f%2fevil.example/",
        "/https:%2f%2fevil.example/",
        "/?redirect=https://evil.example",
        "/search?next=https://evil.example&url=//evil.example",
        "/collections/https:%2f%2fevil.example",
        "/assets//evil.example/a/b/c",
        "/api.html?url=https://evil.example",
    ],
)
def test_f58_nothing_that_is_sent_becomes_where_a_client_is_sent_to(path: str) -> None:
    with served(alpha()) as port:
        answer = heard(port, path)
    assert answer.status < 300 or answer.status >= 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://stac.example.evil.example"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("path", ["/search?limit=1", "/orders", "/assets/alpha/a/b/c/d", "/nothing"])
def test_f59_no_site_is_let_in_with_the_credentials_of_its_visitors(
    origin: str, method: str, path: str
) -> None:
    with served(alpha()) as port:
        asked = {"Access-Control-Request-Method": "GET"} if method == "OPTIONS" else {}
        headers = heard(port, path, method, headers={"Origin": origin, **asked}).headers
    assert "access-control-allow-credentials" not in headers
    assert headers.get("access-control-allow-origin", "*") == "*"


def test_f60_a_key_in_a_query_opens_nothing(tmp_path: Path) -> None:
    with guarded(tmp_path) as bridge:
        for name in ("key", "api_key", "apikey", "token", "access_token", "authorization", "Authorization"):
            for value in (bridge.key, f"Bearer%20{bridge.key}"):
                assert bridge.ask(f"/orders?{name}={value}").status_code == 401


def test_f60_a_signature_opens_one_asset_and_nothing_else(tmp_path: Path) -> None:
    with guarded(tmp_path) as bridge:
        href = bridge.asset(bridge.key)["href"]
        assert bridge.ask(href).status_code == 200
        query = urlsplit(href).query
        assert bridge.ask(href.replace("radar-grd-00", "radar-grd-01")).status_code == 403
        for path in ("/orders", "/sign", "/account/alpha", "/health", "/metrics"):
            assert bridge.ask(f"{path}?{query}").status_code in (401, 405)
