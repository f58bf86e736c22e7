"""pystac-client with its warnings as errors: what most Python users see of the API."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pystac
import pytest
from pystac_client import Client
from pystac_client.warnings import strict


@pytest.fixture
def client(bridge: str) -> Iterator[Client]:
    with strict():
        yield Client.open(bridge)


def test_it_lists_collections_and_finds_one(client: Client) -> None:
    assert [each.id for each in client.get_collections()] == ["optical-l1", "radar-grd", "thermal-l2"]
    found = client.get_collection("radar-grd")
    assert found
    assert found.title == "Radar Grd"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_pages_through_a_search(client: Client, method: str) -> None:
    search = client.search(method=method, collections=["optical-l1", "thermal-l2"], limit=50)
    found = [item.id for item in search.items()]
    assert len(found) == len(set(found)) == 465


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_counts_matches(client: Client, method: str) -> None:
    assert client.search(method=method, collections=["radar-grd"]).matched() == 30


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_narrows_by_place_time_and_ids(client: Client, method: str) -> None:
    time = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 4, tzinfo=UTC))
    found = list(
        client.search(method=method, bbox=[10, 10, 14, 12], datetime=time, collections="radar-grd").items()
    )
    assert found
    assert all(time[0] <= item.datetime <= time[1] for item in found if item.datetime)
    assert [item.id for item in client.search(method=method, ids=["radar-grd-0007"]).items()] == [
        "radar-grd-0007"
    ]


@pytest.mark.parametrize(
    ("method", "cql2"),
    [("GET", "eo:cloud_cover < 3"), ("POST", {"op": "<", "args": [{"property": "eo:cloud_cover"}, 3]})],
)
def test_it_filters_sorts_and_chooses_fields(client: Client, method: str, cql2: str | dict[str, Any]) -> None:
    search = client.search(
        method=method,
        filter=cql2,
        sortby="-properties.eo:cloud_cover",
        fields=["id", "properties.eo:cloud_cover"],
    )
    found = [item["properties"] for item in search.items_as_dicts()]
    assert found
    assert all(set(each) == {"eo:cloud_cover"} for each in found)
    assert found[0]["eo:cloud_cover"] == 2.5


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("query", [["eo:cloud_cover<3", "platform=radar-a"], {"eo:cloud_cover": {"lt": 3}}])
def test_it_asks_by_query(client: Client, method: str, query: Any) -> None:
    found = list(client.search(method=method, query=query, collections="radar-grd").items())
    assert found
    assert all(item.properties["eo:cloud_cover"] < 3 for item in found)


def test_it_searches_collections_in_order(client: Client) -> None:
    found = client.collection_search(q="scenes", sortby="-title", filter="keywords LIKE 'made%'")
    assert [each.id for each in found.collections()] == ["thermal-l2", "radar-grd", "optical-l1"]


def test_it_reads_queryables_of_the_api_and_of_collections(client: Client) -> None:
    assert "eo:cloud_cover" in client.get_queryables()["properties"]
    assert "eo:cloud_cover" in client.get_merged_queryables(["radar-grd", "thermal-l2"])["properties"]


def test_it_finds_an_item_of_a_collection_and_none_that_is_not_there(client: Client) -> None:
    collection = client.get_collection("radar-grd")
    assert collection
    item = collection.get_item("radar-grd-0003")
    assert item
    assert item.id == "radar-grd-0003"
    assert collection.get_item("radar-grd-9999") is None


def test_readers_of_static_catalogues_see_the_collections_as_children(bridge: str) -> None:
    catalog = pystac.Catalog.from_file(f"{bridge}/")
    collections = ["optical-l1", "radar-grd", "thermal-l2"]
    assert [child.id for child in catalog.get_children()] == [*collections, "alpha", "beta"]
    assert [child.id for child in catalog.get_collections()] == collections
