"""What clients and operators are told where an upstream lists a collection that another catalogue has."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.settings import Settings
from tests.api.archive import alpha, collection, item
from tests.unit.discovered import Discovered

PATHS = ("/", "/collections", "/search", "/collections/radar-grd/items", "/catalogues/other/collections")


@pytest.fixture
def other() -> Discovered:
    return Discovered("other", "gas", items=[item("gas", 1), item("radar-grd", 1000)])


@pytest.fixture
def api(other: Discovered) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), [alpha(), other])) as client:
        yield client


def test_an_upstream_that_lists_anothers_collection_takes_nothing_down(
    api: TestClient, other: Discovered
) -> None:
    other.told.append(collection("radar-grd"))
    assert [api.get(path).status_code for path in PATHS] == [200] * len(PATHS)
    ids = [each["id"] for each in api.get("/collections").json()["collections"]]
    assert ids == ["optical-l1", "radar-grd", "gas"]
    assert all(each["id"] != "radar-grd-1000" for each in api.get("/search").json()["features"])
    with TestClient(create_app(Settings(), [alpha(), other])) as restarted:
        assert restarted.get("/collections").status_code == 200


def test_the_list_of_collections_and_health_say_what_is_left_out(api: TestClient, other: Discovered) -> None:
    before: dict[str, Any] = api.get("/collections").json()
    other.told.append(collection("radar-grd"))
    after: dict[str, Any] = api.get("/collections").json()
    (warning,) = after["stacbridge:warnings"]
    assert "stacbridge:warnings" not in before and "federation:missing" not in after
    assert (warning["catalogue"], warning["code"]) == ("other", "CollectionsLeftOut")
    assert "'radar-grd' (alpha)" in warning["reason"]
    health = api.get("/health").json()["catalogues"]
    assert (health["other"]["warnings"], health["alpha"]["warnings"]) == ([warning["reason"]], [])
    assert 'stacbridge_account_warnings{catalogue="other"} 1.0' in api.get("/metrics").text


def test_the_api_of_a_catalogue_alone_leaves_out_what_another_has(api: TestClient, other: Discovered) -> None:
    other.told.append(collection("radar-grd"))
    api.get("/collections")
    told = api.get("/catalogues/other/collections").json()
    assert [each["id"] for each in told["collections"]] == ["gas"]
    assert told["stacbridge:warnings"][0]["code"] == "CollectionsLeftOut"
    items = api.get("/catalogues/other/search").json()["features"]
    assert [each["id"] for each in items] == ["gas-0001"]
