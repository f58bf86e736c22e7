"""Filters on Terrascope's simulator: pushed exactly, or said to be checked here."""

from urllib.parse import unquote

import pytest

from stacbridge.dialects.opensearch.dialect import OpenSearch
from stacbridge.errors import SearchTooWide
from stacbridge.mapping.mapping import load
from stacbridge.model import Json, Query
from stacbridge.simulators.opensearch import OpenSearchSimulator
from stacbridge.upstream import Upstream
from tests.opensearch.terrascope import KEYS, ROOT, TOC, bridged, ids, items, moment, pushed
from tests.opensearch.terrascope import settings as settings_of
from tests.walks import Walks


def compared(name: str, op: str, value: object) -> Json:
    return {"op": op, "args": [{"property": name}, value]}


def test_conditions_are_pushed_exactly(simulator: OpenSearchSimulator, terrascope: Upstream) -> None:
    both: Json = {
        "op": "and",
        "args": [compared("eo:cloud_cover", ">", 10), compared("eo:cloud_cover", "<=", 40.5)],
    }
    clouds = ids(items(terrascope, Query(collections=(TOC,), filter=both)))
    products = simulator.holdings.products[KEYS[TOC]]
    assert sorted(clouds) == sorted(p.title for p in products if 10 < (p.cloud_cover or 0) <= 40.5)
    assert "cloudCover=]10,40.5]" in unquote(pushed(simulator)[-1])


def test_no_clouds_at_all_is_a_condition(simulator: OpenSearchSimulator, terrascope: Upstream) -> None:
    found = ids(items(terrascope, Query(collections=(TOC,), filter=compared("eo:cloud_cover", "<=", 0))))
    products = simulator.holdings.products[KEYS[TOC]]
    assert sorted(found) == sorted(p.title for p in products if p.cloud_cover == 0)
    assert found


@pytest.mark.parametrize(
    "filter, holds",
    [
        (compared("grid:code", "=", "MGRS-31UFS"), lambda p: p.tile == "31UFS"),
        (compared("grid:code", "in", ["MGRS-31UFS", "MGRS-31UES"]), lambda p: p.tile in ("31UFS", "31UES")),
        (compared("sat:orbit_state", "=", "ascending"), lambda p: p.direction == "ASCENDING"),
        (compared("sat:orbit_state", "<>", "ascending"), lambda p: p.direction == "DESCENDING"),
        (compared("sat:relative_orbit", "=", 9), lambda p: p.orbit == 9),
        (compared("processing:version", "=", "V210"), lambda p: p.version == "V210"),
        (compared("product:type", "=", "TOC"), lambda p: True),
        (compared("product:type", "=", "FAPAR"), lambda p: False),
        (
            compared("published", ">=", {"timestamp": "2020-01-20T00:00:00Z"}),
            lambda p: p.published >= moment("2020-01-20T00:00:00Z"),
        ),
        (compared("eo:cloud_cover", "in", [0, 0.5]), lambda p: p.cloud_cover in (0, 0.5)),
        (compared("collection", "=", TOC), lambda p: True),
    ],
)
def test_a_filter_finds_what_it_names(
    simulator: OpenSearchSimulator, terrascope: Upstream, filter: Json, holds: object
) -> None:
    assert callable(holds)
    found = ids(items(terrascope, Query(collections=(TOC,), filter=filter)))
    assert sorted(found) == sorted(p.title for p in simulator.holdings.products[KEYS[TOC]] if holds(p))


@pytest.mark.parametrize(
    "filter, named",
    [
        (compared("eo:cloud_cover", "<>", 10), "'eo:cloud_cover' <>"),
        (compared("processing:version", "like", "V2%"), "'processing:version' like"),
        (compared("platform", "=", "s2a"), "'platform' ="),
        (
            {"op": "or", "args": [compared("title", "=", "a"), compared("grid:code", "=", "b")]},
            "'title' = or 'grid:code' =",
        ),
        ({"op": "isNull", "args": [{"property": "eo:cloud_cover"}]}, "'eo:cloud_cover' isnull"),
        (compared("sar:instrument_mode", "=", "IW"), "'sar:instrument_mode' ="),
        (compared("relativeOrbitNumber", "=", 9), None),
        (compared("no:such", "=", "x"), None),
    ],
)
def test_a_condition_that_cannot_be_pushed_is_to_be_checked(
    simulator: OpenSearchSimulator, filter: Json, named: str | None
) -> None:
    mapping = load("terrascope", settings_of(simulator))
    page = Walks(OpenSearch(mapping), mapping).page(Query(collections=(TOC,), filter=filter, count=True))
    assert page.checked == ((named,) if named else ())
    assert page.matched == (None if named else 0)


def test_a_property_that_no_product_has_asks_nothing(
    simulator: OpenSearchSimulator, terrascope: Upstream
) -> None:
    simulator.log.clear()
    found = terrascope.search(Query(filter=compared("no:such", "=", "x"), count=True), ROOT)
    assert (found.items, found.position, found.matched) == ([], None, 0)
    assert pushed(simulator) == []


def test_a_test_of_time_narrows_what_is_asked(simulator: OpenSearchSimulator, terrascope: Upstream) -> None:
    late = compared("datetime", ">=", {"timestamp": "2020-01-20T00:00:00Z"})
    terrascope.search(Query(collections=(TOC,), filter=late), ROOT)
    assert "start=2020-01-20T00:00:00Z" in unquote(pushed(simulator)[-1])


def test_more_items_than_can_be_looked_up_is_an_error_that_says_what_to_name() -> None:
    with OpenSearchSimulator(size=20) as simulator, bridged(simulator, lookups=9) as upstream:
        assert upstream.search(Query(ids=("a", "b"), collections=(TOC,)), ROOT).items == []
        with pytest.raises(SearchTooWide, match="looks up each item in each collection, here 10 times"):
            upstream.search(Query(ids=("a", "b")), ROOT)


def test_queryables_are_what_the_service_has_parameters_for(terrascope: Upstream) -> None:
    properties = terrascope.queryables(TOC)["properties"]
    assert {"eo:cloud_cover", "grid:code", "product:type", "published"} <= properties.keys()
    assert properties.keys().isdisjoint({"sar:instrument_mode", "eo:snow_cover", "sat:absolute_orbit"})
    assert properties["product:type"]["enum"] == ["TOC"]
