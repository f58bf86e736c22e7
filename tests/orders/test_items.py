"""Orders on Items, for those whose orders they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from stacbridge.catalogue import Archive
from stacbridge.federation import Federation
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json, Progress
from stacbridge.orders.desk import Desk
from stacbridge.orders.items import annotate
from stacbridge.settings import Settings
from tests.api.archive import collection, item
from tests.orders.archives import Script
from tests.schemas import faults
from tests.servers import Clock

EXTENSION = "https://stac-extensions.github.io/order/v1.1.0/schema.json"


class Offline(MemoryCatalogue):
    archive: Archive | None = Script(place_answers=[Progress("O-1", "ordered")])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    catalogue = Offline("alpha", [collection("optical-l1")], [item("optical-l1", n) for n in range(4)])
    given = Settings(order_store=SecretStr(f"sqlite:///{tmp_path / 'orders.sqlite'}"))
    desk = Desk(Federation([catalogue], given), given, Clock(1_800_000_000.0))
    yield desk
    desk.stop()


def offline(number: int, **properties: Any) -> Json:
    found = item("optical-l1", number)
    return {**found, "properties": {**found["properties"], "order:status": "orderable", **properties}}


def place(desk: Desk, number: int, principal: str = "ada") -> str:
    return desk.place("optical-l1", item("optical-l1", number)["id"], principal, str).id


def test_items_say_how_their_order_stands_to_whose_order_it_is(desk: Desk) -> None:
    id = place(desk, 1)
    mine = annotate(desk, [offline(0), offline(1)], "ada")
    assert mine[0]["properties"]["order:status"] == "orderable"
    told = mine[1]["properties"]
    assert (told["order:status"], told["order:id"]) == ("ordered", id)
    assert told["order:date"] == "2027-01-15T08:00:00.000000Z"
    assert EXTENSION in mine[1]["stac_extensions"]
    theirs = annotate(desk, [offline(1)], "bob")
    assert "order:id" not in theirs[0]["properties"]


def test_an_item_whose_bytes_are_there_stays_so(desk: Desk) -> None:
    place(desk, 1)
    (found,) = annotate(desk, [offline(1, **{"order:status": "succeeded"})], "ada")
    assert found["properties"]["order:status"] == "succeeded"


def test_the_items_that_were_given_are_not_changed(desk: Desk) -> None:
    place(desk, 1)
    given = offline(1)
    annotate(desk, [given], "ada")
    assert given == offline(1)


def test_items_with_orders_are_valid(desk: Desk) -> None:
    place(desk, 1)
    links = [{"rel": "collection", "href": "http://bridge/collections/optical-l1"}]
    (found,) = annotate(desk, [{**offline(1), "links": links}], "ada")
    assert faults(found) == []


def test_without_a_book_nothing_is_asked_and_nothing_changes(desk: Desk) -> None:
    given = [offline(0)]
    assert annotate(desk, given, "ada")[0] is given[0]
