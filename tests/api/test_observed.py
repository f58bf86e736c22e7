"""Request ids, and the line that each request leaves in the log."""

import io
from pathlib import Path

import orjson
import pytest
import requests
from starlette.testclient import TestClient

from stacbridge import logs
from stacbridge.app import create_app
from stacbridge.model import Json
from stacbridge.settings import Settings
from tests.api.archive import alpha, beta
from tests.callers.bridges import guarded
from tests.unit.download_servers import within

ASSET = "/assets/alpha/radar-grd/radar-grd-0003/image/radar-grd-0003.tif"


@pytest.fixture
def log() -> io.StringIO:
    """The log as `serve --log-level info` writes it with `log_format` json."""
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    return stream


def lines(log: io.StringIO) -> list[Json]:
    """Return what the log says of requests."""
    every = [orjson.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in every if line["logger"] == "stacbridge.requests"]


@pytest.mark.parametrize(
    "path", ["/", "/search", "/nothing", "/healthz", "/search?limit=0", ASSET, "/assets/x"]
)
def test_a_sane_request_id_is_kept_on_every_answer(api: TestClient, path: str) -> None:
    reply = api.get(path, headers={"X-Request-ID": "Run-7_of.9"})
    assert reply.headers["x-request-id"] == "Run-7_of.9"
    assert reply.status_code < 400 or reply.json()["request_id"] == "Run-7_of.9"


@pytest.mark.parametrize("told", ["", "a b", "x" * 65, "a\x1b[2J", "{}", "é"])
def test_any_other_is_replaced(api: TestClient, told: str) -> None:
    reply = api.get("/nothing", headers={b"X-Request-ID": told.encode()})
    made = reply.headers["x-request-id"]
    assert made != told
    assert len(made) == 16
    assert reply.json()["request_id"] == made


def test_no_two_requests_share_an_id_that_was_made(api: TestClient) -> None:
    assert len({api.get("/healthz").headers["x-request-id"] for _ in range(20)}) == 20


def test_browsers_may_read_the_request_id(bridge: str) -> None:
    for path in ("/search?limit=1", ASSET):
        reply = requests.get(bridge + path, headers={"Origin": "https://a.example"}, timeout=10)
        assert "X-Request-ID" in reply.headers["Access-Control-Expose-Headers"]


def test_a_fault_of_ours_is_found_in_the_log_by_its_request_id(log: io.StringIO) -> None:
    catalogue = alpha()
    catalogue.search = None  # type: ignore[assignment, method-assign]
    app = create_app(Settings(), [catalogue])
    with TestClient(app, raise_server_exceptions=False) as client:
        reply = client.get("/search", headers={"X-Request-ID": "broken-1"})
    assert (reply.status_code, reply.json()["request_id"]) == (500, "broken-1")


def test_each_request_leaves_one_line_that_says_all_but_its_query(log: io.StringIO) -> None:
    with TestClient(create_app(Settings(), [alpha(), beta()])) as client:
        reply = client.get("/collections/radar-grd/items?limit=2", headers={"X-Request-ID": "one"})
        client.get("/catalogues/alpha/search?limit=1&token=canary")
    first, second = lines(log)
    assert first["path"] == "/collections/radar-grd/items"
    assert (first["method"], first["status"], first["whole"]) == ("GET", 200, True)
    assert (first["request_id"], first["principal"]) == ("one", "everybody")
    assert first["bytes"] == int(reply.headers["content-length"])
    assert first["seconds"] >= 0
    assert second["catalogue"] == "alpha"
    assert "canary" not in log.getvalue()


def test_the_line_says_who_asked_and_no_line_says_with_what(log: io.StringIO, tmp_path: Path) -> None:
    with guarded(tmp_path) as bridge:
        href = bridge.asset(bridge.key)["href"]
        assert bridge.ask(href).status_code == 200
        assert bridge.ask("/search?Authorization=Bearer+canary", key=bridge.key).status_code == 200
        assert bridge.ask("/health", key="canary-key").status_code == 401
        assert within(10, lambda: len(lines(log)) == 4)
    search, asset, _, refused = lines(log)
    assert asset["principal"] == search["principal"] != "anonymous"
    assert (asset["catalogue"], list(asset["upstream"])) == ("alpha", ["alpha"])
    assert (refused["status"], "principal" in refused) == (401, False)
    signature = href.partition("?")[2].partition("=")[2]
    assert signature
    for secret in ("canary", bridge.key, signature):
        assert secret not in log.getvalue()
