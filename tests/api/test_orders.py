"""Orders of items in a long-term archive, as clients place and follow them, in front of SeDAS's simulator."""

import io
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.simulators.clock import ManualClock
from stacbridge.simulators.sedas import SedasSimulator
from stacbridge.simulators.sedas_orders import SedasFaults
from tests.api.sedas import S2, TIMEOUT, archived, get, post, settings
from tests.api.serving import running
from tests.orders.waiting import until

pytestmark = pytest.mark.usefixtures("healthy")


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
    ("path", "parameter"),
    [
        ("?limit=0", "limit"),
        ("?limit=x", "limit"),
        ("?token=x", "token"),
        ("?token=0~%00", "token"),
    ],
)
def test_what_asks_for_orders_and_cannot_be_read_names_the_parameter(
    root: str, path: str, parameter: str
) -> None:
    answer = get(f"{root}/orders{path}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


def test_a_bridge_that_nobody_orders_from_keeps_no_file(sim: SedasSimulator, tmp_path: Path) -> None:
    with running(create_app(settings(sim, tmp_path / "orders.sqlite"))) as url:
        assert get(f"{url}/orders").json()["orders"] == []
        assert get(f"{url}/orders/nothing").status_code == 404
    assert list(tmp_path.iterdir()) == []


def test_orders_are_in_the_openapi_document(api: TestClient) -> None:
    paths = api.get("/api").json()["paths"]
    assert set(paths["/orders"]) == {"get", "post"}
    assert set(paths["/orders"]["post"]["responses"]) >= {"200", "202", "4XX"}
    assert set(paths["/orders/{id}"]) == {"get", "delete"}
