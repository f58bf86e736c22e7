"""SeDAS end to end: the bridge as it is served, in front of the simulator."""

import io
import logging
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest
import requests
from pydantic import SecretStr
from pystac_client import Client

from stacbridge.access.flows import drive
from stacbridge.access.sedas import LongTermArchive
from stacbridge.app import create_app
from stacbridge.errors import StacbridgeError, UpstreamRefused
from stacbridge.loading import load
from stacbridge.model import Query, Ready, Reply
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.faults import Faults
from stacbridge.simulators.sedas import EVERYTHING, SedasSimulator
from stacbridge.simulators.sedas_orders import SedasFaults
from stacbridge.upstream import Upstream
from tests.api.serving import running
from tests.schemas import faults
from tests.unit.sedas_service import dialect

TIMEOUT = 10


def settings(sim: SedasSimulator, password: str | None = None, **more: Any) -> Settings:
    endpoints = {"catalogue": sim.url, "token": f"{sim.url}/authentication"}
    account = Credentials(username=sim.username, password=SecretStr(password or sim.password))
    return Settings(
        catalogues=["sedas"],
        endpoints={"sedas": endpoints},
        credentials={"sedas": account},
        search_cache_seconds=1e-6,  # what is counted here is what the service sees
        **more,
    )


@pytest.fixture(scope="module")
def sim() -> Iterator[SedasSimulator]:
    with SedasSimulator(1500) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def root(sim: SedasSimulator) -> Iterator[str]:
    with running(create_app(settings(sim, location_seconds=0.001))) as url:
        yield url


@pytest.fixture
def upstream(sim: SedasSimulator) -> Iterator[Upstream]:
    catalogue = load("sedas", settings(sim))
    yield catalogue
    catalogue.close()


@pytest.fixture(autouse=True)
def healthy(sim: SedasSimulator) -> Iterator[None]:
    yield
    sim.faults = SedasFaults()


def item(root: str, status: str = "succeeded", collection: str = "sedas-sentinel-2") -> Any:
    wanted = {"op": "=", "args": [{"property": "order:status"}, status]}
    search = {"collections": [collection], "limit": 1, "filter": wanted, "filter-lang": "cql2-json"}
    return requests.post(f"{root}/search", json=search, timeout=TIMEOUT).json()["features"][0]


def test_a_stac_client_finds_every_product_once_and_all_items_are_valid(
    root: str, sim: SedasSimulator
) -> None:
    found = list(Client.open(root).search(limit=200).items_as_dicts())
    assert sorted(item["id"] for item in found) == sorted(sim.products.by_name)
    assert [fault for item in found[::25] for fault in faults(item)] == []


def test_the_same_search_finds_the_same_through_the_bridge_as_in_the_archive(
    root: str, sim: SedasSimulator
) -> None:
    search = Client.open(root).search(
        collections=["sedas-sentinel-2"], bbox=(-3, 51, -2, 52), filter='"eo:cloud_cover" < 40'
    )
    ids = [item["id"] for item in search.items_as_dicts()]
    assert sorted(ids) == sorted(
        product.name
        for product in sim.products.all
        if product.group.name == "S2"
        and product.more["cloudCoveragePercent"] < 40
        and product.box[0] <= -2
        and product.box[2] >= -3
        and product.box[1] <= 52
        and product.box[3] >= 51
    )
    assert ids


def test_an_item_is_found_by_its_id(root: str, sim: SedasSimulator) -> None:
    name = next(product.name for product in sim.products.all if product.group.name == "SPOT")
    url = f"{root}/collections/sedas-spot/items/{name}"
    assert requests.get(url, timeout=TIMEOUT).json()["id"] == name
    assert requests.get(url.replace("sedas-spot", "sedas-novasar"), timeout=TIMEOUT).status_code == 404
    assert requests.get(f"{url}x", timeout=TIMEOUT).status_code == 404


def test_a_product_at_hand_downloads_whole(root: str) -> None:
    answer = requests.get(item(root)["assets"]["product"]["href"], timeout=TIMEOUT)
    assert answer.status_code == 200
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_a_product_in_the_archive_is_503_with_a_reason_and_orders_nothing(
    root: str, sim: SedasSimulator
) -> None:
    href = item(root, "orderable")["assets"]["product"]["href"]
    for method in ("GET", "HEAD"):
        answer = requests.request(method, href, timeout=TIMEOUT)
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, False)
    assert "long-term archive" in requests.get(href, timeout=TIMEOUT).json()["description"]
    assert sim.orders.taken == []


@pytest.mark.parametrize("status", [400, 401, 403])
def test_an_expired_token_is_replaced_and_the_search_and_the_download_go_on(
    root: str, sim: SedasSimulator, status: Literal[400, 401, 403]
) -> None:
    sim.faults = SedasFaults(token_refusal=status)
    href = item(root)["assets"]["product"]["href"]
    for url in (f"{root}/search?limit=1&bbox=-180,-90,{status - 300},90", href):
        before = sim.tokens.logins
        sim.tokens.forget()
        assert requests.get(url, timeout=TIMEOUT).status_code == 200
        assert sim.tokens.logins == before + 1


