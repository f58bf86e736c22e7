"""Every catalogue as a STAC API of its own, below the one of all."""

from collections.abc import Iterator
from typing import Any

import pystac_client
import pystac_client.warnings
import pytest
import requests
from starlette.testclient import TestClient

from conformance.validator.schemas import check
from stacbridge.app import create_app
from stacbridge.settings import Settings
from tests.api.archive import alpha, beta

Json = dict[str, Any]
HOME = "http://testserver/catalogues/alpha"


def hrefs(document: Any) -> Iterator[str]:
    """Yield every href of a document that leads into the bridge, but for those to what is above."""
    if isinstance(document, dict):
        if document.get("rel") != "parent" and str(document.get("href")).startswith("http://testserver"):
            yield document["href"]
        for value in document.values():
            yield from hrefs(value)
    elif isinstance(document, list):
        for value in document:
            yield from hrefs(value)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/conformance",
        "/collections",
        "/collections/radar-grd",
        "/collections/radar-grd/items?limit=3",
        "/collections/radar-grd/items/radar-grd-0001",
        "/search?limit=3",
        "/queryables",
        "/sortables",
        "/collections/radar-grd/queryables",
        "/api",
        "/api.html",
    ],
)
def test_every_route_is_there_and_its_links_stay_below_its_path(api: TestClient, path: str) -> None:
    reply = api.get(f"/catalogues/alpha{path}")
    assert reply.status_code == 200, reply.text
    if "json" in reply.headers["content-type"]:
        assert all(href.startswith(f"{HOME}/") for href in hrefs(reply.json())), path


def test_it_has_its_own_collections_and_items_and_no_others(api: TestClient) -> None:
    told = api.get("/catalogues/alpha/collections").json()["collections"]
    assert [each["id"] for each in told] == ["optical-l1", "radar-grd"]
    assert api.get("/catalogues/alpha/collections/thermal-l2").status_code == 404
    found = api.post("/catalogues/beta/search", json={"limit": 500}).json()
    assert {item["collection"] for item in found["features"]} == {"thermal-l2"}
    assert found["numberReturned"] == 45


def test_landing_pages_have_ids_of_their_own_and_know_each_other(api: TestClient) -> None:
    pages = {path: api.get(path).json() for path in ("/", "/catalogues/alpha/", "/catalogues/beta")}
    assert [page["id"] for page in pages.values()] == ["stacbridge", "alpha", "beta"]
    assert pages["/catalogues/beta"]["title"] == "Beta"
    for page in pages.values():
        check(page)
    children = [link["href"] for link in pages["/"]["links"] if link["rel"] == "child"]
    assert children[-2:] == [f"{HOME}/", "http://testserver/catalogues/beta/"]
    rels = {link["rel"]: link["href"] for link in pages["/catalogues/alpha/"]["links"]}
    assert (rels["self"], rels["root"], rels["parent"]) == (f"{HOME}/", f"{HOME}/", "http://testserver/")


def test_pages_follow_each_other_below_its_path(api: TestClient) -> None:
    url: str | None = "/catalogues/alpha/search?limit=200"
    found: list[str] = []
    while url:
        page = api.get(url).json()
        found += [item["id"] for item in page["features"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        assert url is None or url.startswith(f"{HOME}/search?")
    assert len(set(found)) == len(found) == 450


@pytest.mark.parametrize("path", ["/catalogues", "/catalogues/nobody", "/catalogues/nobody/search"])
def test_a_catalogue_that_is_not_served_is_a_404(api: TestClient, path: str) -> None:
    assert (api.get(path).status_code, api.get(path).json()["code"]) == (404, "NotFound")


def test_its_assets_download_from_below_its_path_and_others_do_not(bridge: str) -> None:
    home = f"{bridge}/catalogues/beta"
    with pystac_client.warnings.strict():
        catalogue = pystac_client.Client.open(f"{home}/")
        item = next(catalogue.search(collections=["thermal-l2"], max_items=1).items())
        assert {each.id for each in catalogue.get_collections()} == {"thermal-l2"}
    href = item.assets["image"].href
    assert href.startswith(f"{home}/assets/beta/thermal-l2/")
    assert requests.get(href, timeout=10).content[:4] == b"II*\x00"
    assert requests.get(href.replace("catalogues/beta", "catalogues/alpha"), timeout=10).status_code == 404


def test_below_a_public_url_too() -> None:
    settings = Settings(public_url="https://stac.example/eo")
    with TestClient(create_app(settings, [alpha(), beta()])) as public:
        for path in ("/catalogues/alpha", "/eo/catalogues/alpha/"):
            links = {link["rel"]: link["href"] for link in public.get(path).json()["links"]}
            assert links["self"] == "https://stac.example/eo/catalogues/alpha/"
            assert links["parent"] == "https://stac.example/eo/"
            assert links["data"] == "https://stac.example/eo/catalogues/alpha/collections"


def test_the_openapi_document_names_the_server_below(api: TestClient) -> None:
    assert api.get("/catalogues/alpha/api").json()["servers"] == [{"url": "/catalogues/alpha"}]
