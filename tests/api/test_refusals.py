"""What the API refuses, and how it says so: one shape, the parameter's name, no internals, no credentials."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.errors import LoginRefused, Misconfigured, UpstreamUnavailable
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Query, Skipped
from stacbridge.settings import Settings
from tests.api.archive import alpha, collection, item

POLYGON = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}

BAD_URLS = [
    ("bbox=1,2,3", "bbox"),
    ("bbox=1,2", "bbox"),
    ("bbox=1", "bbox"),
    ("bbox=1,2,3,4,5", "bbox"),
    ("bbox=1,2,3,4,5,6,7", "bbox"),
    ("bbox=[1,2,3,4]", "bbox"),
    ("bbox=0,50,1,40", "bbox"),
    ("bbox=a,b,c,d", "bbox"),
    ("bbox=nan,0,1,1", "bbox"),
    ("bbox=0,0,inf,1", "bbox"),
    ("bbox=-500,0,1,1", "bbox"),
    ("bbox=0,0,1,91", "bbox"),
    ('bbox=0,0,1,1&intersects={"type":"Point","coordinates":[0,0]}', "intersects"),
    ("intersects={}", "intersects"),
    ("intersects=[]", "intersects"),
    ("intersects=nonsense", "intersects"),
    ('intersects={"type":"Feature","geometry":{"type":"Point","coordinates":[0,0]}}', "intersects"),
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=many", "limit"),
    ("limit=1&limit=2", "limit"),
    ("datetime=", "datetime"),
    ("datetime=2024-01-01", "datetime"),
    ("datetime=2024-01-01T00:00:00", "datetime"),
    ("datetime=2024-01-01T00:00:00.Z", "datetime"),
    ("datetime=2024-13-01T00:00:00Z", "datetime"),
    ("datetime=/", "datetime"),
    ("datetime=../..", "datetime"),
    ("datetime=2024-01-02T00:00:00Z/2024-01-01T00:00:00Z", "datetime"),
    ("datetime=2024-01-01T00:00:00Z/2024-01-02T00:00:00Z/..", "datetime"),
    ("sortby=nonsense", "sortby"),
    ("filter=nonsense(", "filter"),
    ("filter=id='x'&filter-lang=cql2-json", "filter"),
    ("filter=id='x'&filter-lang=sql", "filter-lang"),
    ("filter=id='x'&filter-crs=http://www.opengis.net/def/crs/EPSG/0/3857", "filter-crs"),
    ("token=!!", "token"),
    ("count=perhaps", "count"),
    ('query={"a":1}', "query"),
    ("query=nonsense", "query"),
    ("scenes=twice", "scenes"),
]

BAD_BODIES: list[tuple[Any, str]] = [
    ({"bbox": "0,0,1,1"}, "bbox"),
    ({"bbox": [0, 50, 1, 40]}, "bbox"),
    ({"bbox": [0, 0, 1]}, "bbox"),
    ({"bbox": [0, 0, 1, True]}, "bbox"),
    ({"bbox": [0, 0, 1, 1], "intersects": POLYGON}, "intersects"),
    ({"intersects": "POINT(0 0)"}, "intersects"),
    ({"intersects": {"type": "Polygon", "coordinates": []}}, "intersects"),
    ({"limit": 0}, "limit"),
    ({"limit": "10"}, "limit"),
    ({"limit": True}, "limit"),
    ({"limit": 1.5}, "limit"),
    ({"datetime": ["2024-01-01T00:00:00Z"]}, "datetime"),
    ({"ids": [1]}, "ids"),
    ({"ids": [str(number) for number in range(501)]}, "ids"),
    ({"collections": {"a": 1}}, "collections"),
    ({"sortby": "datetime"}, "sortby"),
    ({"sortby": [{"field": "datetime", "direction": "up"}]}, "sortby"),
    ({"sortby": [{}]}, "sortby"),
    ({"fields": None}, "fields"),
    ({"fields": ["id"]}, "fields"),
    ({"fields": {"include": "id"}}, "fields"),
    ({"filter": 7}, "filter"),
    ({"filter": {}}, "filter"),
    ({"filter": {"op": "nonsense", "args": []}}, "filter"),
    ({"token": 7}, "token"),
    ({"count": "yes"}, "count"),
    ({"query": {"eo:cloud_cover": {"below": 5}}}, "query"),
    ({"query": {"eo:cloud_cover": {}}}, "query"),
    ({"query": {"platform": {"startsWith": 5}}}, "query"),
    ({"query": {"platform": {"in": "a"}}}, "query"),
    ({"query": {"platform": {"lt": None}}}, "query"),
    ({"query": [1]}, "query"),
    ({"q": "snow"}, "q"),
    ({"q": [7]}, "q"),
    ({"q": [f"term{number}" for number in range(17)]}, "q"),
    ({"q": ["x" * 9000]}, "q"),
    ({"scenes": 1}, "scenes"),
]


@pytest.mark.parametrize(("query", "parameter"), BAD_URLS)
def test_a_bad_url_is_refused_by_the_parameters_name(api: TestClient, query: str, parameter: str) -> None:
    reply = api.get(f"/search?{query}")
    assert (reply.status_code, reply.json()["code"]) in [(400, "BadRequest"), (400, "UnsupportedFilter")]
    assert reply.json()["parameter"] == parameter


@pytest.mark.parametrize(("body", "parameter"), BAD_BODIES)
def test_a_bad_body_is_refused_by_the_parameters_name(api: TestClient, body: Any, parameter: str) -> None:
    reply = api.post("/search", json=body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["parameter"] == parameter


@pytest.mark.parametrize("query", ["bbox=1,2,3", "limit=0", "datetime=2024-01-01", "filter=nonsense("])
def test_items_of_a_collection_refuse_what_search_refuses(api: TestClient, query: str) -> None:
    assert api.get(f"/collections/radar-grd/items?{query}").status_code == 400


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"7", b'"text"', b"null", b"[" * 100_000, b'{"limit": ' + b"[" * 5000),
        b'{"filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, NaN]}}',
        b'{"filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, Infinity]}}',
    ],
)
@pytest.mark.parametrize("path", ["/search", "/aggregate"])
def test_a_body_that_is_no_json_object_is_refused(api: TestClient, path: str, content: bytes) -> None:
    reply = api.post(path, content=content, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"], reply.json()["parameter"]) == (400, "BadRequest", "body")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
@pytest.mark.parametrize("path", ["/search", "/aggregate"])
def test_a_body_of_json_is_read_whatever_its_type_is_called(api: TestClient, path: str, kind: str) -> None:
    body = b'{"limit": 1, "aggregations": ["total_count"]}'
    assert api.post(path, content=body, headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b'{"ids": ["\\ud800"]}',
        b'{"limit": 1, "nonsense": ' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"limit": 1, "filter": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"intersects": {"type": "Point", "coordinates": [1, 1], "x": ' + b"[" * 400 + b"]" * 400 + b"}}",
    ],
)
def test_a_body_that_no_link_could_repeat_is_refused(api: TestClient, content: bytes) -> None:
    reply = api.post("/search", content=content, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (400, "BadRequest")


def test_a_refused_body_is_not_repeated(api: TestClient) -> None:
    reply = api.post(
        "/search", content=b'{"password": "sesame"', headers={"Content-Type": "application/json"}
    )
    assert reply.status_code == 400
    assert "sesame" not in reply.text


def test_numbers_that_are_not_finite_are_refused_in_bodies_too(api: TestClient) -> None:
    for content in (
        b'{"bbox": [NaN, 0, 1, 1]}',
        b'{"intersects": {"type": "Point", "coordinates": [NaN, 0]}}',
    ):
        reply = api.post("/search", content=content, headers={"Content-Type": "application/json"})
        assert reply.status_code == 400, content


def test_a_body_larger_than_any_search_is_refused_before_it_is_read_whole(api: TestClient) -> None:
    reply = api.post("/search", content=b" " * 2_000_000, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    "path", ["/nothing", "/collections/x", "/collections/x/items", "/collections/x/queryables"]
)
def test_what_is_not_there_is_a_404_of_the_one_shape(api: TestClient, path: str) -> None:
    reply = api.get(path)
    assert reply.status_code == 404
    assert {"code", "description"} <= set(reply.json())
    assert reply.json()["code"] == "NotFound"


@pytest.mark.parametrize(
    ("method", "path", "taken"),
    [
        ("DELETE", "/collections", "GET, HEAD"),
        ("PUT", "/search", "GET, HEAD, POST"),
        ("OPTIONS", "/search", "GET, HEAD, POST"),
        ("PUT", "/catalogues/alpha/search", "GET, HEAD, POST"),
        ("PUT", "/orders", "GET, HEAD, POST"),
        ("PUT", "/orders/x", "GET, HEAD, DELETE"),
        ("PUT", "/aggregate", "GET, HEAD, POST"),
        ("POST", "/account/alpha", "PUT, DELETE"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_a_405_that_names_those_it_has(
    api: TestClient, method: str, path: str, taken: str
) -> None:
    reply = api.request(method, path)
    assert (reply.status_code, reply.json()["code"]) == (405, "MethodNotAllowed")
    assert reply.headers["allow"] == taken


@pytest.mark.parametrize("path", ["/search", "/orders", "/sign"])
def test_a_body_that_is_too_large_is_refused_by_the_name_of_the_setting(path: str) -> None:
    with TestClient(create_app(Settings(max_body_bytes=100), [alpha()])) as client:
        reply = client.post(path, content=b"x" * 101)
    assert (reply.status_code, reply.json()["parameter"]) == (400, "body")
    assert "max_body_bytes" in reply.json()["advice"] and "search" not in reply.text


@pytest.mark.parametrize("below", ["", "/items", "/items/x%2Fy", "/queryables", "/aggregate"])
def test_a_collection_that_is_not_there_is_named_as_it_was_asked_for(api: TestClient, below: str) -> None:
    reply = api.get(f"/collections/a%2Fb{below}")
    assert reply.status_code == 404
    assert "There is no collection 'a/b'." in reply.json()["description"]


def test_a_collection_may_have_a_slash_in_its_id() -> None:
    odd = MemoryCatalogue("odd", [collection("a/b")], [item("a/b", 7)])
    with TestClient(create_app(Settings(), [odd])) as client:
        found = client.get("/collections/a%2Fb").json()
        assert found["id"] == "a/b"
        links = {link["rel"]: link["href"] for link in found["links"]}
        (only,) = client.get(links["items"]).json()["features"]
        assert client.get(f"{links['items']}/a%2Fb-0007").json()["id"] == only["id"] == "a/b-0007"


class Failing(MemoryCatalogue):
    """A catalogue whose searches raise what it is given."""

    def __init__(self, failure: Exception) -> None:
        super().__init__("failing", [collection("radar-grd")], [])
        self.failure = failure

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        raise self.failure


def asked_of(catalogue: MemoryCatalogue) -> Any:
    with TestClient(create_app(Settings(), [catalogue]), raise_server_exceptions=False) as client:
        return client.get("/search", headers={"Origin": "https://browser.example"})


def test_a_failing_upstream_is_told_with_who_what_and_when_to_come_back() -> None:
    failure = UpstreamUnavailable(
        "The catalogue is down.", upstream="failing", asked="GET /Products", answered="503", retry_after=900
    )
    reply = asked_of(Failing(failure))
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "30")
    assert reply.json() == {
        "code": "UpstreamUnavailable",
        "description": "The catalogue is down. It answered: 503",
        "upstream": "failing",
        "asked": "GET /Products",
        "answered": "503",
        "retry_after": 900,
        "request_id": reply.headers["x-request-id"],
    }


def test_a_refused_account_is_told_and_clients_are_not_asked_to_repeat_it() -> None:
    refused = LoginRefused("The upstream refuses the account.", upstream="failing", retry_after=900)
    reply = asked_of(Failing(refused))
    assert (reply.status_code, reply.json()["retry_after"]) == (503, 900)
    assert "retry-after" not in reply.headers


def test_a_missing_setting_is_a_503_that_names_it() -> None:
    reply = asked_of(Failing(Misconfigured("The setting `credentials.x.password` is missing.")))
    assert (reply.status_code, reply.json()["code"]) == (503, "Misconfigured")


def test_a_fault_of_ours_is_a_500_without_internals_that_browsers_can_read() -> None:
    reply = asked_of(Failing(RuntimeError("password=sesame")))
    assert (reply.status_code, reply.json()["code"]) == (500, "InternalServerError")
    assert "sesame" not in reply.text
    assert reply.headers["access-control-allow-origin"] == "*"


class Skipping(MemoryCatalogue):
    """A catalogue some of whose records cannot become items."""

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        found = super().search(query, root, ready=ready)
        skipped = (
            Skipped("A", "it has no start time", 1),
            Skipped("B", "it has no start time", 2),
            Skipped("C", "x", 3),
        )
        return replace(found, skipped=skipped)


def test_records_that_could_not_become_items_are_counted_in_the_answer() -> None:
    catalogue = Skipping("skipping", [collection("radar-grd")], [item("radar-grd", 1)])
    assert asked_of(catalogue).json()["stacbridge:skipped"] == {
        "count": 3,
        "reasons": {"it has no start time": 2, "x": 1},
    }


def test_a_collection_in_two_catalogues_is_refused_at_the_start() -> None:
    twin = MemoryCatalogue("twin", [collection("radar-grd")], [])
    with pytest.raises(Misconfigured, match="'radar-grd' is in both catalogues 'alpha' and 'twin'"):
        create_app(Settings(), [alpha(), twin])
