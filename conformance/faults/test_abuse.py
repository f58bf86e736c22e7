"""Section F, as far as abuse goes: nobody forges lines of the log, or spends time, quotas or memory."""

import gzip
import io
import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from conformance.faults.kit import Wavering, faced, heard, served
from stacbridge.errors import UpstreamError
from stacbridge.model import Request
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts
from tests.api.archive import alpha
from tests.orders.archives import Script
from tests.servers import Answer, serving
from tests.unit.download_servers import PATIENCE

ROOT = Path(__file__).parents[2]


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
    with faced(Act(headers={"Content-Encoding": "gzip"})) as (bridge, _, _):
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
