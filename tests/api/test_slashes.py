"""Ids with slashes in them, such as DOIs."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json
from stacbridge.settings import Settings
from tests.api.archive import collection, item

COLLECTION, ITEM = "10.5270/S2", "a/b"


@pytest.fixture(scope="module")
def slashed() -> Iterator[TestClient]:
    items: list[Json] = [item(COLLECTION, number) | {"id": f"{ITEM}{number}"} for number in range(3)]
    catalogue = MemoryCatalogue("one", [collection(COLLECTION)], items)
    with TestClient(create_app(Settings(), [catalogue])) as client:
        yield client


@pytest.mark.parametrize("root", ["", "/catalogues/one"])
def test_every_link_of_a_collection_leads_somewhere(slashed: TestClient, root: str) -> None:
    (found,) = slashed.get(f"{root}/collections").json()["collections"]
    own = [link["href"] for link in found["links"] if "/collections/" in link["href"]]
    assert {href.rpartition("/")[2] for href in own} == {
        *("10.5270%2FS2", "items", "queryables", "sortables", "aggregate", "aggregations")
    }
    assert [href for href in own if slashed.get(href).status_code != 200] == []
    assert slashed.get(own[0]).json()["id"] == COLLECTION


@pytest.mark.parametrize("root", ["", "/catalogues/one"])
def test_every_link_of_a_page_of_items_leads_somewhere(slashed: TestClient, root: str) -> None:
    page = slashed.get(f"{root}/collections/10.5270%2FS2/items?limit=1").json()
    (shown,) = page["features"]
    hrefs = [link["href"] for link in [*page["links"], *shown["links"]]]
    assert [href for href in hrefs if slashed.get(href).status_code != 200] == []
    itself = next(link["href"] for link in shown["links"] if link["rel"] == "self")
    assert slashed.get(itself).json()["id"] == shown["id"]


def test_a_collection_may_have_a_slash_in_its_id() -> None:
    odd = MemoryCatalogue("odd", [collection("a/b")], [item("a/b", 7)])
    with TestClient(create_app(Settings(), [odd])) as client:
        found = client.get("/collections/a%2Fb").json()
        assert found["id"] == "a/b"
        links = {link["rel"]: link["href"] for link in found["links"]}
        (only,) = client.get(links["items"]).json()["features"]
        assert client.get(f"{links['items']}/a%2Fb-0007").json()["id"] == only["id"] == "a/b-0007"
