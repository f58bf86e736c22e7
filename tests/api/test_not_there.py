"""Paths, methods and collections that are not there."""

import pytest
from starlette.testclient import TestClient


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


@pytest.mark.parametrize("below", ["", "/items", "/items/x%2Fy", "/queryables", "/aggregate"])
def test_a_collection_that_is_not_there_is_named_as_it_was_asked_for(api: TestClient, below: str) -> None:
    reply = api.get(f"/collections/a%2Fb{below}")
    assert reply.status_code == 404
    assert "There is no collection 'a/b'." in reply.json()["description"]
