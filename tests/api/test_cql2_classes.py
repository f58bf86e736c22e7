"""Every class of CQL2 that is advertised: its functions, in text and in JSON, over GET and POST."""

from collections.abc import Iterator
from typing import Any

import cql2
import orjson
import pytest
from starlette.testclient import TestClient

from stacbridge.api.conformance import CONFORMANCE, CQL2
from stacbridge.app import create_app
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json
from stacbridge.settings import Settings
from tests.api.archive import collection, item

THERE = "tests/api/test_cql2_classes.py"


def square(west: float, south: float) -> Json:
    east, north = west + 2, south + 2
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def made(id: str, geometry: Json, **properties: Any) -> Json:
    return {**item("scenes", 1), "id": id, "geometry": geometry, "properties": properties}


# a lies at the origin, b ten degrees east of it; c is a line through a, and lacks m, nums and an interval.
ITEMS = [
    made(
        "a",
        square(0, 0),
        title="École",
        datetime="2024-01-01T00:00:00Z",
        start_datetime="2024-01-01T00:00:00Z",
        end_datetime="2024-01-10T00:00:00Z",
        n=4,
        m=4,
        words=["x", "y"],
        nums=[1, 2],
    ),
    made(
        "b",
        square(10, 0),
        title="ecole",
        datetime="2024-02-01T00:00:00Z",
        start_datetime="2024-01-10T00:00:00Z",
        end_datetime="2024-02-10T00:00:00Z",
        n=9,
        m=2,
        words=["y"],
        nums=[1],
    ),
    made(
        "c",
        {"type": "LineString", "coordinates": [[-1, 1], [3, 1]]},
        title="other",
        datetime="2024-03-01T00:00:00Z",
        n=1,
        words=[],
    ),
]
SPAN = "INTERVAL(start_datetime, end_datetime)"
SQUARE = "POLYGON((0 0, 2 0, 2 2, 0 2, 0 0))"

