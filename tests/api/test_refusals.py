"""Searches that are refused by the name of the parameter that is wrong."""

from typing import Any

import pytest
from starlette.testclient import TestClient

POLYGON = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}

BAD_URLS = [
    ("bbox=1,2,3", "bbox"),
    ("bbox=1,2", "bbox"),
    ("bbox=1", "bbox"),
    ("bbox=1,2,3,4,5", "bbox"),
    ("bbox=1,2,3,4,5,6,7", "bbox"),
    ("bbox=[1,2,3,4]", "bbox"),
    ("bbox=0,50,1,40", "bbox"),
    ("bbox=a,b,c,d", "bbox"),
    ("bbox=nan,0,1,1", "bbox"),
    ("bbox=0,0,inf,1", "bbox"),
    ("bbox=-500,0,1,1", "bbox"),
    ("bbox=0,0,1,91", "bbox"),
    ('bbox=0,0,1,1&intersects={"type":"Point","coordinates":[0,0]}', "intersects"),
    ("intersects={}", "intersects"),
    ("intersects=[]", "intersects"),
    ("intersects=nonsense", "intersects"),
    ('intersects={"type":"Feature","geometry":{"type":"Point","coordinates":[0,0]}}', "intersects"),
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=many", "limit"),
    ("limit=1&limit=2", "limit"),
    ("datetime=", "datetime"),
    ("datetime=2024-01-01", "datetime"),
    ("datetime=2024-01-01T00:00:00", "datetime"),
    ("datetime=2024-01-01T00:00:00.Z", "datetime"),
    ("datetime=2024-13-01T00:00:00Z", "datetime"),
    ("datetime=/", "datetime"),
    ("datetime=../..", "datetime"),
    ("datetime=2024-01-02T00:00:00Z/2024-01-01T00:00:00Z", "datetime"),
    ("datetime=2024-01-01T00:00:00Z/2024-01-02T00:00:00Z/..", "datetime"),
    ("sortby=nonsense", "sortby"),
    ("filter=nonsense(", "filter"),
    ("filter=id='x'&filter-lang=cql2-json", "filter"),
    ("filter=id='x'&filter-lang=sql", "filter-lang"),
    ("filter=id='x'&filter-crs=http://www.opengis.net/def/crs/EPSG/0/3857", "filter-crs"),
    ("token=!!", "token"),
    ("count=perhaps", "count"),
    ('query={"a":1}', "query"),
    ("query=nonsense", "query"),
    ("scenes=twice", "scenes"),
]

BAD_BODIES: list[tuple[Any, str]] = [
    ({"bbox": "0,0,1,1"}, "bbox"),
    ({"bbox": [0, 50, 1, 40]}, "bbox"),
    ({"bbox": [0, 0, 1]}, "bbox"),
    ({"bbox": [0, 0, 1, True]}, "bbox"),
    ({"bbox": [0, 0, 1, 1], "intersects": POLYGON}, "intersects"),
    ({"intersects": "POINT(0 0)"}, "intersects"),
    ({"intersects": {"type": "Polygon", "coordinates": []}}, "intersects"),
    ({"limit": 0}, "limit"),
    ({"limit": "10"}, "limit"),
    ({"limit": True}, "limit"),
    ({"limit": 1.5}, "limit"),
    ({"datetime": ["2024-01-01T00:00:00Z"]}, "datetime"),
    ({"ids": [1]}, "ids"),
    ({"ids": [str(number) for number in range(501)]}, "ids"),
    ({"collections": {"a": 1}}, "collections"),
    ({"sortby": "datetime"}, "sortby"),
    ({"sortby": [{"field": "datetime", "direction": "up"}]}, "sortby"),
    ({"sortby": [{}]}, "sortby"),
    ({"fields": None}, "fields"),
    ({"fields": ["id"]}, "fields"),
    ({"fields": {"include": "id"}}, "fields"),
    ({"filter": 7}, "filter"),
    ({"filter": {}}, "filter"),
    ({"filter": {"op": "nonsense", "args": []}}, "filter"),
    ({"token": 7}, "token"),
    ({"count": "yes"}, "count"),
    ({"query": {"eo:cloud_cover": {"below": 5}}}, "query"),
    ({"query": {"eo:cloud_cover": {}}}, "query"),
    ({"query": {"platform": {"startsWith": 5}}}, "query"),
    ({"query": {"platform": {"in": "a"}}}, "query"),
    ({"query": {"platform": {"lt": None}}}, "query"),
    ({"query": [1]}, "query"),
    ({"q": "snow"}, "q"),
    ({"q": [7]}, "q"),
    ({"q": [f"term{number}" for number in range(17)]}, "q"),
    ({"q": ["x" * 9000]}, "q"),
    ({"scenes": 1}, "scenes"),
]


@pytest.mark.parametrize(("query", "parameter"), BAD_URLS)
def test_a_bad_url_is_refused_by_the_parameters_name(api: TestClient, query: str, parameter: str) -> None:
    reply = api.get(f"/search?{query}")
    assert (reply.status_code, reply.json()["code"]) in [(400, "BadRequest"), (400, "UnsupportedFilter")]
    assert reply.json()["parameter"] == parameter


@pytest.mark.parametrize(("body", "parameter"), BAD_BODIES)
def test_a_bad_body_is_refused_by_the_parameters_name(api: TestClient, body: Any, parameter: str) -> None:
    reply = api.post("/search", json=body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["parameter"] == parameter


@pytest.mark.parametrize("query", ["bbox=1,2,3", "limit=0", "datetime=2024-01-01", "filter=nonsense("])
def test_items_of_a_collection_refuse_what_search_refuses(api: TestClient, query: str) -> None:
    assert api.get(f"/collections/radar-grd/items?{query}").status_code == 400


def test_numbers_that_are_not_finite_are_refused_in_bodies_too(api: TestClient) -> None:
    for content in (
        b'{"bbox": [NaN, 0, 1, 1]}',
        b'{"intersects": {"type": "Point", "coordinates": [NaN, 0]}}',
    ):
        reply = api.post("/search", content=content, headers={"Content-Type": "application/json"})
        assert reply.status_code == 400, content
