"""Orders of items in a long-term archive, as clients place and follow them, in front of SeDAS's simulator."""

import io
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.testclient import TestClient

from stacbridge.api.order_documents import asked
from stacbridge.app import create_app
from stacbridge.errors import BadRequest
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.clock import ManualClock
from stacbridge.simulators.sedas import SedasSimulator
from stacbridge.simulators.sedas_orders import SedasFaults
from tests.api.serving import running
from tests.orders.waiting import until

TIMEOUT = 10
S2 = "sedas-sentinel-2"
POLL = 0.05
HANDED_OUT: set[str] = set()


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def sim(clock: ManualClock) -> Iterator[SedasSimulator]:
    with SedasSimulator(300, clock=clock, token_life=10**9) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("orders") / "orders.sqlite"


def settings(sim: SedasSimulator, store: Path) -> Settings:
    account = Credentials(username=sim.username, password=SecretStr(sim.password))
    endpoints = {"catalogue": sim.url, "token": f"{sim.url}/authentication"}
    return Settings(
        catalogues=["sedas"],
        endpoints={"sedas": endpoints},
        credentials={"sedas": account},
        order_store=SecretStr(f"sqlite:///{store}"),
        order_poll=POLL,
        order_poll_most=POLL,
        order_unknown_polls=2,
        max_order_items=20,
        retries=0,
    )


@pytest.fixture(scope="module")
def root(sim: SedasSimulator, store: Path) -> Iterator[str]:
    with running(create_app(settings(sim, store))) as url:
        yield url


@pytest.fixture(autouse=True)
def healthy(sim: SedasSimulator) -> Iterator[None]:
    yield
    sim.faults = SedasFaults()


@pytest.fixture
def offline(sim: SedasSimulator) -> str:
    """A Sentinel-2 product in the long-term archive that no test has ordered."""
    return archived(sim, 1)[0]


def archived(sim: SedasSimulator, count: int) -> list[str]:
    """Products that no test has had before."""
    products = sorted((p for p in sim.products.all if p.group.name == "S2"), key=lambda p: p.start)
    found = [product.name for product in products if product.name not in HANDED_OUT][:count]
    HANDED_OUT.update(found)
    return found


def post(root: str, item: str, collection: str = S2) -> requests.Response:
    return requests.post(f"{root}/orders", json={"collection": collection, "item": item}, timeout=TIMEOUT)


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=TIMEOUT)


def href(root: str, item: str) -> Any:
    return get(f"{root}/collections/{S2}/items/{item}").json()["assets"]["product"]["href"]


def status(url: str) -> str:
    return str(get(url).json()["status"])


def test_an_order_is_taken_followed_and_then_its_item_downloads(
    root: str, sim: SedasSimulator, clock: ManualClock, offline: str
) -> None:
    bytes_at = href(root, offline)
    assert get(bytes_at).status_code == 503
    taken = post(root, offline)
    order = taken.json()
    assert taken.status_code == 202 and int(taken.headers["Retry-After"]) >= 1
    assert taken.headers["Location"] == f"{root}/orders/{order['id']}"
    assert (order["status"], order["collection"], order["item"]) == ("ordered", S2, offline)
    until(lambda: offline in sim.orders.taken)
    waiting = get(taken.headers["Location"])
    assert (waiting.status_code, waiting.json()["status"]) == (200, "ordered")
    assert "Retry-After" in waiting.headers
    assert get(bytes_at).status_code == 503

    clock.advance(SedasFaults().staging_seconds)
    until(lambda: status(taken.headers["Location"]) == "succeeded")
    done = get(taken.headers["Location"])
    assert done.json()["assets"]["product"] == bytes_at
    assert [event["state"] for event in done.json()["events"]] == [
        "intended", "sending", "ordered", "succeeded"
    ]  # fmt: skip
    assert "Retry-After" not in done.headers
    assert zipfile.ZipFile(io.BytesIO(get(bytes_at).content)).testzip() is None
    assert sim.orders.taken.count(offline) == 1