CASES: dict[str, dict[str, str]] = {
    "basic-cql2": {
        "n = 4": "a",
        "n <> 4": "bc",
        "n < 4": "c",
        "n <= 4": "ac",
        "n > 4": "b",
        "n >= 4": "ab",
        "title = 'other'": "c",
        "datetime >= TIMESTAMP('2024-02-01T00:00:00Z')": "bc",
        "datetime < DATE('2024-02-01')": "a",
        "m IS NULL": "c",
        "m IS NOT NULL": "ab",
        "m = 4": "a",
        "NOT m = 4": "b",
        "m = 4 OR n = 1": "ac",
        "NOT (m = 4 AND n = 4)": "bc",
        "nothing = 1": "",
        "NOT nothing = 1": "",
        "nothing = 1 OR n = 9": "b",
    },
    "advanced-comparison-operators": {
        "title LIKE '%col_'": "ab",
        "title NOT LIKE 'e%'": "ac",
        "n BETWEEN 2 AND 5": "a",
        "n NOT BETWEEN 2 AND 5": "bc",
        "n IN (1, 9)": "bc",
        "n NOT IN (1, 9)": "a",
        "m IN (4)": "a",
        "m NOT IN (4)": "b",
    },
    "case-insensitive-comparison": {
        "CASEI(title) = CASEI('ECOLE')": "b",
        "CASEI(title) LIKE CASEI('%COL%')": "ab",
        "CASEI(title) IN (CASEI('ECOLE'), CASEI('OTHER'))": "bc",
        "CASEI(title) NOT IN (CASEI('ECOLE'), CASEI('OTHER'))": "a",
    },
    "accent-insensitive-comparison": {
        "ACCENTI(title) = ACCENTI('Ecole')": "a",
        "ACCENTI(title) LIKE ACCENTI('%cöl%')": "ab",
        "CASEI(ACCENTI(title)) = CASEI(ACCENTI('ÉCOLE'))": "ab",
        "ACCENTI(title) IN (ACCENTI('Ecole'), ACCENTI('öther'))": "ac",
    },
    "basic-spatial-functions": {
        "S_INTERSECTS(geometry, POINT(11 1))": "b",
        "S_INTERSECTS(geometry, BBOX(-1, -1, 3, 3))": "ac",
        "NOT S_INTERSECTS(geometry, POINT(1 1))": "b",
    },
    "basic-spatial-functions-plus": {
        f"S_INTERSECTS(geometry, {SQUARE})": "ac",
        "S_INTERSECTS(geometry, LINESTRING(9 1, 13 1))": "b",
        "S_INTERSECTS(geometry, MULTIPOINT((1 1), (11 1)))": "abc",
        "S_INTERSECTS(geometry, MULTIPOLYGON(((0 0, 2 0, 2 2, 0 2, 0 0))))": "ac",
        "S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(50 50), POINT(11 1)))": "b",
    },
    "spatial-functions": {
        "S_DISJOINT(geometry, POINT(1 1))": "b",
        f"S_EQUALS(geometry, {SQUARE})": "a",
        "S_TOUCHES(geometry, POLYGON((2 0, 4 0, 4 2, 2 2, 2 0)))": "a",
        "S_WITHIN(geometry, BBOX(-1, -1, 3, 3))": "ac",
        "S_OVERLAPS(geometry, POLYGON((1 1, 4 1, 4 4, 1 4, 1 1)))": "a",
        f"S_CROSSES(geometry, {SQUARE})": "c",
        "S_CONTAINS(geometry, POINT(0.5 1))": "ac",
    },
    "temporal-functions": {
        "T_AFTER(datetime, TIMESTAMP('2024-01-15T00:00:00Z'))": "bc",
        "T_BEFORE(datetime, DATE('2024-01-15'))": "a",
        "T_EQUALS(datetime, TIMESTAMP('2024-02-01T00:00:00Z'))": "b",
        "T_DISJOINT(datetime, INTERVAL('2024-01-15', '..'))": "a",
        "T_INTERSECTS(datetime, INTERVAL('2024-01-15T00:00:00Z', '2024-02-15T00:00:00Z'))": "b",
        "T_DURING(datetime, INTERVAL('2024-01-15T00:00:00Z', '..'))": "bc",
        f"T_CONTAINS({SPAN}, INTERVAL('2024-01-05T00:00:00Z', '2024-01-06T00:00:00Z'))": "a",
        f"T_FINISHEDBY({SPAN}, INTERVAL('2024-01-05T00:00:00Z', '2024-01-10T00:00:00Z'))": "a",
        f"T_FINISHES({SPAN}, INTERVAL('2023-01-01T00:00:00Z', '2024-01-10T00:00:00Z'))": "a",
        f"T_MEETS({SPAN}, INTERVAL('2024-01-10T00:00:00Z', '2024-03-01T00:00:00Z'))": "a",
        f"T_METBY({SPAN}, INTERVAL('2023-01-10T00:00:00Z', '2024-01-10T00:00:00Z'))": "b",
        f"T_OVERLAPPEDBY({SPAN}, INTERVAL('2023-01-05T00:00:00Z', '2024-01-03T00:00:00Z'))": "a",
        f"T_OVERLAPS({SPAN}, INTERVAL('2024-01-05T00:00:00Z', '2024-03-01T00:00:00Z'))": "a",
        f"T_STARTEDBY({SPAN}, INTERVAL('2024-01-01T00:00:00Z', '2024-01-03T00:00:00Z'))": "a",
        f"T_STARTS({SPAN}, INTERVAL('2024-01-01T00:00:00Z', '2024-03-01T00:00:00Z'))": "a",
    },
    "array-functions": {
        "A_CONTAINS(words, ('x'))": "a",
        "A_CONTAINEDBY(words, ('y'))": "bc",
        "A_EQUALS(words, ('y', 'x'))": "a",
        "A_OVERLAPS(words, ('x', 'z'))": "a",
        "A_CONTAINS(nums, (2))": "a",
        "NOT A_CONTAINS(nums, (2))": "b",
    },
    "property-property": {
        "n = m": "a",
        "n > m": "b",
        "NOT n = m": "b",
        "title = title": "abc",
        "end_datetime > datetime": "ab",
        "5 BETWEEN n AND 10": "ac",
    },
    "arithmetic": {
        "n + 1 = 5": "a",
        "n - m = 7": "b",
        "n * 2 = 18": "b",
        "n / 2 = 2": "a",
        "n ^ 2 = 16": "a",
        "n % 2 = 1": "bc",
        "n div 2 = 4": "b",
        "2 * (n + 1) >= 10": "ab",
        "n = m + 7": "b",
    },
}
"""Conformance class -> filters, and the ids of the items that match."""


@pytest.fixture(scope="module")
def api() -> Iterator[TestClient]:
    catalogue = MemoryCatalogue("made-up", [collection("scenes")], ITEMS)
    with TestClient(create_app(Settings(), [catalogue])) as client:
        yield client


def ids(reply: Any) -> str:
    assert reply.status_code == 200, reply.text
    return "".join(sorted(found["id"] for found in reply.json()["features"]))


@pytest.mark.parametrize(
    ("text", "expected"), [case for cases in CASES.values() for case in cases.items()], ids=lambda each: each
)
def test_a_filter_finds_what_its_words_say(api: TestClient, text: str, expected: str) -> None:
    json = cql2.parse_text(text).to_json()
    assert ids(api.get("/search", params={"filter": text})) == expected
    assert ids(api.post("/search", json={"filter": json})) == expected
    in_url = {"filter": orjson.dumps(json).decode(), "filter-lang": "cql2-json"}
    assert ids(api.get("/search", params=in_url)) == expected
    assert ids(api.get("/collections/scenes/items", params={"filter": text})) == expected


def test_every_class_that_is_said_to_be_proven_here_is() -> None:
    advertised = {uri.removeprefix(f"{CQL2}/") for uri, proof in CONFORMANCE.items() if proof == THERE}
    assert advertised == CASES.keys()