def test_one_login_serves_all_searches(upstream: Upstream, sim: SedasSimulator) -> None:
    before = sim.tokens.logins
    for _ in range(5):
        upstream.search(Query(limit=1), "")
    assert sim.tokens.logins == before + 1


def test_a_wrong_password_is_told_and_not_repeated(sim: SedasSimulator) -> None:
    catalogue = load("sedas", settings(sim, "canary-password"))
    with pytest.raises(UpstreamRefused, match="sedas refuses the account") as failure:
        catalogue.search(Query(limit=1), "")
    assert "canary" not in str(failure.value.body())


def test_a_download_that_is_cut_does_not_look_whole(root: str, sim: SedasSimulator) -> None:
    href = item(root)["assets"]["product"]["href"]
    sim.faults = SedasFaults(download=Faults(cut_after_bytes=1000))
    with pytest.raises(requests.RequestException):
        requests.get(href, timeout=TIMEOUT)


def test_only_the_groups_that_the_account_sees_are_collections() -> None:
    with SedasSimulator(100, groups=("S1", "S2", "AIRSAR", "NovaSAR")) as public:
        found = {c["id"]: c for c in load("sedas", settings(public)).collections()}
    assert set(found) == {"sedas-sentinel-1", "sedas-sentinel-2", "sedas-airsar", "sedas-novasar"}
    assert found["sedas-sentinel-1"]["summaries"]["platform"] == ["sentinel-1a", "sentinel-1b"]
    assert faults({**found["sedas-sentinel-1"], "links": []}) == []


def test_a_group_that_nobody_described_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([b'[{"name": "S1"}, {"name": "Envisat"}, {}, 7]', b"[]"])
    with caplog.at_level(logging.WARNING):
        found = drive(dialect().discover(), lambda request: Reply(200, {}, next(answers)))
    assert [collection["id"] for collection in found] == ["sedas-sentinel-1"]
    assert "Envisat" in caplog.text


def test_a_bridge_starts_while_sedas_is_down_and_shows_all_that_is_described() -> None:
    with SedasSimulator(100) as sim:
        pass
    found = load("sedas", settings(sim, retries=0)).collections()
    assert len(found) == len(EVERYTHING)


def test_an_order_is_taken_staged_and_then_downloads() -> None:
    with SedasSimulator(100) as sim:
        sim.faults = SedasFaults(staging_seconds=0)
        catalogue = load("sedas", settings(sim))
        archive = catalogue.archive
        assert archive is not None and not archive.finds
        old = catalogue.search(
            Query(filter={"op": "=", "args": [{"property": "order:status"}, "orderable"]}, limit=1), ""
        ).items[0]
        assert not archive.is_online(old["collection"], old["id"])
        placed = archive.place(old["collection"], old["id"])
        assert (placed.state, archive.poll(placed.order).state) == ("ordered", "succeeded")
        ready = catalogue.locate(old["collection"], old["id"], "product")
        assert isinstance(ready, Ready)
        got = requests.get(ready.request.url, headers=catalogue.authorize(ready.request.url), timeout=TIMEOUT)
        assert zipfile.is_zipfile(io.BytesIO(got.content))


@pytest.mark.parametrize("style", ["bare", "epoch"])
def test_every_product_becomes_an_item_whatever_its_service_tells(style: Literal["bare", "epoch"]) -> None:
    with SedasSimulator(300, style=style) as sim, running(create_app(settings(sim))) as root:
        found = list(Client.open(root).search(limit=100).items_as_dicts())
    expected = [product.name for product in sim.products.all]
    assert sorted(item["id"] for item in found) == sorted(expected)


def test_groups_are_not_forgotten_while_the_service_is_down() -> None:
    told = dialect()
    drive(told.discover(), lambda request: Reply(200, {}, b'[{"name": "S1"}]'))
    with pytest.raises(StacbridgeError):
        drive(told.discover(), lambda request: Reply(200, {}, b"<html>"))


def test_searches_of_a_service_that_is_down_say_so() -> None:
    with SedasSimulator(100) as sim:
        pass
    with pytest.raises(StacbridgeError) as failure:
        load("sedas", settings(sim, retries=0)).search(Query(limit=1), "")
    assert failure.value.upstream == "sedas"


def test_a_lost_order_is_not_known(sim: SedasSimulator) -> None:
    sim.faults = replace(sim.faults, lose_orders=True, staging_seconds=0)
    headers = {"Authorization": f"Token {sim.tokens.give()[0]}"}
    old = min(sim.products.all, key=lambda product: product.start).name
    order = requests.post(f"{sim.url}/request/{old}", headers=headers, timeout=TIMEOUT).json()["requestId"]
    polled = requests.get(f"{sim.url}/request", {"ids": order}, headers=headers, timeout=TIMEOUT)
    archive = LongTermArchive("sedas", sim.url)
    assert drive(archive.poll(order), lambda request: Reply(200, {}, polled.content)).state is None
