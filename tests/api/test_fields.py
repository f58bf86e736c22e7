"""The Fields extension over GET and POST."""

from typing import Any

import pytest
from starlette.testclient import TestClient

ALWAYS = {"type", "stac_version", "id", "collection"}
DEFAULT = ALWAYS | {"geometry", "bbox", "links", "assets", "properties"}
WHOLE = DEFAULT | {"stac_extensions"}

Json = dict[str, Any]


def first(reply: Any) -> Json:
    assert reply.status_code == 200, reply.text
    item: Json = reply.json()["features"][0]
    return item


@pytest.mark.parametrize("fields", [{}, {"include": None, "exclude": None}, {"include": [], "exclude": []}])
def test_empty_fields_choose_the_default_members(api: TestClient, fields: Json) -> None:
    for item in (first(api.post("/search", json={"fields": fields})), first(api.get("/search?fields="))):
        assert set(item) == DEFAULT
        assert set(item["properties"]) == {"datetime"}


@pytest.mark.parametrize("name", ["geometry", "bbox", "links", "assets"])
def test_included_members_come_with_the_identifying_ones_only(api: TestClient, name: str) -> None:
    items = [
        first(api.get(f"/search?fields={name}")),
        first(api.get("/search", params={"fields": f"+{name}"})),
        first(api.get(f"/search?fields=+{name}")),
        first(api.post("/search", json={"fields": {"include": [name]}})),
    ]
    assert all(set(item) == ALWAYS | {name} for item in items)


def test_excluding_alone_keeps_everything_else(api: TestClient) -> None:
    for reply in (
        api.get("/search?fields=-geometry"),
        api.post("/search", json={"fields": {"exclude": ["geometry"]}}),
    ):
        item = first(reply)
        assert set(item) == WHOLE - {"geometry"}
        assert "eo:cloud_cover" in item["properties"]


@pytest.mark.parametrize("include", [[], None])
def test_excluding_with_an_empty_include_starts_from_the_default(
    api: TestClient, include: list[str] | None
) -> None:
    item = first(api.post("/search", json={"fields": {"include": include, "exclude": ["geometry"]}}))
    assert set(item) == DEFAULT - {"geometry"}
    assert set(item["properties"]) == {"datetime"}


def test_a_member_inside_an_excluded_one_can_be_included(api: TestClient) -> None:
    body = {"fields": {"exclude": ["properties"], "include": ["properties.eo:cloud_cover"]}}
    for reply in (
        api.get("/search?fields=-properties,properties.eo:cloud_cover"),
        api.post("/search", json=body),
    ):
        item = first(reply)
        assert set(item) == ALWAYS | {"properties"}
        assert set(item["properties"]) == {"eo:cloud_cover"}


def test_a_member_inside_an_included_one_can_be_excluded(api: TestClient) -> None:
    item = first(api.get("/search?fields=properties,-properties.created"))
    assert set(item["properties"]) == {"datetime", "platform", "eo:cloud_cover"}


def test_a_member_both_included_and_excluded_is_included(api: TestClient) -> None:
    assert "geometry" in first(api.get("/search?fields=geometry,-geometry"))


def test_unknown_members_are_left_out_of_every_item(api: TestClient) -> None:
    assert set(first(api.get("/search?fields=nothing,properties.nothing,id.x,-assets.x.y"))) == ALWAYS


def test_assets_can_be_chosen_one_by_one(api: TestClient) -> None:
    item = first(api.get("/search?fields=assets.image.href"))
    assert list(item["assets"]["image"]) == ["href"]


def test_items_of_a_collection_take_fields_too(api: TestClient) -> None:
    assert set(first(api.get("/collections/radar-grd/items?fields=bbox"))) == ALWAYS | {"bbox"}


def test_choosing_members_changes_no_other_answer(api: TestClient) -> None:
    before = api.get("/search?ids=radar-grd-0003").json()
    api.get("/search?ids=radar-grd-0003&fields=-properties.datetime,-assets.image.href")
    assert api.get("/search?ids=radar-grd-0003").json() == before
