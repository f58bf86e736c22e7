"""The routes of the Aggregation extension."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from stacbridge.model import Json

GENERAL = ["total_count", "datetime_min", "datetime_max", "datetime_frequency", "collection_frequency"]


def named(reply: Any) -> dict[str, Json]:
    assert reply.status_code == 200, reply.text
    assert reply.json()["type"] == "AggregationCollection"
    return {each["name"]: each for each in reply.json()["aggregations"]}


@pytest.mark.parametrize("path", ["", "/collections/radar-grd"])
def test_links_lead_to_numbers_and_to_their_names(api: TestClient, path: str) -> None:
    page = api.get(path or "/").json()
    found = [link for link in page["links"] if link["rel"] == "aggregate"]
    assert [link["method"] for link in found] == ["GET", "POST"]
    (names,) = [link["href"] for link in page["links"] if link["rel"] == "aggregations"]
    told = list(named(api.get(names)))
    assert told[:5] == GENERAL
    got = api.get(found[0]["href"], params={"aggregations": ",".join(told)})
    posted = api.post(found[1]["href"], json={"aggregations": told})
    assert list(named(got)) == told
    assert named(got) == named(posted)
    for reply, href in ((got, found[0]["href"]), (api.get(names), names)):
        assert {link["rel"]: link["href"] for link in reply.json()["links"]}["self"] == href


def test_nothing_asked_is_nothing_told(api: TestClient) -> None:
    assert named(api.get("/aggregate")) == {}
    assert named(api.post("/aggregate", json={})) == {}


def test_names_of_a_collection_are_those_its_items_allow(api: TestClient) -> None:
    assert list(named(api.get("/collections/radar-grd/aggregations"))) == [*GENERAL, "cloud_cover_frequency"]
    assert len(named(api.get("/aggregations"))) == 8
    refused = api.get("/collections/radar-grd/aggregate?aggregations=sat_orbit_state_frequency")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "aggregations")


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({}, 495),
        ({"collections": ["radar-grd"]}, 30),
        ({"collections": ["radar-grd", "thermal-l2"]}, 75),
        ({"collections": ["nowhere"]}, 0),
        ({"bbox": [10.2, 10.2, 10.4, 10.4]}, 4),
        ({"ids": ["radar-grd-0001"]}, 1),
        ({"datetime": "2024-01-01T00:00:00Z"}, 3),
        ({"query": {"eo:cloud_cover": {"lt": 2}}}, 7),
        ({"filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, 2]}}, 7),
        ({"q": ["thermal"]}, 45),
        ({"limit": 1, "collections": ["radar-grd"]}, 30),
    ],
)
def test_numbers_are_of_what_a_search_finds(api: TestClient, asked: Json, number: int) -> None:
    found = named(api.post("/aggregate", json={**asked, "aggregations": ["total_count"]}))
    assert found["total_count"]["value"] == number
    pages = api.post("/search", json={**asked, "limit": 1, "count": True}).json()
    assert pages["numberMatched"] == number


def test_a_collection_counts_its_own_items_only(api: TestClient) -> None:
    path = "/collections/radar-grd/aggregate?aggregations=total_count,collection_frequency"
    for more in ("", "&collections=thermal-l2"):
        found = named(api.get(path + more))
        assert found["total_count"]["value"] == 30
        assert [each["key"] for each in found["collection_frequency"]["buckets"]] == ["radar-grd"]


@pytest.mark.parametrize(
    ("interval", "number"), [("hour", 210), ("day", 9), ("week", 2), ("month", 1), ("year", 1)]
)
def test_times_are_counted_in_the_intervals_asked_for(api: TestClient, interval: str, number: int) -> None:
    asked = {"aggregations": ["datetime_frequency"], "datetime_frequency_interval": interval}
    found = named(api.post("/collections/radar-grd/aggregate", json=asked))["datetime_frequency"]
    assert found["data_type"] == f"interval_{interval}"
    assert len(found["buckets"]) == number
    assert sum(each["frequency"] for each in found["buckets"]) == 30


def test_without_an_interval_it_follows_from_the_time_covered(api: TestClient) -> None:
    for more, interval in (("", "week"), ("&datetime=2024-01-01T00:00:00Z/2024-01-03T00:00:00Z", "hour")):
        found = named(api.get(f"/aggregate?aggregations=datetime_frequency{more}"))["datetime_frequency"]
        assert found["data_type"] == f"interval_{interval}"


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"aggregations": ["nonsense"]}, "aggregations"),
        ({"aggregations": "total_count"}, "aggregations"),
        ({"aggregations": [1]}, "aggregations"),
        ({"datetime_frequency_interval": "aeon"}, "datetime_frequency_interval"),
        ({"datetime_frequency_interval": ["day"]}, "datetime_frequency_interval"),
        ({"bbox": [1, 2, 3]}, "bbox"),
        ([], "body"),
    ],
)
def test_what_cannot_be_read_is_400_and_named(api: TestClient, body: Any, parameter: str) -> None:
    reply = api.post("/aggregate", json=body)
    assert (reply.status_code, reply.json()["parameter"]) == (400, parameter)


def test_a_body_that_is_no_json_is_refused(api: TestClient) -> None:
    assert api.post("/aggregate", content=b"{").status_code == 400


@pytest.mark.parametrize("path", ["aggregate", "aggregations"])
def test_an_unknown_collection_is_not_found(api: TestClient, path: str) -> None:
    assert api.get(f"/collections/nowhere/{path}").status_code == 404


def test_answers_are_what_the_openapi_document_says(api: TestClient) -> None:
    document = api.get("/api").json()
    for path in ("/aggregate", "/collections/radar-grd/aggregate"):
        template = path.replace("radar-grd", "{collection_id}")
        described = document["paths"][template]["get"]
        assert {"bbox", "aggregations", "q", "query"} <= {each["name"] for each in described["parameters"]}
        schema = described["responses"]["200"]["content"]["application/json"]["schema"]
        names = ",".join(named(api.get(path.replace("aggregate", "aggregations"))))
        Draft202012Validator(schema).validate(api.get(path, params={"aggregations": names}).json())
        assert "requestBody" in document["paths"][template]["post"]
