"""Life, readiness, health and figures: what each tells, and that none of them asks anybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from stacbridge.api.health import REMEMBERED, Readiness
from stacbridge.app import create_app
from stacbridge.catalogue import Catalogue
from stacbridge.draining import Drain
from stacbridge.errors import StoreUnavailable, UpstreamUnavailable
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Query
from stacbridge.settings import Settings
from stacbridge.simulators.s3 import S3Simulator
from tests.api.archive import alpha, beta
from tests.orders.archives import Script
from tests.unit.bucket_kit import bucket
from tests.unit.download_servers import PATIENCE, within


class Ailing(MemoryCatalogue):
    """A catalogue that is down, whose account is about to end."""

    def __init__(self) -> None:
        super().__init__("ailing", [], [])
        self.asked = 0

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        self.asked += 1
        raise UpstreamUnavailable("ailing is down.", upstream="ailing")

    def warnings(self) -> list[str]:
        return ["The refresh token ends in 3 days."]


@contextmanager
def served(*catalogues: Catalogue, drain: Drain | None = None, **settings: Any) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(**settings), list(catalogues), drain)) as client:
        yield client


def test_a_bridge_lives_whatever_its_catalogues_do() -> None:
    with served(Ailing()) as client:
        client.get("/search")
        reply = client.get("/healthz")
        assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
        assert reply.headers["cache-control"] == "no-store"


def test_health_tells_of_each_catalogue_and_asks_none() -> None:
    ailing = Ailing()
    with served(ailing, alpha(), breaker_failures=2) as client:
        for _ in range(3):
            client.get("/search")
        asked = ailing.asked
        told = client.get("/health").json()["catalogues"]
        assert ailing.asked == asked == 2
    assert told["ailing"]["breaker"]["state"] == "open"
    assert 0 < told["ailing"]["breaker"]["retry_after"] <= 30
    assert told["ailing"]["last"]["failure"] == "UpstreamUnavailable"
    assert told["ailing"]["warnings"] == ["The refresh token ends in 3 days."]
    assert told["alpha"]["breaker"]["state"] == "closed"
    assert "failure" not in told["alpha"]["last"]
    assert told["alpha"]["slots"] == {"connections": 4, "allowed": 4, "in_use": 0, "waiting": 0}


def test_health_counts_orders_by_catalogue_and_state(tmp_path: Path) -> None:
    catalogue = alpha()
    catalogue.archive = Script()
    store = f"sqlite:///{tmp_path}/orders.sqlite"
    with served(catalogue, order_store=store) as client:
        assert client.get("/health").json()["catalogues"]["alpha"]["orders"] == {}
        body = {"collection": "radar-grd", "item": "radar-grd-0003"}
        assert client.post("/orders", json=body).status_code < 300
        assert sum(client.get("/health").json()["catalogues"]["alpha"]["orders"].values()) == 1


def test_a_bridge_that_can_keep_what_it_promises_is_ready(tmp_path: Path) -> None:
    with served(alpha(), spool_folder=tmp_path) as client:
        assert client.get("/readyz").json() == {"status": "ok"}


def test_a_bridge_whose_spool_is_gone_is_not_ready(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with served(alpha(), spool_folder=spool) as client:
        (spool / "lock").unlink()
        spool.rmdir()
        reply = client.get("/readyz")
    assert (reply.status_code, list(reply.json()["failures"])) == (503, ["spool"])


def test_a_bridge_whose_order_book_cannot_be_opened_is_not_ready(tmp_path: Path) -> None:
    catalogue = alpha()
    catalogue.archive = Script()
    book = tmp_path / "orders.sqlite"
    with served(catalogue, order_store=f"sqlite:///{book}") as client:
        assert client.get("/readyz").status_code == 200
    with served(catalogue, order_store=f"sqlite:///{book}") as client:
        book.write_bytes(b"this is no database at all" * 100)
        reply = client.get("/readyz")
        assert (reply.status_code, list(reply.json()["failures"])) == (503, ["orders"])
        health = client.get("/health")
        assert (health.status_code, "orders_unknown" in health.json()) == (200, True)
        assert client.get("/metrics").status_code == 200


def test_a_bridge_that_is_about_to_stop_is_not_ready_at_once_but_lives() -> None:
    drain = Drain(60)
    with served(alpha(), drain=drain) as client:
        assert client.get("/readyz").status_code == 200
        drain.begin()
        assert client.get("/readyz").json()["failures"] == {"draining": "The bridge is about to stop."}
        assert client.get("/healthz").status_code == 200
        asset = client.get("/assets/alpha/radar-grd/radar-grd-0003/image/radar-grd-0003.tif")
        assert (asset.status_code, asset.headers["retry-after"]) == (503, "5")
        assert client.get("/search?limit=1").status_code == 200


def test_disks_are_not_written_to_for_everybody_who_asks_whether_the_bridge_is_ready() -> None:
    looks, now = [], [0.0]

    def check() -> None:
        looks.append(now[0])
        raise StoreUnavailable("The disk is full.")

    readiness = Readiness(Drain(0), {"orders": check}, clock=lambda: now[0])
    for now[0] in (0, 1, REMEMBERED - 0.1, REMEMBERED):
        assert readiness.failures() == {"orders": "The disk is full."}
    assert looks == [0, REMEMBERED]


def values(client: TestClient) -> dict[tuple[str, ...], float]:
    """Return the samples of `/metrics`, by name and values of labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_figures_are_by_route_and_never_by_what_a_client_makes_up() -> None:
    with served(alpha(), beta()) as client:
        before = values(client)
        for path in ("/collections/radar-grd", "/collections/nothing", "/no/such/path/canary", "/search"):
            client.get(path)
        after = values(client)
        text = client.get("/metrics").text
    grown = {name: n - before.get(name, 0) for name, n in after.items() if name[0].endswith("requests_total")}
    assert grown["stacbridge_http_requests_total", "GET", "/collections/{collection_id}", "200"] == 1
    assert grown["stacbridge_http_requests_total", "GET", "/collections/{collection_id}", "404"] == 1
    assert grown["stacbridge_http_requests_total", "GET", "(none)", "404"] == 1
    assert grown["stacbridge_http_requests_total", "GET", "/search", "200"] == 1
    assert "canary" not in text


