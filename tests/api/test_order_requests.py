"""What one request may order: an item, many, or what a search finds; and requests that are refused."""

from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.testclient import TestClient

from stacbridge.api.order_documents import asked
from stacbridge.app import create_app
from stacbridge.errors import BadRequest
from stacbridge.memory import MemoryCatalogue
from stacbridge.settings import Settings
from stacbridge.simulators.clock import ManualClock
from stacbridge.simulators.sedas import SedasSimulator
from stacbridge.simulators.sedas_orders import SedasFaults
from tests.api.archive import collection, item
from tests.api.sedas import S2, TIMEOUT, archived, get, post
from tests.orders.archives import Script
from tests.orders.waiting import until

pytestmark = pytest.mark.usefixtures("healthy")


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


@pytest.mark.parametrize("ids", ["unknown", "online"])
def test_a_search_that_finds_nothing_offline_orders_nothing_and_leads_nowhere(
    root: str, sim: SedasSimulator, ids: str
) -> None:
    online = max((p for p in sim.products.all if p.group.name == "S2"), key=lambda p: p.start).name
    body = {"search": {"collections": [S2], "ids": [online if ids == "online" else "nothing"]}}
    answer = requests.post(f"{root}/orders", json=body, timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["orders"]) == (200, [])
    assert "Location" not in answer.headers and "Retry-After" not in answer.headers


def test_a_search_orders_nothing_of_what_does_not_say_that_it_is_offline(tmp_path: Path) -> None:
    items = [item("alpha", number) for number in range(3)]
    items[0]["properties"]["order:status"] = "orderable"
    items[1]["properties"]["order:status"] = "succeeded"
    catalogue = MemoryCatalogue("toy", [collection("alpha")], items)
    catalogue.archive = Script()
    given = Settings(order_store=SecretStr(f"sqlite:///{tmp_path / 'orders.sqlite'}"))
    with TestClient(create_app(given, [catalogue])) as api:
        taken = api.post("/orders", json={"search": {"collections": ["alpha"]}})
    assert [order["item"] for order in taken.json()["orders"]] == ["alpha-0000"]


def test_a_search_that_finds_more_than_an_order_may_hold_orders_nothing(
    root: str,
) -> None:
    def ids() -> list[str]:
        return [order["id"] for order in get(f"{root}/orders?limit=1000").json()["orders"]]

    before = ids()
    refused = requests.post(f"{root}/orders", json={"search": {"collections": [S2]}}, timeout=TIMEOUT)
    assert (refused.status_code, refused.json()["code"]) == (400, "SearchTooWide")
    assert ids() == before


@pytest.mark.parametrize(
    ("collection", "item"), [(S2, "S2A_NOTHING"), ("nowhere", "S2A_NOTHING"), (S2, "../x")]
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
        (b'{"collection": "x", "item": "x\\u0000"}', "item"),
        (b'{"items": [{"collection": "x\\u0000", "item": "x"}]}', "collection"),
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
