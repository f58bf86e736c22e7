"""What MAAP and the same software elsewhere really answered: collections, queryables, an Item."""

import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from stacbridge.access.flows import drive
from stacbridge.cql.parse import parse_text
from stacbridge.dialects.stac import StacApi
from stacbridge.mapping.mapping import load
from stacbridge.model import Json, Query, Reply, Request
from stacbridge.settings import Settings
from tests.catalogues.maap.golden import maap
from tests.schemas import faults

if "STACBRIDGE_RECORDINGS" not in os.environ:
    pytest.skip("STACBRIDGE_RECORDINGS names no folder", allow_module_level=True)

RECORDED = Path(os.environ["STACBRIDGE_RECORDINGS"]) / "maap"
PAGES = sorted((RECORDED / "collections").glob("*.json"))
QUERYABLES = sorted((RECORDED / "queryables").glob("*.json"))


def page(file: Path) -> Json:
    """Return the recorded page of collections, told to be the last."""
    recorded: Any = json.loads(file.read_bytes())["response"]["json"]
    document: Json = json.loads(recorded) if isinstance(recorded, str) else recorded
    return {**document, "links": [link for link in document["links"] if link["rel"] != "next"]}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_recorded_collections_with_items_become_valid_ones_and_the_others_none(file: Path) -> None:
    document = page(file)

    def answer(request: Request) -> Reply:
        return Reply(200, {}, orjson.dumps(document), request.url)

    found = drive(StacApi(load("maap", Settings())).discover(), answer)
    with_items = [
        entry["id"]
        for entry in document["collections"]
        if any(link["rel"] == "items" for link in entry["links"])
    ]
    assert [entry["id"] for entry in found] == with_items
    assert [fault for entry in found for fault in faults(entry)] == []


@pytest.mark.parametrize("file", QUERYABLES, ids=lambda file: file.stem)
def test_recorded_queryables_are_shown_under_both_names(file: Path) -> None:
    recorded = json.loads(file.read_bytes())["properties"]
    shown = maap().described(recorded)["properties"]
    assert recorded.keys() <= shown.keys()
    assert shown["product:type"]["enum"] == recorded["productType"]["enum"]


@pytest.mark.parametrize("name", ["product:type", "productType"])
def test_a_filter_by_either_name_is_asked_in_the_recorded_one(name: str) -> None:
    file = next(file for file in QUERYABLES if file.stem.startswith("EarthCAREL2Products"))
    kind = json.loads(file.read_bytes())["properties"]["productType"]["enum"][0]
    asked: list[Request] = []

    def answer(request: Request) -> Reply:
        asked.append(request)
        body = file.read_bytes() if request.url.endswith("queryables") else b'{"features": []}'
        return Reply(200, {}, body, request.url)

    filter = parse_text(f"{name} = '{kind}'", Settings())
    query = Query(("EarthCAREL2Products_MAAP",), filter=filter)
    drive(StacApi(load("maap", Settings())).walk(query), answer)
    assert dict(asked[-1].params)["filter"] == f"productType = '{kind}'"


def test_the_abridged_item_of_the_best_practice_is_left_out_for_its_missing_time() -> None:
    record = json.loads((RECORDED / "ceos_bp_example_item.json").read_bytes())
    found, skipped = maap().items([record], "https://bridge.example")
    assert not found
    assert [(skip.record, skip.reason) for skip in skipped] == [(record["id"], "it has no time")]


def test_the_abridged_item_completed_is_valid_and_keeps_its_asset() -> None:
    record = json.loads((RECORDED / "ceos_bp_example_item.json").read_bytes())
    record["properties"]["datetime"] = "2009-01-06T04:17:47Z"
    found, skipped = maap().items([record], "https://bridge.example")
    assert not skipped
    assert faults(found[0]) == []
    assert list(found[0]["assets"]) == ["enclosure"]
