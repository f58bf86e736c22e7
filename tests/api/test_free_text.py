"""Free text in Items: one of the terms is in one of their texts, in any case."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json
from stacbridge.settings import Settings
from tests.api.archive import collection, item

TOLD: dict[int, Json] = {
    0: {"title": "Snow over the Alps", "instruments": ["msi"]},
    1: {"description": "100% cloud", "instruments": ["C-SAR"]},
    2: {"platform": "Sentinel-2A", "keywords": ["GlaCier tongue", "Alps", "ÅRE"]},
    3: {"constellation": "sentinel-2", "processing:level": "L2A"},
    4: {"title": "100 clouds", "mission": None},
}


@pytest.fixture(scope="module")
def api() -> Iterator[TestClient]:
    items = [item("scenes", number) for number in TOLD]
    for number, properties in TOLD.items():
        items[number]["properties"] |= properties
    app = create_app(Settings(), [MemoryCatalogue("told", [collection("scenes")], items)])
    with TestClient(app) as client:
        yield client


def numbers(reply: Any) -> list[int]:
    assert reply.status_code == 200, reply.text
    return sorted(int(found["id"][-4:]) for found in reply.json()["features"])


CASES: list[tuple[list[str], list[int]]] = [
    (["snow"], [0]),
    (["SNOW OVER"], [0]),
    (["snow", "glacier"], [0, 2]),
    (["Glacier"], [2]),
    (["gLACIER t", "nothing"], [2]),
    (["tongue"], [2]),
    (["åre"], [2]),
    (["glacier alps"], []),
    (["MSI"], [0]),
    (["c-sar"], [1]),
    (["sentinel-2"], [2, 3]),
    (["l2a", "nothing"], [3]),
    (["100%"], [1]),
    (["0_"], []),
    (["scenes-0003"], [3]),
    (["scenes"], [0, 1, 2, 3, 4]),
    (["nothing"], []),
    ([], [0, 1, 2, 3, 4]),
    (["", "  "], [0, 1, 2, 3, 4]),
]


@pytest.mark.parametrize(("terms", "found"), CASES)
def test_terms_find_items_over_get_and_post(api: TestClient, terms: list[str], found: list[int]) -> None:
    assert numbers(api.post("/search", json={"q": terms})) == found
    assert numbers(api.get("/search", params={"q": ",".join(terms)})) == found
    assert numbers(api.get("/collections/scenes/items", params={"q": ",".join(terms)})) == found


def test_text_and_filter_must_both_hold(api: TestClient) -> None:
    assert numbers(api.get("/search", params={"q": "sentinel-2", "filter": "platform = 'Sentinel-2A'"})) == [
        2
    ]


def test_a_phrase_may_stand_in_quotes(api: TestClient) -> None:
    assert numbers(api.get("/search", params={"q": '"over the alps"'})) == [0]
