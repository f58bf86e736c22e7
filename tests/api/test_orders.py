"""Orders of items in a long-term archive, as clients place and follow them, in front of SeDAS's simulator."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.testclient import TestClient

from stacbridge.api.orders import asked
from stacbridge.app import create_app
from stacbridge.errors import BadRequest
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.clock import ManualClock
from stacbridge.simulators.sedas import SedasSimulator
from stacbridge.simulators.sedas_orders import SedasFaults
from tests.api.serving import running

TIMEOUT = 10
S2 = "sedas-sentinel-2"


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def sim(clock: ManualClock) -> Iterator[SedasSimulator]:
    with SedasSimulator(300, clock=clock, token_life=10**9) as simulator:
        yield simulator


def settings(sim: SedasSimulator) -> Settings:
    account = Credentials(username=sim.username, password=SecretStr(sim.password))
    endpoints = {"catalogue": sim.url, "token": f"{sim.url}/authentication"}
    return Settings(
        catalogues=["sedas"],
        endpoints={"sedas": endpoints},
        credentials={"sedas": account},
        secret=SecretStr("a secret that both bridges share"),
        retries=0,
    )


@pytest.fixture(scope="module")
def root(sim: SedasSimulator) -> Iterator[str]:
    with running(create_app(settings(sim))) as url:
        yield url


@pytest.fixture(autouse=True)
def healthy(sim: SedasSimulator) -> Iterator[None]:
    yield
    sim.faults = SedasFaults()


@pytest.fixture
def offline(sim: SedasSimulator) -> str:
    """A Sentinel-2 product in the long-term archive that no test has ordered."""
    products = sorted((p for p in sim.products.all if p.group.name == "S2"), key=lambda p: p.start)
    return next(product.name for product in products if product.name not in sim.orders.taken)


def post(root: str, item: str, collection: str = S2) -> requests.Response:
    return requests.post(f"{root}/orders", json={"collection": collection, "item": item}, timeout=TIMEOUT)


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=TIMEOUT)


def href(root: str, item: str) -> Any:
    return get(f"{root}/collections/{S2}/items/{item}").json()["assets"]["product"]["href"]


def test_an_order_is_taken_followed_and_then_its_item_downloads(
    root: str, sim: SedasSimulator, clock: ManualClock, offline: str
) -> None:
    bytes_at = href(root, offline)
    assert get(bytes_at).status_code == 503
    taken = post(root, offline)
    order = taken.json()
    assert (taken.status_code, taken.headers["Retry-After"]) == (202, "900")
    assert taken.headers["Location"] == f"{root}/orders/{order['id']}"
    assert (order["status"], order["collection"], order["item"]) == ("ordered", S2, offline)
    waiting = get(taken.headers["Location"])
    assert (waiting.status_code, waiting.headers["Retry-After"], waiting.json()) == (200, "900", order)
    assert get(bytes_at).status_code == 503

    clock.advance(SedasFaults().staging_seconds)
    done = get(taken.headers["Location"])
    assert (done.status_code, done.json()) == (200, {**order, "status": "succeeded"})
    assert "Retry-After" not in done.headers
    assert zipfile.ZipFile(io.BytesIO(get(bytes_at).content)).testzip() is None
    assert sim.orders.taken.count(offline) == 1


def test_the_links_of_an_order_lead_to_itself_and_to_its_item(root: str, offline: str) -> None:
    order = post(root, offline).json()
    links = {link["rel"]: link["href"] for link in order["links"]}
    assert set(links) == {"self", "item"}
    assert get(links["self"]).json() == order
    assert get(links["item"]).json()["id"] == offline


def test_an_item_that_is_online_is_not_ordered(root: str, sim: SedasSimulator) -> None:
    online = max((p for p in sim.products.all if p.group.name == "S2"), key=lambda p: p.start).name
    answer = post(root, online)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert "Retry-After" not in answer.headers
    assert get(f"{root}/orders/{answer.json()['id']}").json() == answer.json()
    assert online not in sim.orders.taken


def test_what_was_online_and_no_longer_is_was_never_ordered(
    root: str, sim: SedasSimulator, clock: ManualClock, offline: str
) -> None:
    sim.faults = SedasFaults(staging_seconds=0, staged_life=60)
    post(root, offline)
    second = post(root, offline)
    assert (second.status_code, second.json()["status"]) == (200, "succeeded")
    clock.advance(60)
    gone = get(f"{root}/orders/{second.json()['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "NotFound")
    assert sim.orders.taken.count(offline) == 1


def test_reading_an_item_its_bytes_or_its_order_orders_nothing(
    root: str, sim: SedasSimulator, offline: str
) -> None:
    at, order = href(root, offline), post(root, offline).headers["Location"]
    before = list(sim.orders.taken)
    for url in (at, order, f"{root}/orders"):
        get(url)
    assert sim.orders.taken == before


def test_an_order_is_known_to_every_bridge_that_shares_the_secret(
    root: str, sim: SedasSimulator, offline: str
) -> None:
    order = post(root, offline).json()["id"]
    with running(create_app(settings(sim))) as other:
        assert get(f"{other}/orders/{order}").json()["item"] == offline


def test_a_poll_that_fails_is_told_and_the_order_stands(root: str, sim: SedasSimulator, offline: str) -> None:
    order = post(root, offline).headers["Location"]
    sim.faults = SedasFaults(poll_failures=1)
    failed = get(order)
    assert (failed.status_code, failed.json()["upstream"]) == (502, "sedas")
    assert get(order).json()["status"] == "ordered"


def test_an_order_that_the_upstream_lost_is_never_told_as_done(
    root: str, sim: SedasSimulator, clock: ManualClock, offline: str
) -> None:
    sim.faults = SedasFaults(lose_orders=True)
    order = post(root, offline).headers["Location"]
    clock.advance(1000)
    assert get(order).json()["status"] == "ordered"


@pytest.mark.parametrize("change", [lambda id: f"A{id[1:-1]}B", lambda id: id[:-4], lambda id: "nonsense!"])
def test_an_id_that_was_changed_is_refused(root: str, offline: str, change: Any) -> None:
    refused = get(f"{root}/orders/{change(post(root, offline).json()['id'])}")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "id")


@pytest.mark.parametrize(
    ("collection", "item"), [(S2, "S2A_NOTHING"), ("nowhere", "S2A_NOTHING"), (S2, "../x"), (S2, "\u0000")]
)
def test_an_order_of_what_is_not_there_is_not_found(root: str, collection: str, item: str) -> None:
    answer = post(root, item, collection)
    assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"{}", "collection"),
        (b'{"collection": 7, "item": "x"}', "collection"),
        (b'{"collection": "", "item": "x"}', "collection"),
        (b'{"collection": "x"}', "item"),
        (b'{"collection": "x", "item": ["x"]}', "item"),
    ],
)
def test_an_order_that_cannot_be_read_names_the_parameter(
    api: TestClient, body: bytes, parameter: str
) -> None:
    answer = api.post("/orders", content=body)
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


@given(st.binary(max_size=50))
def test_any_bytes_are_an_order_or_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        asked(body)


def test_a_catalogue_that_takes_no_orders_says_so(api: TestClient) -> None:
    answer = api.post("/orders", json={"collection": "optical-l1", "item": "optical-l1-0000"})
    assert (answer.status_code, answer.json()["code"]) == (409, "NotOrderable")


def test_an_order_that_a_page_of_another_site_sends_is_refused(
    root: str, sim: SedasSimulator, offline: str
) -> None:
    def ordered(origin: str) -> int:
        body = {"collection": S2, "item": offline}
        return requests.post(
            f"{root}/orders", json=body, headers={"Origin": origin}, timeout=TIMEOUT
        ).status_code

    assert ordered("https://elsewhere.example") == 403
    assert ordered("null") == 403
    assert ordered(root[:-1]) == 403
    assert ordered(root) in (200, 202)


def test_orders_are_in_the_openapi_document(api: TestClient) -> None:
    paths = api.get("/api").json()["paths"]
    assert set(paths["/orders"]) == {"post"}
    assert set(paths["/orders"]["post"]["responses"]) >= {"200", "202", "4XX"}
    assert set(paths["/orders/{id}"]) == {"get"}
