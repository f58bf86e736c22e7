"""Searches of Terrascope's simulator: whole, exact, each item once, however they are paged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import orjson
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.errors import BadRequest, NotFound, UpstreamError
from stacbridge.model import Interval, Json, Query, Ready, SortKey
from stacbridge.simulators.faults import Failure, Faults
from stacbridge.simulators.opensearch import OpenSearchSimulator
from stacbridge.upstream import Upstream
from tests.opensearch.terrascope import (
    DEM,
    FAPAR,
    KEYS,
    ROOT,
    TOC,
    VGT,
    bridged,
    expected,
    ids,
    items,
    moment,
    pushed,
    walked,
)
from tests.schemas import faults


# Collections --------------------------------------------------------------------------------------
def test_collections_are_discovered_with_short_ids(terrascope: Upstream) -> None:
    assert [collection["id"] for collection in terrascope.collections()] == list(KEYS)


def test_a_discovered_collection_says_what_the_service_says(terrascope: Upstream) -> None:
    toc = next(each for each in terrascope.collections() if each["id"] == TOC)
    assert toc["title"] == "Sentinel-2 top of canopy reflectance - V2"
    assert toc["extent"] == {
        "spatial": {"bbox": [[-179.999, -84, 179.999, 84]]},
        "temporal": {"interval": [["2020-01-01T10:50:19.000000Z", None]]},
    }
    assert toc["keywords"] == ["TOC", "VITO", "SENTINEL-2"]
    assert [provider["name"] for provider in toc["providers"]] == ["VITO"]
    assert {"rel": "license", "href": "https://example.org/terms.pdf", "title": "Licence"} in toc["links"]
    assert toc["summaries"]["gsd"] == [10]


def test_discovered_collections_are_valid(terrascope: Upstream) -> None:
    assert [problem for each in terrascope.collections() for problem in faults(each)] == []


@pytest.mark.parametrize("spec", [False, True])
def test_parameters_are_found_in_both_variants_of_the_namespaces(spec: bool) -> None:
    with OpenSearchSimulator(size=60, spec=spec) as simulator, bridged(simulator) as upstream:
        query = Query(collections=(TOC,), bbox=(4.4, 50.4, 4.5, 50.5))
        assert sorted(ids(items(upstream, query))) == sorted(expected(simulator, query))
        assert "bbox=4.4%2C50.4%2C4.5%2C50.5" in pushed(simulator)[-1].replace(",", "%2C")


# Searches -----------------------------------------------------------------------------------------
@given(
    collections=st.sets(st.sampled_from(list(KEYS))).map(tuple),
    start=st.none() | st.datetimes(datetime(2002, 1, 1), datetime(2020, 2, 1)),
    days=st.integers(0, 40),
    bbox=st.none()
    | st.sampled_from([(4.0, 50.0, 5.0, 51.0), (178.0, 50.0, -179.0, 53.0), (0.0, 0.0, 1.0, 1.0)]),
    limit=st.integers(20, 150),
)
@settings(max_examples=25, deadline=None)
def test_a_search_finds_every_item_once_and_nothing_else(
    simulator: OpenSearchSimulator,
    terrascope: Upstream,
    collections: tuple[str, ...],
    start: datetime | None,
    days: int,
    bbox: tuple[float, float, float, float] | None,
    limit: int,
) -> None:
    begin = start.replace(tzinfo=UTC) if start else None
    interval = Interval(begin, begin + timedelta(days=365)) if begin and days else None
    query = Query(collections=collections, interval=interval, bbox=bbox, limit=limit)
    assert sorted(ids(items(terrascope, query))) == sorted(expected(simulator, query))


def test_a_page_is_never_longer_than_the_limit_and_every_item_comes_once(terrascope: Upstream) -> None:
    pages = walked(terrascope, Query(collections=(TOC,), limit=7))
    assert [len(page.items) for page in pages] == [7] * 42 + [6]
    assert len({item["id"] for page in pages for item in page.items}) == 300


def test_the_newest_come_first(terrascope: Upstream) -> None:
    times = [item["properties"]["datetime"] for item in items(terrascope, Query(collections=(TOC,)))]
    assert times == sorted(times, reverse=True)


def test_answers_outside_the_dates_are_left_out(simulator: OpenSearchSimulator, terrascope: Upstream) -> None:
    interval = Interval(moment("2020-01-05T12:00:00Z"), moment("2020-01-05T18:00:00Z"))
    query = Query(collections=(TOC,), interval=interval)
    asked = requests.get(
        f"{simulator.url}/catalogue/products",
        params={"collection": KEYS[TOC], "start": "2020-01-05T12:00:00Z", "end": "2020-01-05T18:00:00Z"},
        timeout=10,
    ).json()
    assert asked["totalResults"] == 12
    assert sorted(ids(items(terrascope, query))) == sorted(expected(simulator, query))
    assert len(expected(simulator, query)) == 3


def test_items_are_found_by_id_in_any_collection(
    simulator: OpenSearchSimulator, terrascope: Upstream
) -> None:
    wanted = (
        simulator.holdings.products[KEYS[FAPAR]][3].title,
        simulator.holdings.products[KEYS[TOC]][5].title,
    )
    assert set(ids(items(terrascope, Query(ids=wanted)))) == set(wanted)
    assert ids(items(terrascope, Query(ids=wanted, collections=(TOC,)))) == [wanted[1]]
    assert items(terrascope, Query(ids=("no such item",), collections=(TOC,))) == []


def test_an_intersects_geometry_is_pushed_and_checked(
    simulator: OpenSearchSimulator, terrascope: Upstream
) -> None:
    corner: Json = {"type": "Polygon", "coordinates": [[[4.3, 50.3], [4.6, 50.3], [4.3, 50.6], [4.3, 50.3]]]}
    query = Query(collections=(TOC,), intersects=corner)
    assert sorted(ids(items(terrascope, query))) == sorted(expected(simulator, query))
    assert "POLYGON" in pushed(simulator)[-1]


def test_sorting_goes_either_way(terrascope: Upstream) -> None:
    ascending = items(terrascope, Query(collections=(VGT,), sortby=(SortKey("datetime"),)))
    times = [item["properties"]["datetime"] for item in ascending]
    assert times == sorted(times)
    titles = ids(items(terrascope, Query(collections=(TOC,), sortby=(SortKey("title", descending=True),))))
    assert titles == sorted(titles, reverse=True)


def test_sorting_that_the_service_cannot_do_is_refused(terrascope: Upstream) -> None:
    for query in (
        Query(collections=(TOC,), sortby=(SortKey("eo:cloud_cover"),)),
        Query(collections=(TOC,), sortby=(SortKey("datetime"), SortKey("title"))),
    ):
        with pytest.raises(BadRequest) as refused:
            terrascope.search(query, ROOT)
        assert refused.value.parameter == "sortby"
        assert repr(query.sortby[-1].name) in str(refused.value)


def test_sortables_are_what_the_service_sorts_by(terrascope: Upstream) -> None:
    assert terrascope.sortables(TOC)["properties"].keys() == {"datetime", "title"}


def test_a_page_asks_only_collections_that_may_come_next(
    simulator: OpenSearchSimulator, terrascope: Upstream
) -> None:
    first = terrascope.search(Query(limit=20), ROOT)
    simulator.log.clear()
    second = terrascope.search(Query(limit=20, position=first.position), ROOT)
    assert {item["collection"] for item in second.items} == {TOC}
    assert [parse_qs(query)["collection"] for query in pushed(simulator)] == [[KEYS[TOC]]]


# Counts -------------------------------------------------------------------------------------------
def test_matches_are_counted_where_that_is_exact(
    simulator: OpenSearchSimulator, terrascope: Upstream
) -> None:
    assert terrascope.search(Query(collections=(TOC,), limit=5, count=True), ROOT).matched == 300
    everything = terrascope.search(Query(limit=5, count=True), ROOT)
    assert everything.matched == sum(map(len, simulator.holdings.products.values()))


def test_a_count_that_the_service_only_estimates_is_not_told(terrascope: Upstream) -> None:
    interval = Interval(moment("2020-01-05T12:00:00Z"), moment("2020-01-05T18:00:00Z"))
    query = Query(collections=(TOC,), interval=interval, limit=2, count=True)
    assert terrascope.search(query, ROOT).matched is None
    assert terrascope.search(replace(query, limit=100), ROOT).matched == 3


def test_a_search_of_nothing_counts_none(terrascope: Upstream) -> None:
    found = terrascope.search(Query(collections=("empty-v1",), count=True), ROOT)
    assert (found.items, found.position, found.matched) == ([], None, 0)


# Depth --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("collection", [TOC, FAPAR])
def test_time_is_split_beyond_the_depth_of_the_service(collection: str, descending: bool) -> None:
    with OpenSearchSimulator(size=300, depth=40) as simulator, bridged(simulator, depth=40) as upstream:
        query = Query(collections=(collection,), limit=10, sortby=(SortKey("datetime", descending),))
        found = items(upstream, query)
        assert sorted(ids(found)) == sorted(expected(simulator, query))
        times = [item["properties"]["datetime"] for item in found]
        assert times == sorted(times, reverse=descending)


def test_products_that_reach_over_a_split_come_once() -> None:
    with (
        OpenSearchSimulator(size=1000, depth=8) as simulator,
        bridged(simulator, depth=8, page=8) as upstream,
    ):
        for interval in (None, Interval(moment("2002-05-20T00:00:00Z"), moment("2002-07-01T00:00:00Z"))):
            query = Query(collections=(VGT,), interval=interval, limit=5)
            assert sorted(ids(items(upstream, query))) == sorted(expected(simulator, query))


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 7])
def test_more_at_one_moment_than_the_service_pages_through_are_told_apart_by_area(
    limit: int, descending: bool
) -> None:
    with OpenSearchSimulator(size=300, depth=3) as simulator, bridged(simulator, depth=3) as upstream:
        query = Query(collections=(VGT,), limit=limit, sortby=(SortKey("datetime", descending),))
        found = items(upstream, query)
        assert sorted(ids(found)) == sorted(expected(simulator, query))
        times = [item["properties"]["datetime"] for item in found]
        assert times == sorted(times, reverse=descending)


# Items and files ----------------------------------------------------------------------------------
def test_every_item_is_valid(terrascope: Upstream) -> None:
    for id in (TOC, FAPAR, VGT, DEM):
        found = items(terrascope, Query(collections=(id,), limit=20))[:20]
        assert [problem for item in found for problem in faults(orjson.loads(orjson.dumps(item)))] == []


def test_files_of_each_type_download_through_their_place(
    simulator: OpenSearchSimulator, terrascope: Upstream
) -> None:
    item = terrascope.search(Query(collections=(TOC,), limit=1), ROOT).items[0]
    roles = {key: asset["roles"] for key, asset in item["assets"].items()}
    assert roles == {
        "TOC-B02_10M": ["data"],
        "TOC-B03_10M": ["data"],
        "TOC-B04_10M": ["data"],
        "TOC-B08_10M": ["data"],
        "SCENECLASSIFICATION_20M": ["quality"],
        "AOT_60M": ["quality"],
        "QUICKLOOK": ["overview"],
        "WMS": ["overview"],
        "Inspire metadata": ["metadata"],
    }
    for key, asset in item["assets"].items():
        ready = terrascope.locate(TOC, item["id"], key)
        assert isinstance(ready, Ready)
        answer = requests.get(
            ready.request.url,
            headers=terrascope.authorize(ready.request.url),
            timeout=10,
            allow_redirects=False,
        )
        assert answer.status_code == 200
        assert len(answer.content) == asset.get("file:size", len(answer.content))
    assert "Authorization" not in terrascope.authorize(item["assets"]["WMS"]["alternate"]["origin"]["href"])


def test_an_asset_that_an_item_does_not_list_is_not_found(terrascope: Upstream) -> None:
    item = terrascope.search(Query(collections=(TOC,), limit=1), ROOT).items[0]
    with pytest.raises(NotFound):
        terrascope.locate(TOC, item["id"], "B99")


# Bad answers --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body, content_type, told",
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "text/html", "HTML"),
        (b'{"type":"FeatureCollection","features":[', "application/json", "JSON"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><feed/>', "application/atom+xml", "DOCTYPE"),
        (b'{"exceptions":[{"exceptionText":"down","locator":"bbox"}]}', "application/json", "bbox: down"),
        (b"", "application/json", "an empty body"),
    ],
)
def test_an_answer_that_is_none_is_an_error_that_names_the_catalogue(
    body: bytes, content_type: str, told: str
) -> None:
    with OpenSearchSimulator(size=20) as simulator, bridged(simulator) as upstream:
        query = Query(collections=(TOC,))
        upstream.search(replace(query, limit=1), ROOT)  # after which it knows the collections
        simulator.faults = Faults(failure=Failure(status=200, body=body, content_type=content_type))
        with pytest.raises(UpstreamError) as failed:
            upstream.search(query, ROOT)
        assert failed.value.upstream == "terrascope"
        assert told in str(failed.value)
        assert len(upstream.search(query, ROOT).items) == 20
