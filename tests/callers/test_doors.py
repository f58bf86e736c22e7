"""Who gets in where, over HTTP."""

import base64
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from tests.api.serving import Products
from tests.callers.bridges import Bridge, guarded

SEARCHES = [
    "/collections",
    "/collections/radar-grd",
    "/collections/radar-grd/items",
    "/collections/radar-grd/queryables",
    "/search",
    "//search/",
    "/queryables",
    "/sortables",
]
FOR_ALL = ["/", "/conformance", "/api", "/api.html", "/healthz"]
NOT_FOR_ALL = [
    ("GET", "/orders/x"),
    ("POST", "/orders"),
    ("POST", "/sign"),
    ("PUT", "/account/alpha"),
    ("DELETE", "/account/alpha"),
    ("GET", "/metrics"),
    ("GET", "/anything"),
    ("GET", "/assets/alpha/radar-grd/radar-grd-0000/image/radar-grd-0000.tif"),
    ("HEAD", "/assets/alpha/radar-grd/radar-grd-0000/image/radar-grd-0000.tif"),
    ("POST", "/assets/alpha/radar-grd/radar-grd-0000/image/radar-grd-0000.tif"),
]


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    with guarded(tmp_path_factory.mktemp("bridge")) as running:
        yield running


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    with guarded(tmp_path_factory.mktemp("closed"), protect_searches=True) as running:
        yield running


def challenged(answer: requests.Response) -> bool:
    """Tell whether an answer asks who comes, in both schemes, a header each."""
    told = answer.raw.headers.getlist("WWW-Authenticate")
    return answer.status_code == 401 and [each.split()[0] for each in told] == ["Bearer", "Basic"]


@pytest.mark.parametrize("path", FOR_ALL + SEARCHES)
def test_searches_are_for_all_unless_set_otherwise(bridge: Bridge, path: str) -> None:
    assert bridge.ask(path).status_code == 200


@pytest.mark.parametrize(("method", "path"), NOT_FOR_ALL)
def test_what_spends_quotas_and_all_that_is_not_listed_wants_a_credential(
    bridge: Bridge, method: str, path: str
) -> None:
    answer = bridge.ask(path, method)
    assert challenged(answer)
    if method != "HEAD":
        assert answer.json()["code"] == "Unauthorized"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", SEARCHES)
def test_protected_searches_want_a_credential(closed: Bridge, path: str) -> None:
    assert challenged(closed.ask(path))
    assert closed.ask(path, key=closed.key).status_code == 200


@pytest.mark.parametrize("path", FOR_ALL)
def test_what_the_api_is_everybody_may_know(closed: Bridge, path: str) -> None:
    assert closed.ask(path).status_code == 200


@pytest.mark.parametrize("path", ["/collections/orders/x", "/collections/metrics", "/search/orders/x"])
def test_no_header_of_a_client_makes_a_public_path_of_another(bridge: Bridge, path: str) -> None:
    """The routes match what is left of the path behind a prefix that a client may make up."""
    prefix = f"/{path.split('/')[1]}"
    assert challenged(bridge.ask(path, headers={"X-Forwarded-Prefix": prefix}))


def test_a_key_opens_as_bearer(bridge: Bridge) -> None:
    href = bridge.asset()["href"]
    assert challenged(bridge.ask(href))
    assert bridge.ask(href, key=bridge.key).content == Products.content


@pytest.mark.parametrize("user", ["ada", "", "ada@example.org"])
def test_a_key_opens_as_the_password_of_any_user(bridge: Bridge, user: str) -> None:
    answer = requests.get(bridge.asset()["href"], auth=(user, bridge.key), timeout=10)
    assert answer.content == Products.content


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer kaaaaaaaaaaaaaaaa.wrong",
        "Basic",
        "Basic !!!",
        f"Basic {base64.b64encode(b'ada:').decode()}",
        f"Basic {base64.b64encode(bytes([255, 58, 255])).decode()}",
        "Digest username=ada",
        "Bearer ../../../etc/passwd.x",
        "Bearer \xff",
    ],
)
@pytest.mark.parametrize("path", ["/search", "/assets/alpha/radar-grd/radar-grd-0000/image/x.tif"])
def test_a_credential_that_opens_nothing_is_refused_even_where_none_is_needed(
    bridge: Bridge, header: str, path: str
) -> None:
    assert challenged(bridge.ask(path, headers={"Authorization": header.encode("latin-1")}))


