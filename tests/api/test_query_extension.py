"""The Query extension: conditions on single properties, over GET and POST."""

from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from stacbridge.model import Json

# Radar items are radar-grd-0000 … 0029, with a cloud cover of their number and a half.
CASES: list[tuple[Json, str]] = [
    ({"eo:cloud_cover": {"eq": 3.5}}, "eo:cloud_cover = 3.5"),
    ({"eo:cloud_cover": {"neq": 3.5}}, "eo:cloud_cover <> 3.5"),
    ({"eo:cloud_cover": {"lt": 3.5}}, "eo:cloud_cover < 3.5"),
    ({"eo:cloud_cover": {"lte": 3.5}}, "eo:cloud_cover <= 3.5"),
    ({"eo:cloud_cover": {"gt": 25}}, "eo:cloud_cover > 25"),
    ({"eo:cloud_cover": {"gte": 25.5, "lt": 27}}, "eo:cloud_cover >= 25.5 AND eo:cloud_cover < 27"),
    ({"eo:cloud_cover": {"lt": "3.5"}}, "eo:cloud_cover < 3.5"),
    ({"platform": {"gte": "radar-b"}}, "platform >= 'radar-b'"),
    ({"properties.platform": {"eq": "radar-a"}}, "platform = 'radar-a'"),
    ({"platform": {"in": ["radar-a", "radar-c"]}}, "platform IN ('radar-a', 'radar-c')"),
    ({"id": {"startsWith": "radar-grd-000"}}, "id LIKE 'radar-grd-000%'"),
    ({"id": {"endsWith": "9"}}, "id LIKE '%9'"),
    ({"id": {"contains": "grd-001"}}, "id LIKE '%grd-001%'"),
    ({"gsd": {"eq": None}, "id": {"endsWith": "7"}}, "gsd IS NULL AND id LIKE '%7'"),
    ({"platform": {"neq": None}, "id": {"endsWith": "7"}}, "platform IS NOT NULL AND id LIKE '%7'"),
    (
        {"datetime": {"lt": "2024-01-01T07:13:21.123000+00:00"}},
        "datetime < TIMESTAMP('2024-01-01T07:13:21.123Z')",
    ),
    ({"datetime": {"eq": "2024-01-01T00:00:00Z"}}, "datetime = TIMESTAMP('2024-01-01T00:00:00Z')"),
]


def ids(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [item["id"] for item in reply.json()["features"]]


@pytest.mark.parametrize(("query", "filter"), CASES, ids=[filter for _, filter in CASES])
def test_a_query_finds_what_its_filter_finds(api: TestClient, query: Json, filter: str) -> None:
    told = ids(api.get("/collections/radar-grd/items", params={"filter": filter}))
    text = orjson.dumps(query).decode()
    assert told
    assert ids(api.get("/collections/radar-grd/items", params={"query": text})) == told
    assert ids(api.get("/search", params={"query": text, "collections": "radar-grd"})) == told
    assert ids(api.post("/search", json={"query": query, "collections": ["radar-grd"]})) == told


@pytest.mark.parametrize("operator", ["startsWith", "endsWith", "contains"])
@pytest.mark.parametrize("text", ["%", "_", "radar_grd", "\\"])
def test_wildcards_in_a_text_stand_for_themselves(api: TestClient, operator: str, text: str) -> None:
    assert ids(api.post("/search", json={"query": {"id": {operator: text}}})) == []


def test_query_and_filter_must_both_hold(api: TestClient) -> None:
    body = {
        "query": {"eo:cloud_cover": {"lt": 5}},
        "filter": {"op": "=", "args": [{"property": "collection"}, "radar-grd"]},
    }
    assert ids(api.post("/search", json=body)) == [f"radar-grd-000{number}" for number in (3, 2, 1, 0)]


def test_an_empty_query_asks_for_nothing(api: TestClient) -> None:
    assert ids(api.post("/search", json={"query": {}})) == ids(api.post("/search", json={}))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"eo:cloud_cover": {"below": 5}}, ["'eo:cloud_cover'", "'below'", "startsWith"]),
        ({"eo:cloud_cover": {"lt": [5]}}, ["'eo:cloud_cover'", "lt", "a text or a number"]),
        ({"platform": {"in": "radar-a"}}, ["'platform'", "in", "a list"]),
        ({"platform": "radar-a"}, ["'platform'", "object of operators"]),
    ],
)
def test_a_refusal_names_property_and_operator(api: TestClient, query: Json, words: list[str]) -> None:
    told = api.post("/search", json={"query": query}).json()
    assert told["parameter"] == "query"
    assert [word for word in words if word not in told["description"]] == []


def test_the_next_page_is_of_the_same_query(api: TestClient) -> None:
    body: Json = {"query": {"id": {"startsWith": "radar-grd-000"}}, "limit": 4}
    found: list[str] = []
    while body:
        page = api.post("/search", json=body).json()
        found += [item["id"] for item in page["features"]]
        body = next((link["body"] for link in page["links"] if link["rel"] == "next"), {})
    assert found == [f"radar-grd-000{number}" for number in range(9, -1, -1)]