def test_the_links_of_an_order_lead_to_itself_its_item_and_its_end(root: str, offline: str) -> None:
    order = post(root, offline).json()
    links = {link["rel"]: link["href"] for link in order["links"]}
    assert set(links) == {"self", "item", "cancel"}
    assert get(links["self"]).json()["id"] == order["id"]
    assert get(links["item"]).json()["id"] == offline
    assert requests.post(links["cancel"], timeout=TIMEOUT).json()["status"] == "canceled"


def test_an_item_that_is_online_is_not_ordered(root: str, sim: SedasSimulator) -> None:
    online = max((p for p in sim.products.all if p.group.name == "S2"), key=lambda p: p.start).name
    answer = post(root, online)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert "Retry-After" not in answer.headers
    assert status(f"{root}/orders/{answer.json()['id']}") == "succeeded"
    assert online not in sim.orders.taken


def test_what_was_staged_and_has_gone_is_ordered_anew_for_who_asks(
    root: str, sim: SedasSimulator, clock: ManualClock, offline: str
) -> None:
    sim.faults = SedasFaults(staging_seconds=0, staged_life=60)
    first = post(root, offline).headers["Location"]
    until(lambda: status(first) == "succeeded")
    clock.advance(60)
    assert post(root, offline).status_code == 202
    until(lambda: sim.orders.taken.count(offline) == 2)


def test_reading_an_item_its_bytes_or_its_order_orders_nothing(
    root: str, sim: SedasSimulator, offline: str
) -> None:
    at = href(root, offline)
    order = post(root, offline).headers["Location"]
    until(lambda: offline in sim.orders.taken)
    before = list(sim.orders.taken)
    for url in (at, order, f"{root}/orders"):
        get(url)
    assert sim.orders.taken == before


def test_an_order_outlives_its_bridge_and_another_one_goes_on_with_it(
    sim: SedasSimulator, clock: ManualClock, tmp_path: Path
) -> None:
    (item,) = archived(sim, 1)
    given = settings(sim, tmp_path / "orders.sqlite")
    with running(create_app(given)) as first:
        id = post(first, item).json()["id"]
        until(lambda: item in sim.orders.taken)
    clock.advance(SedasFaults().staging_seconds)
    with running(create_app(given)) as second:
        until(lambda: status(f"{second}/orders/{id}") == "succeeded")
    assert sim.orders.taken.count(item) == 1


def test_a_poll_that_fails_is_told_as_the_reason_and_the_order_stands(
    root: str, sim: SedasSimulator, offline: str
) -> None:
    sim.faults = SedasFaults(poll_failures=10**6)
    order = post(root, offline).headers["Location"]
    until(lambda: "HTTP 500" in get(order).json().get("reason", ""))
    assert status(order) == "ordered"
    assert sim.orders.taken.count(offline) == 1


def test_an_order_that_the_upstream_lost_is_ordered_once_more_and_then_has_failed(
    root: str, sim: SedasSimulator, offline: str
) -> None:
    sim.faults = SedasFaults(lose_orders=True)
    order = post(root, offline).headers["Location"]
    until(lambda: status(order) == "failed")
    assert "lost twice" in get(order).json()["reason"]
    assert sim.orders.taken.count(offline) == 2


def test_many_items_are_ordered_at_once_and_followed_as_a_batch(
    root: str, sim: SedasSimulator, clock: ManualClock
) -> None:
    sim.faults = SedasFaults(staging_seconds=0)
    items = archived(sim, 5)
    body = {"items": [{"collection": S2, "item": item} for item in (*items, items[0])]}
    taken = requests.post(f"{root}/orders", json=body, timeout=TIMEOUT)
    assert taken.status_code == 202
    assert sorted(order["item"] for order in taken.json()["orders"]) == sorted(items)
    batch = taken.headers["Location"]
    until(lambda: get(batch).json()["counts"] == {"succeeded": 5})
    page = get(f"{batch}?limit=3").json()
    (following,) = [link["href"] for link in page["links"] if link["rel"] == "next"]
    rest = get(following).json()
    assert {order["item"] for order in [*page["orders"], *rest["orders"]]} == set(items)
    assert all(sim.orders.taken.count(item) == 1 for item in items)


