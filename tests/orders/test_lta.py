"""ESA's long-term archive interface: the conversation, and the whole way through a catalogue's bridge."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from stacbridge.access import registry
from stacbridge.access.flows import drive
from stacbridge.access.lta import LtaOrdering
from stacbridge.access.ordering import NoOrders
from stacbridge.app import create_app
from stacbridge.errors import Misconfigured, NotOrderable, StacbridgeError, UpstreamError
from stacbridge.model import Progress, Reply, Request
from stacbridge.settings import Credentials
from stacbridge.simulators.lta import LtaSimulator
from stacbridge.simulators.lta_orders import LtaFaults
from tests.api.serving import running
from tests.orders import lta
from tests.orders.waiting import until

URL = "https://lta.example/odata/v1"
ID = "4747490c-a78f-4d0e-8080-5f74297409a3"
ORDER = {"Id": "o-1", "Status": "queued", "StatusMessage": "Queued.", "EvictionDate": None}
ARCHIVE = LtaOrdering("esa", URL, priority=7)
QUICK = LtaFaults(queue_seconds=0.05, staging_seconds=0.1)
TIMEOUT = 10


class Script:
    """Answers every request with the same reply, and keeps the requests."""

    def __init__(self, body: Any, status: int = 200) -> None:
        self.reply = Reply(status, {}, body if isinstance(body, bytes) else orjson.dumps(body))
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        return self.reply


@pytest.mark.parametrize("body", [ORDER, {"value": ORDER}])
def test_an_order_is_posted_with_its_priority(body: Any) -> None:
    script = Script(body, 201)
    assert drive(ARCHIVE.order({"Id": ID}), script) == Progress("o-1", "pending", "Queued.")
    (asked,) = script.asked
    assert (asked.method, asked.url) == ("POST", f"{URL}/Products({ID})/OData.CSC.Order")
    assert orjson.loads(asked.body or b"") == {"Priority": 7}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", "pending"),
        ("in_progress", "shipping"),
        ("completed", "succeeded"),
        ("failed", "failed"),
        ("cancelled", "canceled"),
        ("something new", "ordered"),
    ],
)
def test_a_poll_tells_the_state_in_words_of_the_order_extension(status: str, state: str) -> None:
    script = Script({"value": [{**ORDER, "Status": status, "EvictionDate": "2026-01-08T00:00:00.000Z"}]})
    found = drive(ARCHIVE.poll("o-1"), script)
    assert (found.state, found.expires) == (state, 1767830400.0)
    assert script.asked[0].params == (("$filter", "Id eq o-1"),)


@pytest.mark.parametrize(("body", "status"), [({"value": []}, 200), ({"detail": "gone"}, 404)])
def test_an_order_that_is_not_listed_is_not_known(body: Any, status: int) -> None:
    assert drive(ARCHIVE.poll("o-1"), Script(body, status)) == Progress("o-1", None)
    assert drive(ARCHIVE.find({"Id": ID}), Script(body, status)) is None


def test_the_order_of_a_product_is_found_among_those_under_way() -> None:
    script = Script({"value": [ORDER]})
    assert drive(ARCHIVE.find({"Id": ID}), script) == Progress("o-1", "pending", "Queued.")
    assert script.asked[0].params == (
        ("$filter", f"Product/Id eq {ID} and (Status eq 'queued' or Status eq 'in_progress')"),
    )


@pytest.mark.parametrize("body", [b"<html>", [], {"value": {}}, {"Status": "queued"}])
def test_an_answer_that_is_no_order_is_an_error(body: Any) -> None:
    with pytest.raises(UpstreamError):
        drive(ARCHIVE.order({"Id": ID}), Script(body))


@pytest.mark.parametrize("body", [b"<html>", [], {"value": {}}])
def test_an_answer_that_is_no_list_is_an_error(body: Any) -> None:
    with pytest.raises(UpstreamError):
        drive(ARCHIVE.poll("o-1"), Script(body))


def test_an_archive_is_chosen_in_the_catalogues_file() -> None:
    access = {"flow": "none", "ordering": "lta", "order_priority": 7}
    terms = registry.parse("esa", access, {"catalogue": URL, "download": URL}, Credentials())
    assert terms.ordering == ARCHIVE


def test_an_archive_of_no_known_kind_or_without_an_endpoint_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"access\.ordering: 'tape' is none of lta"):
        registry.parse("esa", {"flow": "none", "ordering": "tape"}, {"catalogue": URL}, Credentials())
    with pytest.raises(Misconfigured, match="needs the endpoint `catalogue`"):
        registry.parse("esa", {"flow": "none", "ordering": "lta"}, {}, Credentials())


def test_without_orders_what_is_online_or_made_on_demand_is_there_and_the_rest_says_what_to_do() -> None:
    nobody = NoOrders("cdse", "Use the Workspace.")
    assert nobody.is_online({"Online": True})
    assert nobody.is_online({"BurstId": 15804})
    with pytest.raises(NotOrderable, match="Use the Workspace"):
        nobody.is_online({"Online": False})
    assert drive(nobody.poll("o-1"), Script({})) == Progress("o-1", None)
    with pytest.raises(StacbridgeError):
        drive(nobody.order({"Online": False}), Script({}))


# The whole way -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sim() -> Iterator[LtaSimulator]:
    with LtaSimulator(3000) as simulator:
        yield simulator


@pytest.fixture
def root(sim: LtaSimulator, tmp_path: Path) -> Iterator[str]:
    patience = {"connect_timeout": 0.5, "read_timeout": 1.0, "upstream_deadline": 0.5}
    quick = {"order_poll": 0.1, "order_poll_most": 0.1, "order_quota_wait": 0.5, "location_seconds": 0.01}
    given = lta.settings(sim.url, tmp_path / "orders.sqlite", **patience, **quick)
    with running(create_app(given, [lta.catalogue(given)])) as url:
        yield url


@pytest.fixture
def items(sim: LtaSimulator) -> Iterator[str]:
    rows = [sim.archive.ids.row(id) for id in sim.orders.taken]
    ordered = {str(sim.archive.record(row)["Name"]) for row in rows if row is not None}
    return iter([id for id in lta.items(sim, 40) if f"{id}.SAFE" not in ordered])


def place(root: str, item: str) -> str:
    body = {"collection": lta.COLLECTION, "item": item}
    return requests.post(f"{root}/orders", json=body, timeout=TIMEOUT).headers["Location"]


def order(url: str) -> Any:
    return requests.get(url, timeout=TIMEOUT).json()


def test_a_product_is_ordered_brought_back_and_downloaded(
    root: str, sim: LtaSimulator, items: Iterator[str]
) -> None:
    sim.faults = QUICK
    item = next(items)
    found = requests.get(f"{root}/collections/{lta.COLLECTION}/items/{item}", timeout=TIMEOUT).json()
    href = found["assets"]["Product"]["href"]
    offline = requests.get(href, timeout=TIMEOUT)
    assert (offline.status_code, "Retry-After" in offline.headers) == (503, False)
    url = place(root, item)
    until(lambda: order(url)["status"] == "succeeded")
    assert "expires" in order(url)
    whole = requests.get(href, timeout=TIMEOUT)
    assert whole.status_code == 200 and zipfile.is_zipfile(io.BytesIO(whole.content))


def test_a_download_is_asked_to_wait_only_while_an_order_may_bring_it(
    root: str, sim: LtaSimulator, items: Iterator[str]
) -> None:
    def told(item: str) -> tuple[int, bool, bool]:
        found = requests.get(f"{root}/collections/{lta.COLLECTION}/items/{item}", timeout=TIMEOUT).json()
        answer = requests.get(found["assets"]["Product"]["href"], timeout=TIMEOUT)
        return answer.status_code, "Link" in answer.headers, "Retry-After" in answer.headers

    waiting, failing = next(items), next(items)
    assert told(waiting) == (503, False, False)
    sim.faults = LtaFaults(queue_seconds=1000, staging_seconds=1000)
    place(root, waiting)
    assert told(waiting) == (503, True, True)
    sim.faults = LtaFaults(queue_seconds=0, staging_seconds=0, fail=True)
    url = place(root, failing)
    until(lambda: order(url)["status"] == "failed")
    assert told(failing) == (503, True, False)


@pytest.mark.parametrize("taken", [True, False])
def test_f35_an_order_without_an_answer_is_looked_for_and_ends_up_ordered_once(
    root: str, sim: LtaSimulator, items: Iterator[str], taken: bool
) -> None:
    life = {"queue_seconds": 0, "staging_seconds": 60}
    sim.faults = LtaFaults(**life, taken_unanswered=int(taken), lost_unanswered=int(not taken))  # type: ignore[arg-type]
    before = len(sim.orders.taken)
    url = place(root, next(items))
    until(lambda: order(url)["status"] in ("pending", "shipping"))
    assert len(sim.orders.taken) == before + 1
    assert "sending" in [event["state"] for event in order(url)["events"]]


@pytest.mark.parametrize("status", [403, 429, 503])
def test_f39_a_quota_is_waited_for_and_its_release_told(
    root: str, sim: LtaSimulator, items: Iterator[str], status: int
) -> None:
    sim.faults = LtaFaults(quota=0, refusal=status, retry_after="3600")
    url = place(root, next(items))
    until(lambda: "release" in order(url))
    told = order(url)
    assert (told["status"], told["position"]) == ("ordered", 1)
    assert "takes no more orders" in told["reason"]
    refused = sim.orders.refused
    second = place(root, next(items))
    assert order(second)["release"] == told["release"]
    assert sim.orders.refused == refused


def test_f38_two_bridges_on_one_book_order_a_product_once(
    root: str, sim: LtaSimulator, items: Iterator[str], tmp_path: Path
) -> None:
    sim.faults = QUICK
    item, before = next(items), len(sim.orders.taken)
    given = lta.settings(sim.url, tmp_path / "orders.sqlite", order_poll=0.1)
    with running(create_app(given, [lta.catalogue(given)])) as other:
        urls = [place(root, item), place(other, item)]
        until(lambda: all(order(url)["status"] == "succeeded" for url in urls))
    assert len(sim.orders.taken) == before + 1


def test_items_tell_of_orders_where_everybody_is_the_same_caller(
    root: str, sim: LtaSimulator, items: Iterator[str]
) -> None:
    sim.faults = LtaFaults(queue_seconds=60)
    item = next(items)
    url = f"{root}/collections/{lta.COLLECTION}/items/{item}"
    assert "order:id" not in requests.get(url, timeout=TIMEOUT).json()["properties"]
    id = place(root, item).rpartition("/")[2]
    told = requests.get(url, timeout=TIMEOUT).json()["properties"]
    assert (told["order:id"], told["order:status"] in ("ordered", "pending")) == (id, True)
    body = {"collections": [lta.COLLECTION], "ids": [item], "limit": 1}
    (found,) = requests.post(f"{root}/search", json=body, timeout=TIMEOUT).json()["features"]
    assert found["properties"]["order:id"] == id
