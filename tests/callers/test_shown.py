"""What a search tells of the doors, and what /sign gives."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.callers.keys import Keys
from stacbridge.callers.shown import BASIC, BEARER, SIGNED
from stacbridge.settings import Settings
from tests import schemas
from tests.api.archive import alpha
from tests.api.serving import Products, products
from tests.callers.bridges import Bridge, guarded


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    with guarded(tmp_path_factory.mktemp("bridge")) as running:
        yield running


def found(bridge: Bridge, key: str | None = None) -> dict[str, Any]:
    page = bridge.ask("/search?collections=radar-grd&limit=1", key=key).json()
    return dict(page["features"][0])


def but_for_ends(item: dict[str, Any]) -> str:
    """Return an Item as text without signatures and when they end, which change with the hour."""
    return re.sub(r'\?t=[^"]+|"expires": "[^"]+"', "", json.dumps(item, sort_keys=True))


def test_a_stranger_is_told_how_assets_are_had_and_given_no_signature(bridge: Bridge) -> None:
    item = found(bridge)
    asset = item["assets"]["image"]
    assert asset["auth:refs"] == [BEARER, BASIC, SIGNED] == list(item["properties"]["auth:schemes"])
    assert "?" not in asset["href"]
    assert "expires" not in asset


def test_the_schemes_are_those_that_stac_browser_can_act_on(bridge: Bridge) -> None:
    known = found(bridge)["properties"]["auth:schemes"]
    assert (known[BEARER]["type"], known[BEARER]["in"], known[BEARER]["name"]) == (
        "apiKey",
        "header",
        "Authorization",
    )
    assert (known[BASIC]["type"], known[BASIC]["scheme"]) == ("http", "basic")
    flow = known[SIGNED]["flows"]["authorizationCode"]
    assert (flow["authorizationApi"], flow["method"], flow["responseField"]) == (
        f"{bridge.url}/sign",
        "POST",
        "href",
    )


def test_a_known_caller_gets_hrefs_that_open_without_a_header_and_the_others_beside(bridge: Bridge) -> None:
    asset = found(bridge, bridge.key)["assets"]["image"]
    assert asset["auth:refs"] == [SIGNED]
    assert asset["href"].startswith(f"{asset['alternate']['unsigned']['href']}?t=")
    assert asset["alternate"]["unsigned"]["auth:refs"] == [BEARER, BASIC, SIGNED]
    assert asset["alternate"]["origin"]["alternate:name"] == "Origin"
    assert asset["expires"].endswith("Z")
    assert bridge.ask(asset["href"]).content == Products.content


@pytest.mark.skipif(not schemas.extensions_known, reason="STACBRIDGE_SCHEMAS names no folder of schemas")
@pytest.mark.parametrize("who", ["stranger", "known"])
def test_items_with_doors_are_valid_stac(bridge: Bridge, who: str) -> None:
    item = found(bridge, bridge.key if who == "known" else None)
    assert schemas.faults(item) == []
    assert any("authentication" in uri for uri in item["stac_extensions"])


def test_an_item_by_id_is_shown_as_a_search_shows_it(bridge: Bridge) -> None:
    item = found(bridge, bridge.key)
    same = bridge.ask(f"/collections/radar-grd/items/{item['id']}", key=bridge.key).json()
    assert but_for_ends(same) == but_for_ends(item)


def test_where_hrefs_are_not_signed_a_known_caller_is_told_of_the_doors_alone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with guarded(tmp_path_factory.mktemp("unsigned"), sign_hrefs=False) as bridge:
        assert found(bridge, bridge.key) == found(bridge)


def test_an_href_is_signed_on_demand(bridge: Bridge) -> None:
    href = bridge.asset()["href"]
    signed = bridge.ask("/sign", "POST", bridge.key, json={"href": href}).json()
    assert signed.keys() == {"href", "expires"}
    assert bridge.ask(signed["href"]).content == Products.content


def test_many_hrefs_are_signed_at_once_and_items_whole(bridge: Bridge) -> None:
    item = found(bridge)
    href = item["assets"]["image"]["href"]
    many = bridge.ask("/sign", "POST", bridge.key, json={"hrefs": [href, href]}).json()
    assert [bridge.ask(each).status_code for each in many["hrefs"]] == [200, 200]
    whole = bridge.ask("/sign", "POST", bridge.key, json={"item": item}).json()["item"]
    again = bridge.ask("/sign", "POST", bridge.key, json={"item": whole}).json()["item"]
    assert but_for_ends(whole) == but_for_ends(again) == but_for_ends(found(bridge, bridge.key))
    assert bridge.ask(again["assets"]["image"]["href"]).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"href": 1},
        {"href": "https://elsewhere.example/assets/a/b/c/d/e"},
        {"hrefs": []},
        {"hrefs": [1]},
        {"hrefs": ["x"] * 10_001},
        {"item": {"assets": []}},
        {"item": {"assets": {"a": {}}, "properties": {}}},
        {"item": {"assets": {}, "properties": {}, "stac_extensions": None}},
        {"item": {"assets": {}, "properties": {}, "stac_extensions": [1]}},
        {"item": {"assets": {}, "properties": {"auth:schemes": None}}},
        {"item": {"assets": {"a": {"href": "x", "alternate": None}}, "properties": {}}},
        {"item": {"assets": {"a": {"href": "x", "expires": 5}}, "properties": {}}},
        [],
        "x",
    ],
)
def test_what_cannot_be_signed_is_refused_with_what_can(bridge: Bridge, body: Any) -> None:
    answer = bridge.ask("/sign", "POST", bridge.key, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest")
    assert answer.json()["parameter"] in ("body", "href")


def test_hrefs_that_are_out_open_still_where_signing_keys_take_the_place_of_the_secret(
    tmp_path: Path,
) -> None:
    with guarded(tmp_path, secret="what-they-had-before") as bridge:
        path = urlsplit(bridge.asset(bridge.key)["href"])
    keys = {"signing_keys": ["the-newest-of-their-keys"]}
    for settings, status in (
        (keys | {"secret": "what-they-had-before"}, 200),
        (keys, 403),
    ):
        with guarded(tmp_path, **settings) as bridge:
            assert bridge.ask(f"{path.path}?{path.query}").status_code == status


@pytest.mark.parametrize("short", ["", "fifteen letters"])
@pytest.mark.parametrize("name", ["signing_keys", "webhook_secret"])
def test_keys_that_can_be_guessed_are_refused(name: str, short: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){name}.*at least 16"):
        Settings.model_validate({name: [short] if name == "signing_keys" else short})


@pytest.mark.parametrize("prefix", ["", "/stac"])
def test_signed_hrefs_open_behind_a_proxy_that_keeps_the_public_prefix_or_not(
    tmp_path: Path, prefix: str
) -> None:
    keys = Keys(tmp_path)
    headers = {"Authorization": f"Bearer {keys.create('Ada')}"}
    public = "https://stac.example.org/stac"
    settings = Settings(access="keys", key_folder=tmp_path, public_url=public)
    with products() as origin, TestClient(create_app(settings, [alpha(origin)])) as client:
        page = client.get(f"{prefix}/search?collections=radar-grd&limit=1", headers=headers).json()
        href = page["features"][0]["assets"]["image"]["href"]
        assert href.startswith(f"{public}/assets/")
        path = href.removeprefix(public)
        assert client.get(f"{prefix}{path}").content == Products.content
        assert client.get(f"{prefix}{path[:-1]}").json()["code"] == "SignatureInvalid"
        assert client.get(f"{prefix}{path.partition('?')[0]}").status_code == 401
        plain = {"href": href.partition("?")[0]}
        assert (
            client.post(f"{prefix}/sign", json=plain, headers=headers)
            .json()["href"]
            .startswith(f"{plain['href']}?t=")
        )
        assert client.post(f"{prefix}/sign", json=plain).status_code == 401
