"""Bodies of requests: JSON objects of bounded size and depth, and not repeated where they are refused."""

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.settings import Settings
from tests.api.archive import alpha


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


def test_a_body_larger_than_any_search_is_refused_before_it_is_read_whole(api: TestClient) -> None:
    reply = api.post("/search", content=b" " * 2_000_000, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (400, "BadRequest")


@pytest.mark.parametrize("path", ["/search", "/orders", "/sign"])
def test_a_body_that_is_too_large_is_refused_by_the_name_of_the_setting(path: str) -> None:
    with TestClient(create_app(Settings(max_body_bytes=100), [alpha()])) as client:
        reply = client.post(path, content=b"x" * 101)
    assert (reply.status_code, reply.json()["parameter"]) == (400, "body")
    assert "max_body_bytes" in reply.json()["advice"] and "search" not in reply.text
