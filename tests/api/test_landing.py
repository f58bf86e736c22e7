"""The documents that tell clients what the API is."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from stacbridge.api.conformance import CONFORMANCE
from stacbridge.app import create_app
from stacbridge.errors import StacbridgeError
from stacbridge.settings import Settings
from tests.api.archive import alpha, beta

Json = dict[str, Any]


def by_rel(document: Json) -> dict[str, Json]:
    return {link["rel"]: link for link in document["links"]}


def test_the_landing_page_is_a_stac_1_1_catalog_that_says_what_it_conforms_to(api: TestClient) -> None:
    page = api.get("/").json()
    assert (page["type"], page["stac_version"], page["title"]) == ("Catalog", "1.1.0", "stacbridge")
    assert page["conformsTo"] == list(CONFORMANCE) == api.get("/conformance").json()["conformsTo"]


def test_every_link_of_the_landing_page_leads_to_its_media_type(api: TestClient) -> None:
    for link in api.get("/").json()["links"]:
        reply = api.request(link.get("method", "GET"), link["href"], json={} if "method" in link else None)
        assert reply.status_code == 200, link
        assert reply.headers["content-type"].replace("; ", ";").startswith(link["type"]), link


def test_search_is_linked_once_for_each_method(api: TestClient) -> None:
    found = [link for link in api.get("/").json()["links"] if link["rel"] == "search"]
    assert [(link["method"], link["href"]) for link in found] == [
        ("GET", "http://testserver/search"),
        ("POST", "http://testserver/search"),
    ]


def test_collections_and_catalogues_are_children_of_the_landing_page(api: TestClient) -> None:
    children = [link for link in api.get("/").json()["links"] if link["rel"] == "child"]
    assert [link["title"] for link in children] == ["Optical L1", "Radar Grd", "Thermal L2", "alpha", "Beta"]


def test_all_collections_are_on_one_page(api: TestClient) -> None:
    page = api.get("/collections").json()
    assert [each["id"] for each in page["collections"]] == ["optical-l1", "radar-grd", "thermal-l2"]
    assert "next" not in by_rel(page)


def test_a_collection_links_to_itself_its_items_and_its_schemas_and_keeps_its_own_links(
    api: TestClient,
) -> None:
    links = by_rel(api.get("/collections/radar-grd").json())
    home = "http://testserver/collections/radar-grd"
    assert links["self"]["href"] == home
    assert links["items"] == {
        "rel": "items",
        "href": f"{home}/items",
        "type": "application/geo+json",
        "title": "Items",
    }
    assert links["http://www.opengis.net/def/rel/ogc/1.0/queryables"]["href"] == f"{home}/queryables"
    assert links["license"]["href"] == "https://license.example/"


def test_the_openapi_document_has_every_route_and_parameter(api: TestClient) -> None:
    document = api.get("/api").json()
    assert {"/search", "/queryables", "/collections/{collection_id}/items/{item_id}"} <= set(
        document["paths"]
    )
    named = {each["name"] for each in document["paths"]["/search"]["get"]["parameters"]}
    assert {"collections", "bbox", "filter", "filter-lang", "sortby", "fields", "token"} <= named
    posted = document["paths"]["/search"]["post"]["requestBody"]["content"]["application/json"]
    body = posted["schema"]["properties"]
    assert {"collections", "intersects", "filter", "sortby"} <= set(body)


def test_the_openapi_document_tells_the_one_shape_of_errors_and_no_other(api: TestClient) -> None:
    document = api.get("/api").json()
    for name, path in document["paths"].items():
        for method, operation in path.items():
            taken = {"202"} if (method, name) == ("post", "/orders") else set()
            assert set(operation["responses"]) == {"200", "4XX", "5XX"} | taken
            told = operation["responses"]["4XX"]["content"]["application/json"]["schema"]
            assert told["required"] == ["code", "description"]
            assert set(told["properties"]) == set(vars(StacbridgeError("x"))) | {"code", "request_id"}


@pytest.mark.parametrize("path", ["/queryables", "/collections/radar-grd/queryables", "/sortables"])
def test_schemas_of_properties_are_json_schemas_under_their_own_url(api: TestClient, path: str) -> None:
    reply = api.get(path)
    assert reply.headers["content-type"] == "application/schema+json"
    schema = reply.json()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"http://testserver{path}"
    assert schema["properties"]["eo:cloud_cover"] == {"type": "number"}


def test_global_queryables_are_those_of_all_catalogues(api: TestClient) -> None:
    everything = set(api.get("/queryables").json()["properties"])
    for id in ("optical-l1", "radar-grd", "thermal-l2"):
        assert set(api.get(f"/collections/{id}/queryables").json()["properties"]) <= everything


def test_health_asks_nobody(api: TestClient) -> None:
    assert api.get("/healthz").json() == {"status": "ok"}


@pytest.fixture(scope="module")
def public() -> Iterator[TestClient]:
    settings = Settings(public_url="https://stac.example/eo/")
    with TestClient(create_app(settings, [alpha(), beta()])) as client:
        yield client


def test_links_start_with_the_public_url_where_one_is_set(public: TestClient) -> None:
    links = by_rel(public.get("/").json())
    assert links["self"]["href"] == "https://stac.example/eo/"
    assert links["data"]["href"] == "https://stac.example/eo/collections"


def test_the_public_urls_path_may_be_in_the_request_or_not(public: TestClient) -> None:
    assert public.get("/eo/collections").json() == public.get("/collections").json()
    assert public.get("/eo/").json() == public.get("/eo").json() == public.get("/").json()


@pytest.mark.parametrize(
    ("headers", "root"),
    [
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "stac.example"}, "https://stac.example"),
        ({"X-Forwarded-Host": "stac.example", "X-Forwarded-Port": "8443"}, "http://stac.example:8443"),
        ({"X-Forwarded-Host": "a.example, b.example"}, "http://a.example"),
        ({"X-Forwarded-Host": "stac.example", "X-Forwarded-Prefix": "/eo/"}, "http://stac.example/eo"),
        (
            {"Forwarded": 'for=10.0.0.1;proto=https;host="stac.example:444", for=x'},
            "https://stac.example:444",
        ),
        ({"Host": "[::1]:8080"}, "http://[::1]:8080"),
        (
            {"X-Forwarded-Host": "evil.example/<script>", "X-Forwarded-Proto": "javascript"},
            "http://testserver",
        ),
    ],
)
def test_links_follow_what_a_reverse_proxy_says(headers: dict[str, str], root: str) -> None:
    app = create_app(Settings(), [alpha(), beta()])
    with TestClient(app, client=("127.0.0.1", 50000)) as proxy:
        page = proxy.get("/", headers=headers).json()
    assert by_rel(page)["data"]["href"] == f"{root}/collections"