def test_a_revoked_key_and_what_it_signed_open_nothing_from_the_next_request_on(bridge: Bridge) -> None:
    key = bridge.keys.create("Bob")
    href = bridge.asset(key)["href"]
    assert bridge.ask(href).status_code == 200
    bridge.keys.revoke(key.partition(".")[0])
    refused = bridge.ask(href)
    assert (refused.status_code, refused.json()["code"]) == (403, "SignatureRevoked")
    assert challenged(bridge.ask("/search", key=key))


def test_a_browser_may_ask_what_it_may_send(bridge: Bridge) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    for path in ("/search", "/sign", "/assets/alpha/radar-grd/radar-grd-0000/image/x.tif"):
        answer = bridge.ask(
            path, "OPTIONS", headers={**asked, "Access-Control-Request-Headers": "authorization"}
        )
        assert answer.status_code in (200, 204)
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_answers_are_kept_from_the_caches_of_others(bridge: Bridge) -> None:
    for answer in (bridge.ask("/search", key=bridge.key), bridge.ask(bridge.asset(bridge.key)["href"])):
        assert "Authorization" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"].startswith("private")
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_signed_href_opens_for_get_head_and_ranges_whatever_is_added(bridge: Bridge) -> None:
    href = bridge.asset(bridge.key)["href"]
    for more in ("", "&height=200&width=200", "&%74x=1"):
        assert bridge.ask(href + more).content == Products.content
    assert bridge.ask(href.replace("?t=", "?height=200&t=")).status_code == 200
    assert bridge.ask(href, "HEAD").headers["Content-Length"] == str(len(Products.content))
    assert bridge.ask(href, headers={"Range": "bytes=0-3"}).content[:4] == Products.content[:4]


def test_a_signed_href_opens_nothing_but_its_file(bridge: Bridge) -> None:
    token = bridge.asset(bridge.key)["href"].partition("?")[2]
    other = "/assets/alpha/radar-grd/radar-grd-0001/image/radar-grd-0001.tif"
    assert bridge.ask(f"{other}?{token}").json()["code"] == "SignatureInvalid"
    assert challenged(bridge.ask(f"/orders/x?{token}"))
    assert challenged(bridge.ask(f"/sign?{token}", "POST"))


def test_a_header_that_opens_does_so_beside_a_signature_that_does_not(bridge: Bridge) -> None:
    href = bridge.asset(bridge.key)["href"]
    assert bridge.ask(href[:-1], key=bridge.key).status_code == 200
    assert bridge.ask(href, key="wrong").status_code == 200
    assert challenged(bridge.ask(href[:-1], key="wrong"))


def test_a_path_that_is_no_asset_is_refused_before_it_is_read(bridge: Bridge) -> None:
    connection = HTTPConnection(urlsplit(bridge.url).netloc, timeout=10)
    for path in ("/assets/", "/assets/%ff%fe/b/c/d/e", "/assets/../search", "/assets/a;b/c/d/e/f?t=%ff"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (401, 403), path
    connection.close()


@pytest.mark.parametrize(
    "start", ["/%61ssets/x/assets", "/a%73sets/assets", "/assets/x/assets", "/x/../assets", "/%2e/assets"]
)
def test_no_way_of_writing_a_path_leads_around_the_door(bridge: Bridge, start: str) -> None:
    """The proxy reads the path of the request line, behind the first `/assets/`; the server unescapes it."""
    file = "alpha/radar-grd/radar-grd-0000/image/radar-grd-0000.tif"
    token = urlsplit(bridge.asset(bridge.key)["href"]).query
    connection = HTTPConnection(urlsplit(bridge.url).netloc, timeout=10)
    for path in (f"{start}/{file}", f"{start}/{file}?{token}"):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert Products.content not in answer.read()
        assert answer.status in (401, 403, 404), path
    connection.close()


def test_in_open_mode_nobody_is_asked_and_nothing_is_signed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with guarded(tmp_path_factory.mktemp("open"), access="open") as bridge:
        asset = bridge.asset("anything")
        assert not {"auth:refs", "expires"} & asset.keys()
        assert bridge.ask(asset["href"]).content == Products.content
        assert bridge.ask("/sign", "POST", json={"href": asset["href"]}).status_code == 404
        assert "Referrer-Policy" not in bridge.ask("/search").headers