def test_a_search_orders_what_it_finds_and_is_not_online(root: str, sim: SedasSimulator) -> None:
    items = archived(sim, 3)
    body = {"search": {"collections": [S2], "ids": items}}
    taken = requests.post(f"{root}/orders", json=body, timeout=TIMEOUT)
    assert taken.status_code == 202
    assert sorted(order["item"] for order in taken.json()["orders"]) == sorted(items)


def test_a_search_that_finds_more_than_an_order_may_hold_orders_nothing(
    root: str,
) -> None:
    def ids() -> list[str]:
        return [order["id"] for order in get(f"{root}/orders?limit=1000").json()["orders"]]

    before = ids()
    refused = requests.post(f"{root}/orders", json={"search": {"collections": [S2]}}, timeout=TIMEOUT)
    assert (refused.status_code, refused.json()["code"]) == (400, "SearchTooWide")
    assert ids() == before


def test_orders_are_listed_the_newest_first_page_by_page(root: str, sim: SedasSimulator) -> None:
    placed = [post(root, item).json()["id"] for item in archived(sim, 3)]
    found: list[str] = []
    url: str | None = f"{root}/orders?limit=2"
    while url is not None:
        page = get(url).json()
        found += [order["id"] for order in page["orders"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert [id for id in found if id in placed] == placed[::-1]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("cancel", ["delete", "post"])
def test_a_cancelled_order_stays_cancelled(root: str, offline: str, cancel: str) -> None:
    order = post(root, offline).headers["Location"]
    if cancel == "delete":
        answer = requests.delete(order, timeout=TIMEOUT)
    else:
        answer = requests.post(f"{order}/cancel", timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert status(order) == "canceled"


@pytest.mark.parametrize("path", ["nothing", "batches/nothing", "nothing/cancel"])
def test_an_order_that_does_not_exist_is_not_found(root: str, path: str) -> None:
    ask = partial(requests.post if path.endswith("cancel") else requests.get, timeout=TIMEOUT)
    answer = ask(f"{root}/orders/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")


@pytest.mark.parametrize(
    ("query", "parameter"), [("limit=0", "limit"), ("limit=x", "limit"), ("token=x", "token")]
)
def test_a_page_of_orders_that_cannot_be_read_names_the_parameter(
    root: str, query: str, parameter: str
) -> None:
    answer = get(f"{root}/orders?{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


def test_a_bridge_that_nobody_orders_from_keeps_no_file(sim: SedasSimulator, tmp_path: Path) -> None:
    with running(create_app(settings(sim, tmp_path / "orders.sqlite"))) as url:
        assert get(f"{url}/orders").json()["orders"] == []
        assert get(f"{url}/orders/nothing").status_code == 404
    assert list(tmp_path.iterdir()) == []


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
        (b'{"items": []}', "items"),
        (b'{"items": {}}', "items"),
        (b'{"items": ["x"]}', "items"),
        (b'{"items": [{"collection": "x"}]}', "item"),
        (b'{"search": []}', "search"),
        (b'{"collection": "x", "item": "x", "webhook": 1}', "webhook"),
        (b'{"collection": "x", "item": "x", "webhook": "https://elsewhere.example"}', "webhook"),
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
        asked(body, 10)


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
    assert set(paths["/orders"]) == {"get", "post"}
    assert set(paths["/orders"]["post"]["responses"]) >= {"200", "202", "4XX"}
    assert set(paths["/orders/{id}"]) == {"get", "delete"}
