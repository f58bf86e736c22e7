"""Collections are searched by words, place, time and CQL2."""

from collections.abc import Iterator
from typing import Any

import pystac_client
import pytest
import requests

from stacbridge.api.collection_search import select
from stacbridge.app import create_app
from stacbridge.errors import SearchTooWide
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json
from stacbridge.settings import Settings
from tests.api.archive import collection
from tests.api.serving import running

TIMEOUT = 10


def told(id: str, title: str, box: list[float], interval: list[str | None], **more: Any) -> Json:
    extent = {"spatial": {"bbox": [box]}, "temporal": {"interval": [interval]}}
    return {**collection(id), "title": title, "extent": extent, **more}


COLLECTIONS = [
    told(
        "biomass-1a",
        "Biomass Level 1A",
        [-180, -60, 180, 60],
        ["2025-05-01T00:00:00Z", None],
        summaries={"platform": ["Biomass"], "gsd": {"minimum": 25, "maximum": 200}},
        providers=[{"name": "ESA/ESRIN"}],
    ),
    told(
        "tropforest",
        "TropForest",
        [90, -20, 140, 25],
        ["2009-01-01T00:00:00Z", "2010-12-31T00:00:00Z"],
        summaries={"platform": ["ALOS-1", "GEOSAT-1"]},
        keywords=["forest", "tropics"],
        version="2",
    ),
    told("pacific", "Islands", [170, -20, -150, 10], ["2015-01-01T00:00:00Z", None]),
]


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    with running(create_app(Settings(), [MemoryCatalogue("made-up", COLLECTIONS, [])])) as url:
        yield url


def ask(root: str, **parameters: str) -> requests.Response:
    return requests.get(f"{root}/collections", params=parameters, timeout=TIMEOUT)


def found(root: str, **parameters: str) -> list[str]:
    return [entry["id"] for entry in ask(root, **parameters).json()["collections"]]


@pytest.mark.parametrize(
    ("parameters", "ids"),
    [
        ({}, ["biomass-1a", "tropforest", "pacific"]),
        ({"q": "biomass"}, ["biomass-1a"]),
        ({"q": "FOREST"}, ["tropforest"]),
        ({"q": "islands,biomass"}, ["biomass-1a", "pacific"]),
        ({"q": '"level 1a"'}, ["biomass-1a"]),
        ({"q": "nothing"}, []),
        ({"bbox": "100,0,101,1"}, ["biomass-1a", "tropforest"]),
        ({"bbox": "-160,-70,-159,-5"}, ["biomass-1a", "pacific"]),
        ({"bbox": "175,5,-175,8"}, ["biomass-1a", "pacific"]),
        ({"datetime": "2010-06-01T00:00:00Z"}, ["tropforest"]),
        ({"datetime": "2016-01-01T00:00:00Z/.."}, ["biomass-1a", "pacific"]),
        ({"datetime": "../2009-01-01T00:00:00Z"}, ["tropforest"]),
        ({"filter": "title = 'TropForest'"}, ["tropforest"]),
        ({"filter": "platform = 'Biomass'"}, ["biomass-1a"]),
        ({"filter": "CASEI(platform) = CASEI('BIOMASS')"}, ["biomass-1a"]),
        ({"filter": "platform = 'GEOSAT-1'"}, ["tropforest"]),
        ({"filter": "organisationName = 'ESA/ESRIN' and title LIKE 'Bio%'"}, ["biomass-1a"]),
        ({"filter": "platform <> 'Biomass'"}, ["tropforest"]),
        ({"filter": "NOT platform = 'Biomass'"}, ["tropforest"]),
        ({"filter": "platform IS NULL"}, ["pacific"]),
        ({"filter": "colour = 'red'"}, []),
        ({"filter": "NOT colour = 'red'"}, []),
        ({"filter": "colour = 'red' OR id = 'pacific'"}, ["pacific"]),
        ({"filter": "NOT (colour = 'red' AND id = 'pacific')"}, ["biomass-1a", "tropforest"]),
        ({"filter": "version = '2'"}, ["tropforest"]),
        ({"filter": "gsd = 50"}, ["biomass-1a"]),
        ({"filter": "gsd BETWEEN 30 AND 40"}, ["biomass-1a"]),
        ({"filter": "gsd < 25"}, []),
        ({"filter": "gsd > 199 AND gsd < 26"}, ["biomass-1a"]),
        ({"filter": "A_CONTAINS(keywords, ('forest', 'tropics'))"}, ["tropforest"]),
        ({"filter": "A_OVERLAPS(platform, ('GEOSAT-1', 'Biomass'))"}, ["biomass-1a", "tropforest"]),
        ({"filter": "keywords LIKE 'trop%'"}, ["tropforest"]),
        ({"filter": "S_INTERSECTS(geometry, POINT(100 10))"}, ["biomass-1a", "tropforest"]),
        ({"filter": "S_WITHIN(geometry, BBOX(80,-30,150,30))"}, ["tropforest"]),
        ({"filter": "datetime < TIMESTAMP('2010-01-01T00:00:00Z')"}, ["tropforest"]),
        ({"filter": "datetime = TIMESTAMP('2016-01-01T00:00:00Z')"}, ["pacific"]),
        ({"filter": "end_datetime IS NULL"}, ["biomass-1a", "pacific"]),
        ({"query": '{"title": {"startsWith": "Trop"}}'}, ["tropforest"]),
        ({"query": '{"gsd": {"gte": 100, "lt": 300}}'}, ["biomass-1a"]),
        ({"sortby": "title"}, ["biomass-1a", "pacific", "tropforest"]),
        ({"sortby": "-title"}, ["tropforest", "pacific", "biomass-1a"]),
        ({"sortby": "-datetime,id"}, ["biomass-1a", "pacific", "tropforest"]),
        ({"sortby": "version,-id"}, ["tropforest", "pacific", "biomass-1a"]),
        ({"sortby": "gsd", "q": "islands"}, ["pacific"]),
        ({"q": "level", "datetime": "2000-01-01T00:00:00Z"}, []),
    ],
)
def test_collections_are_found_by(root: str, parameters: dict[str, str], ids: list[str]) -> None:
    assert found(root, **parameters) == ids
    assert ask(root, **parameters).json()["numberMatched"] == len(ids)


