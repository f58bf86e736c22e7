"""The Sort extension over GET and POST."""

from typing import Any

import pytest
from starlette.testclient import TestClient


def values(reply: Any, name: str = "eo:cloud_cover") -> list[Any]:
    assert reply.status_code == 200, reply.text
    return [item["properties"].get(name, item.get(name)) for item in reply.json()["features"]]


@pytest.mark.parametrize("name", ["eo:cloud_cover", "properties.eo:cloud_cover"])
@pytest.mark.parametrize("sign", ["", "+", "%2B", "-"])
def test_a_url_sorts_by_a_signed_name_with_or_without_its_prefix(
    api: TestClient, name: str, sign: str
) -> None:
    found = values(api.get(f"/search?collections=optical-l1&sortby={sign}{name}"))
    assert found == sorted(found, reverse=sign == "-")


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_a_body_sorts_by_field_and_direction(api: TestClient, direction: str) -> None:
    body = {
        "collections": ["optical-l1"],
        "sortby": [{"field": "properties.datetime", "direction": direction}],
    }
    found = values(api.post("/search", json=body), "datetime")
    assert found == sorted(found, reverse=direction == "desc")


def test_later_keys_decide_where_earlier_ones_are_equal(api: TestClient) -> None:
    page = api.get("/search?collections=optical-l1&sortby=platform,-eo:cloud_cover&limit=500").json()
    keys = [
        (item["properties"]["platform"], -item["properties"]["eo:cloud_cover"]) for item in page["features"]
    ]
    assert keys == sorted(keys)


@pytest.mark.parametrize("name", ["id", "collection"])
def test_items_sort_by_their_own_ids(api: TestClient, name: str) -> None:
    found = values(
        api.post("/search", json={"sortby": [{"field": name, "direction": "asc"}], "limit": 450}), name
    )
    assert found == sorted(found)


def test_pages_of_a_sorted_search_follow_each_other(api: TestClient) -> None:
    url: str | None = "/search?collections=optical-l1&sortby=-eo:cloud_cover&limit=150"
    found: list[Any] = []
    while url:
        reply = api.get(url)
        found += values(reply)
        url = next((link["href"] for link in reply.json()["links"] if link["rel"] == "next"), None)
    assert found == sorted(found, reverse=True)
    assert len(found) == 420


def test_items_of_a_collection_sort_too(api: TestClient) -> None:
    found = values(api.get("/collections/optical-l1/items?sortby=eo:cloud_cover"))
    assert found == sorted(found)


@pytest.mark.parametrize("path", ["/sortables", "/collections/radar-grd/sortables"])
def test_every_sortable_sorts_and_nothing_else_does(api: TestClient, path: str) -> None:
    names = set(api.get(path).json()["properties"])
    assert {"id", "collection", "datetime", "platform", "eo:cloud_cover", "created"} == names
    assert all(api.get(f"/search?sortby={name}&limit=2").status_code == 200 for name in names)
    assert api.get("/search?sortby=geometry").json()["parameter"] == "sortby"
