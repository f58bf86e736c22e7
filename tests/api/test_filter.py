"""The Filter extension: CQL2 text and JSON over GET and POST."""

from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

Json = dict[str, Any]

CASES: list[tuple[str, Json]] = [
    ("eo:cloud_cover < 5", {"op": "<", "args": [{"property": "eo:cloud_cover"}, 5]}),
    ("collection = 'radar-grd'", {"op": "=", "args": [{"property": "collection"}, "radar-grd"]}),
    (
        "platform = 'radar-a' AND NOT eo:cloud_cover > 9",
        {
            "op": "and",
            "args": [
                {"op": "=", "args": [{"property": "platform"}, "radar-a"]},
                {"op": "not", "args": [{"op": ">", "args": [{"property": "eo:cloud_cover"}, 9]}]},
            ],
        },
    ),
    (
        "eo:cloud_cover BETWEEN 2 AND 4",
        {"op": "between", "args": [{"property": "eo:cloud_cover"}, 2, 4]},
    ),
    (
        "datetime <= TIMESTAMP('2024-01-05T00:00:00Z')",
        {"op": "<=", "args": [{"property": "datetime"}, {"timestamp": "2024-01-05T00:00:00Z"}]},
    ),
    (
        "S_INTERSECTS(geometry, POINT(12.5 12.5))",
        {
            "op": "s_intersects",
            "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [12.5, 12.5]}],
        },
    ),
    ("id LIKE 'radar-grd-000%'", {"op": "like", "args": [{"property": "id"}, "radar-grd-000%"]}),
]


def ids(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [item["id"] for item in reply.json()["features"]]


@pytest.mark.parametrize(("text", "json"), CASES, ids=[text for text, _ in CASES])
def test_text_and_json_mean_the_same_over_get_and_post(api: TestClient, text: str, json: Json) -> None:
    found = [
        ids(api.get("/search", params={"filter": text})),
        ids(api.get("/search", params={"filter": orjson.dumps(json).decode(), "filter-lang": "cql2-json"})),
        ids(api.post("/search", json={"filter": json})),
        ids(api.post("/search", json={"filter": json, "filter-lang": "cql2-json"})),
        ids(api.post("/search", json={"filter": text, "filter-lang": "cql2-text"})),
    ]
    assert found[0] != ids(api.get("/search"))
    assert found[0]
    assert all(each == found[0] for each in found)


def test_between_is_read_in_its_obsolete_form_too(api: TestClient) -> None:
    current = {"op": "between", "args": [{"property": "eo:cloud_cover"}, 2, 4]}
    obsolete = {"op": "between", "args": [{"property": "eo:cloud_cover"}, [2, 4]]}
    nested = {"op": "and", "args": [obsolete, {"op": "=", "args": [{"property": "platform"}, "radar-a"]}]}
    assert ids(api.post("/search", json={"filter": obsolete})) == ids(
        api.post("/search", json={"filter": current})
    )
    assert ids(api.post("/search", json={"filter": nested}))


def test_the_name_that_old_clients_give_json_is_taken(api: TestClient) -> None:
    body = {"filter": CASES[0][1], "filter-lang": "cql-json"}
    assert ids(api.post("/search", json=body)) == ids(api.post("/search", json={"filter": CASES[0][1]}))


def test_items_of_a_collection_are_filtered_too(api: TestClient) -> None:
    found = api.get("/collections/radar-grd/items", params={"filter": "eo:cloud_cover < 5"})
    assert ids(found) == ["radar-grd-0003", "radar-grd-0002", "radar-grd-0001", "radar-grd-0000"]


def test_an_item_without_the_property_matches_neither_a_condition_nor_its_negation(api: TestClient) -> None:
    for text in ("gsd = 10", "NOT gsd = 10", "gsd <> 10"):
        assert ids(api.get("/search", params={"filter": text})) == []


def test_a_filter_too_long_or_too_deep_is_refused_before_it_is_parsed(api: TestClient) -> None:
    deep = "(" * 3000 + "id = 'x'" + ")" * 3000
    chain = "NOT " * 2000 + "id = 'x'"
    nested: Json = CASES[0][1]
    for _ in range(100):
        nested = {"op": "not", "args": [nested]}
    for body in (
        {"filter": deep, "filter-lang": "cql2-text"},
        {"filter": chain, "filter-lang": "cql2-text"},
        {"filter": "id = '" + "x" * 9000 + "'", "filter-lang": "cql2-text"},
        {"filter": nested},
    ):
        reply = api.post("/search", json=body)
        assert (reply.status_code, reply.json()["parameter"]) == (400, "filter")


def test_a_function_of_our_own_is_refused_of_others(api: TestClient) -> None:
    filter = {"op": "A_LIKE", "args": [{"property": "instruments"}, "%sar%"]}
    reply = api.post("/search", json={"filter": filter, "filter-lang": "cql2-json"})
    assert (reply.status_code, reply.json()["parameter"]) == (400, "filter")