def test_pages_hold_what_is_asked_and_lead_to_the_next(root: str) -> None:
    first = ask(root, limit="2").json()
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    second = requests.get(following, timeout=TIMEOUT).json()
    ids = [entry["id"] for page in (first, second) for entry in page["collections"]]
    assert ids == [entry["id"] for entry in COLLECTIONS]
    assert not any(link["rel"] == "next" for link in second["links"])


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"bbox": "1,2,3"}, "bbox"),
        ({"datetime": "yesterday"}, "datetime"),
        ({"sortby": "colour"}, "sortby"),
        ({"sortby": "geometry"}, "sortby"),
        ({"query": '{"title": {"below": 1}}'}, "query"),
        ({"filter": "title ="}, "filter"),
        ({"token": "x"}, "token"),
        ({"limit": "0"}, "limit"),
    ],
)
def test_what_cannot_be_read_is_400_and_named(root: str, parameters: dict[str, str], parameter: str) -> None:
    answer = ask(root, **parameters)
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


def test_pystac_client_searches_collections_on_the_server(root: str) -> None:
    catalog = pystac_client.Client.open(root)
    asked: dict[str, Any] = {"q": "forest", "bbox": [100, 0, 101, 1], "datetime": "2009-06-01/2009-07-01"}
    assert [entry.id for entry in catalog.collection_search(**asked).collections()] == ["tropforest"]
    filtered = catalog.collection_search(filter="platform = 'Biomass'", max_collections=1)
    assert [entry.id for entry in filtered.collections()] == ["biomass-1a"]


def test_every_property_that_filters_and_sortby_may_name_is_told(root: str) -> None:
    links = {link["rel"].rpartition("/")[2]: link["href"] for link in ask(root).json()["links"]}
    schemas = {name: requests.get(links[name], timeout=TIMEOUT) for name in ("queryables", "sortables")}
    for name, reply in schemas.items():
        assert reply.headers["content-type"] == "application/schema+json"
        assert reply.json()["$id"] == links[name]
    told = {name: reply.json()["properties"] for name, reply in schemas.items()}
    assert told["queryables"]["gsd"] == {"type": "integer"}
    assert {"id", "title", "keywords", "platform", "datetime", "geometry"} <= told["queryables"].keys()
    assert "geometry" not in told["sortables"]
    for name in told["sortables"]:
        assert len(found(root, sortby=f"-{name}")) == len(COLLECTIONS)


def test_a_condition_on_too_many_combinations_of_values_is_refused() -> None:
    words = [str(number) for number in range(20)]
    stac = {**COLLECTIONS[0], "keywords": words, "summaries": {"platform": words}}
    pairs = [("filter", "keywords = platform")]
    assert select([stac], pairs, Settings(max_combinations=400)).matched == 1
    with pytest.raises(SearchTooWide, match="keywords and platform"):
        select([stac], pairs, Settings(max_combinations=399))


@pytest.mark.parametrize(
    "parameters", [("bbox", "100,0,101,1"), ("filter", "S_INTERSECTS(geometry, POINT(100 1))")]
)
def test_a_box_that_cannot_be_read_hides_its_own_collection_alone(parameters: tuple[str, str]) -> None:
    odd = told("odd", "Odd", [-180, -81, 180, 144], [None, None])
    selected = select([odd, *COLLECTIONS], [parameters], Settings())
    assert [stac["id"] for stac in selected.collections] == ["biomass-1a", "tropforest"]