def test_figures_of_a_catalogues_own_api_are_told_apart() -> None:
    with served(alpha(), beta()) as client:
        name = ("stacbridge_http_requests_total", "GET", "/catalogues/alpha/search", "200")
        before = values(client).get(name, 0)
        client.get("/catalogues/alpha/search")
        assert values(client)[name] == before + 1


def test_figures_tell_how_things_stand() -> None:
    with served(Ailing(), alpha(), breaker_failures=1) as client:
        client.get("/search")
        now = values(client)
    assert now["stacbridge_breaker_state", "ailing", "open"] == 1
    assert now["stacbridge_account_warnings", "ailing"] == 1
    assert now["stacbridge_slots", "alpha", "connections"] == 4
    assert now["stacbridge_draining",] == 0


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_what_is_for_operators_is_not_for_everybody(path: str, tmp_path: Path) -> None:
    with served(alpha(), access="keys", key_folder=tmp_path) as client:
        assert client.get(path).status_code == 401
        assert [client.get(open).status_code for open in ("/healthz", "/readyz")] == [200, 200]


def test_a_bridge_with_a_spool_tells_how_full_it_is_and_how_its_bucket_is(tmp_path: Path) -> None:
    with S3Simulator({}, writable=True) as storage:
        told: dict[str, Any] = {"spool_folder": tmp_path, "spool_bucket": bucket(storage)}
        with served(alpha(), **told) as client:
            assert within(PATIENCE, lambda: ("GET", "/bucket") in asked(storage))
            spool, figures = client.get("/health").json()["spool"], values(client)
    assert spool["folder"] == {"files": 0, "bytes": 0, "most_bytes": 50 * 1000**3}
    assert (spool["bucket"]["state"], spool["bucket"]["troubles"]) == ("ok", [])
    assert figures["stacbridge_spool_bucket_up",] == 1
    assert figures["stacbridge_spool_bytes", "bucket"] == 0


def asked(storage: S3Simulator) -> list[tuple[str, str]]:
    return [(method, path.partition("?")[0]) for method, path, _ in storage.asked]


def test_a_bridge_whose_bucket_is_down_is_ready_and_says_so(tmp_path: Path) -> None:
    told: dict[str, Any] = {
        "spool_folder": tmp_path,
        "spool_bucket": bucket("http://127.0.0.1:1"),
        "retries": 0,
    }
    with served(alpha(), **told) as client:
        assert within(PATIENCE, lambda: client.get("/health").json()["spool"]["bucket"]["state"] == "down")
        assert "cannot be reached" in client.get("/health").json()["spool"]["bucket"]["troubles"][0]
        assert values(client)["stacbridge_spool_bucket_up",] == 0
        assert client.get("/readyz").status_code == 200


def test_a_bridge_without_a_spool_says_nothing_of_one() -> None:
    with served(alpha()) as client:
        assert "spool" not in client.get("/health").json()
        assert ("stacbridge_spool_bucket_up",) not in values(client)
