"""Section F: what the web does to a server that holds other people's credentials."""

import gzip
import io
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import orjson
import pytest

from conformance.faults.kit import NIGHT, Wavering, faced, heard, served
from stacbridge.errors import UpstreamError
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Request
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts
from tests.api.archive import alpha, collection, item
from tests.callers.bridges import guarded
from tests.orders.archives import Script
from tests.servers import Answer, serving
from tests.unit.download_servers import PATIENCE

ROOT = Path(__file__).parents[2]
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


def test_f61_nobody_can_write_a_line_into_the_log(log: io.StringIO) -> None:
    forged = "x%0d%0a2026-01-01T00:00:00Z%20critical%20FORGED%1b%5b2J%c2%9b31m%e2%80%a8FORGED"
    failing = Wavering("one")
    with served(failing) as port:
        failing.failure = UpstreamError("It said: \r\nFORGED \x1b[31m", upstream="one", answered="\nFORGED")
        for path in (f"/{forged}", f"/assets/one/{forged}/b/c/d", f"/search?collections={forged}", "/search"):
            heard(port, path, headers={"X-Request-ID": "x FORGED", "User-Agent": "FORGED"})
    told = log.getvalue()
    assert told
    assert not any(line.lstrip().startswith("FORGED") for line in told.splitlines())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", told)
    assert not any(re.match(r"2026-01-01T00:00:00Z", line) for line in told.splitlines())


LONG = 30_000
SLOW = {
    "spaces": " " * LONG,
    "digits": "1" * LONG,
    "dates": "2024-01-01T00:00:00." + "0" * LONG,
    "commas": "," * LONG,
    "quotes": '"' * LONG,
    "words": "a" * LONG,
    "pairs": "a=" * (LONG // 2),
    "slashes": "/" * LONG,
    "dashes": "-" * LONG,
}


@pytest.mark.parametrize("value", SLOW.values(), ids=SLOW)
def test_f62_no_words_of_a_client_take_long_to_read(value: str) -> None:
    escaped = quote(value, safe="")[:LONG]
    with served(alpha()) as port:
        started = time.monotonic()
        for name in ("datetime", "bbox", "ids", "collections", "filter", "q", "token", "sortby", "limit"):
            assert heard(port, f"/search?{name}={escaped}").status < 500
        for path in (f"/{escaped}", f"/collections/{escaped}", f"/assets/alpha/{escaped}/b/c/d"):
            assert heard(port, path).status < 500
        for name in ("Prefer", "Forwarded", "Range", "X-Forwarded-Host", "Accept-Encoding", "X-Request-ID"):
            assert heard(port, "/search?limit=1", headers={name: f"a{value}b"}).status < 500
        assert time.monotonic() - started < PATIENCE


def test_f63_whoever_is_not_known_spends_nothing(tmp_path: Path) -> None:
    catalogue, archive = alpha(), Script()
    catalogue.archive = archive
    body = b'{"collection": "radar-grd", "item": "radar-grd-0003"}'
    asset = "/assets/alpha/radar-grd/radar-grd-0003/image/radar-grd-0003.tif"
    given = {"access": "keys", "key_folder": tmp_path, "order_store": f"sqlite:///{tmp_path}/orders"}
    with served(catalogue, **given) as port:
        for method, path in (
            ("POST", "/orders"),
            ("GET", "/orders"),
            ("POST", "/sign"),
            ("PUT", "/account/alpha"),
            ("GET", asset),
            ("HEAD", asset),
            ("POST", "/catalogues/alpha/orders"),
        ):
            sent = body if method in ("POST", "PUT") else b""
            assert heard(port, path, method, sent, {"Content-Type": "application/json"}).status == 401
    assert archive.placed == []
    assert not (tmp_path / "orders").exists()


def test_f63_to_look_at_what_is_offline_orders_nothing() -> None:
    catalogue, archive = alpha(), Script()
    catalogue.archive = archive
    with served(catalogue) as port:
        for method in ("GET", "HEAD"):
            heard(port, "/assets/alpha/radar-grd/radar-grd-0003/image/radar-grd-0003.tif", method)
        heard(port, "/collections/radar-grd/items/radar-grd-0003")
    assert archive.placed == []


def test_f64_an_archive_is_passed_on_as_it_is() -> None:
    bomb = b"PK\x03\x04" + gzip.compress(bytes(10_000_000))
    with faced(Act(), file=bomb) as (bridge, _, _):
        assert bridge.ask().body == bomb


def test_f64_a_file_that_comes_packed_is_refused_not_unpacked() -> None:
    with faced(Act(headers={"Content-Encoding": "gzip"}), settings=NIGHT) as (bridge, _, _):
        assert bridge.ask().status == 502


def test_f64_a_search_answer_that_unpacks_to_too_much_is_given_up() -> None:
    bomb = Answer(body=gzip.compress(bytes(200_000_000), 9), headers={"Content-Encoding": "gzip"})
    with serving(lambda seen: bomb) as upstream:
        wire = Wire("one", Settings(max_reply_bytes=1_000_000), Hosts.listed([upstream.url]))
        with pytest.raises(UpstreamError, match="1000000"):
            wire.send(Request("GET", upstream.url))
        wire.close()


def test_f64_no_part_of_the_bridge_can_unpack_an_archive() -> None:
    unpacks = re.compile(r"^\s*(?:import|from) (?:zipfile|tarfile)\b|unpack_archive", re.MULTILINE)
    served_code = (path for path in (ROOT / "stacbridge").rglob("*.py") if "simulators" not in path.parts)
    assert [path.name for path in served_code if unpacks.search(path.read_text())] == []
