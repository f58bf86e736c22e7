"""HTTP manners that clients depend on: CORS, HEAD, slashes, compression, long URLs, logs."""

import http.client
import logging
from urllib.parse import urlsplit

import pytest
import requests
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.settings import Settings
from tests.api.archive import alpha, beta

PATHS = [
    "/",
    "/conformance",
    "/collections",
    "/collections/radar-grd",
    "/collections/radar-grd/items",
    "/collections/radar-grd/items/radar-grd-0003",
    "/collections/radar-grd/queryables",
    "/collections/radar-grd/sortables",
    "/search",
    "/queryables",
    "/sortables",
    "/api",
    "/api.html",
    "/healthz",
]


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_as_get_without_a_body(api: TestClient, path: str) -> None:
    got, head = api.get(path), api.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for reply in (got, head):
        reply.headers.pop("server-timing", None)
        assert reply.headers.pop("x-request-id")
    assert head.headers == got.headers


def test_head_of_nothing_is_a_404_without_a_body(api: TestClient) -> None:
    reply = api.head("/nothing")
    assert (reply.status_code, reply.content) == (404, b"")


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/"])
def test_a_slash_at_the_end_is_forgiven(api: TestClient, path: str) -> None:
    reply = api.get(f"{path}/", follow_redirects=False)
    assert (reply.status_code, reply.content) == (200, api.get(path).content)


def test_double_slashes_are_forgiven(bridge: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(bridge).netloc)
    connection.request("GET", "//collections//radar-grd//")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize(
    "path", ["/search", "/assets/alpha/radar-grd/radar-grd-0003/image/radar-grd-0003.tif"]
)
@pytest.mark.parametrize("header", ["Authorization", "Content-Type", "Range"])
def test_browsers_may_send_the_headers_they_need(bridge: str, path: str, header: str) -> None:
    asked = {
        "Origin": "https://browser.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": header,
    }
    reply = requests.options(bridge + path, headers=asked, timeout=10)
    assert reply.ok
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert header.lower() in reply.headers["Access-Control-Allow-Headers"].lower()


@pytest.mark.parametrize("path", ["/search", "/nothing", "/search?limit=0"])
def test_browsers_may_read_every_answer(api: TestClient, path: str) -> None:
    reply = api.get(path, headers={"Origin": "https://browser.example"})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert {"Content-Range", "Retry-After", "Location"} <= set(
        reply.headers["access-control-expose-headers"].split(", ")
    )


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "gzip"), ("br", None), ("identity", None)])
def test_answers_of_the_api_are_compressed_by_gzip_alone(
    api: TestClient, accepted: str, encoding: str | None
) -> None:
    reply = api.get("/search", headers={"Accept-Encoding": accepted})
    assert reply.headers.get("content-encoding") == encoding
    assert reply.json()["numberReturned"] == 100


def test_assets_are_never_compressed(bridge: str) -> None:
    url = f"{bridge}/assets/alpha/radar-grd/radar-grd-0003/image/radar-grd-0003.tif"
    reply = requests.get(url, headers={"Accept-Encoding": "gzip, br"}, timeout=10)
    assert (reply.status_code, reply.headers.get("Content-Encoding")) == (200, None)
    assert int(reply.headers["Content-Length"]) == len(reply.content) == 64


def test_assets_are_found_under_the_path_of_the_public_url(bridge: str) -> None:
    settings = Settings(public_url="https://stac.example/eo")
    with TestClient(create_app(settings, [alpha(), beta()])) as client:
        for path in ("/eo/assets/nothing", "/assets/nothing"):
            assert client.get(path).json()["code"] == "NotFound"


def test_a_search_for_hundreds_of_collections_fits_in_a_url(bridge: str) -> None:
    many = ",".join(["radar-grd", *(f"a-collection-with-a-long-name-{number:05}" for number in range(1500))])
    reply = requests.get(f"{bridge}/search?collections={many}&limit=3", timeout=10)
    assert len(reply.url) > 50_000
    assert reply.json()["numberReturned"] == 3
    following = next(link for link in reply.json()["links"] if link["rel"] == "next")
    assert requests.get(following["href"], timeout=10).json()["numberReturned"] == 3


def test_a_credential_in_the_query_is_not_logged(bridge: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "uvicorn.access"):
        requests.get(f"{bridge}/search?limit=1&Authorization=Bearer+sesame", timeout=10)
    from_server = [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]
    assert any("limit=1" in line for line in from_server)
    assert not any("sesame" in line for line in from_server)
