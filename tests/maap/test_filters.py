"""Filters of the shipped MAAP catalogue, pushed or checked, against the simulator of MAAP over real HTTP."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as checked
from hypothesis import strategies as st

from stacbridge.cql.parse import parse_json, parse_text
from stacbridge.loading import load
from stacbridge.model import Bbox, Interval, Json, Query, SortKey
from stacbridge.settings import Settings
from stacbridge.simulators.maap import MaapSimulator
from stacbridge.upstream import Upstream
from tests.leaving import CHANCES
from tests.maap.archive import EARTHCARE, L1A, settings, walked
from tests.unit.cql_trees import combined
from tests.walks import Archive, Walks, named, places


def cql(text: str) -> Json:
    return parse_text(text, Settings())


@pytest.mark.parametrize(("namespaced", "strict"), [(False, True), (True, True), (False, False)])
@pytest.mark.parametrize("asked", ["product:type", "productType"])
def test_names_that_moved_are_taken_under_both(namespaced: bool, strict: bool, asked: str) -> None:
    with MaapSimulator(namespaced=namespaced, strict=strict) as sim:
        catalogue = load("maap", settings(sim))
        found = walked(catalogue, collections=(L1A,), filter=cql(f"{asked} = 'S2_SCS__1S'"))
        queryables = catalogue.queryables(L1A) if catalogue.collections() else {}
        catalogue.close()
    assert {item["properties"]["product:type"] for item in found} == {"S2_SCS__1S"}
    assert len(found) == 80
    assert "product:type" in queryables["properties"]


def test_queryables_are_found_where_the_collection_says(upstream: Upstream) -> None:
    properties = upstream.queryables("TropForest")["properties"]
    assert properties["product:type"]["enum"] == ["AL1_AV2_2F"]


def test_a_filter_on_the_collection_is_decided_here(sim: MaapSimulator, upstream: Upstream) -> None:
    found = walked(upstream, filter=cql(f"collection = '{EARTHCARE}' and product:type = 'CPR_NOM_1B'"))
    assert {item["collection"] for item in found} == {EARTHCARE}
    assert walked(upstream, filter=cql("collection = 'nowhere'")) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("eo:cloud_cover < 10", "'eo:cloud_cover' <"),
        ("product:type <> 's1_scs__1s'", "'product:type' <>"),
        ("product:type NOT LIKE 's1%'", "'product:type' not like"),
        ("sat:absolute_orbit = 'many'", "'sat:absolute_orbit' ="),
        ("sat:absolute_orbit IS NULL", "'sat:absolute_orbit' isnull"),
        ("sat:absolute_orbit + 1 = 7001", ""),
    ],
)
def test_what_cannot_be_pushed_is_to_be_checked(walks: Walks, text: str, told: str) -> None:
    page = walks.page(Query((L1A,), filter=cql(text), limit=5, count=True))
    assert len(page.checked) == 1
    assert told in page.checked[0]
    assert page.matched is None


@pytest.mark.parametrize("text", ["product:type = 's1_scs__1s'", "product:type LIKE 's1%'"])
def test_what_no_listed_value_satisfies_finds_nothing(walks: Walks, text: str) -> None:
    page = walks.page(Query((L1A,), filter=cql(text), count=True))
    assert (page.records, page.position, page.matched, page.checked) == ([], None, 0, ())


def test_case_does_not_matter_where_that_is_asked(upstream: Upstream) -> None:
    found = walked(upstream, collections=(L1A,), filter=cql("CASEI(productType) = CASEI('s1_scs__1s')"))
    assert len(found) == 80


def test_text_of_one_case_is_compared_exactly(upstream: Upstream) -> None:
    query = {"collections": (EARTHCARE,), "limit": 500}
    assert walked(upstream, **query, filter=cql("orbitNumber = 7003 and frame = 'E'"))
    assert walked(upstream, **query, filter=cql("orbitNumber = 7003 and frame = 'e'")) == []


def test_a_filter_on_several_collections_names_what_all_have(upstream: Upstream) -> None:
    both = (L1A, "BiomassLevel1b")
    found = walked(upstream, collections=both, filter=cql("sat:absolute_orbit <= 7001"))
    assert {item["collection"] for item in found} == set(both)


VALUES: dict[str, list[Any]] = {
    "datetime": [{"timestamp": "2025-06-06T06:00:00Z"}, {"timestamp": "2025-06-12T14:00:00Z"}],
    "collection": [L1A, EARTHCARE, "nowhere"],
    "no:such": [1, "x"],
    "product:type": ["S1_SCS__1S", "S2_SCS__1S", "s2_scs__1s", "XX"],
    "sat:orbit_state": ["ascending", "ASCENDING", "up"],
    "sat:absolute_orbit": [7000, 7007, 7007.5, 9999],
    "version": ["01", "02"],
    "updated": [{"timestamp": "2025-06-06T06:00:00Z"}, {"timestamp": "2025-06-12T14:20:00Z"}],
    "eofeos:mission_phase": ["Routine"],
    "id": ["BIO_S3_SCS__1S_20250604T160000_20250604T160020_I_G01_M01_C01_T009_F273_01_D9B04E7", "bio"],
}


@st.composite
def comparisons(draw: st.DrawFn) -> Json:
    name = draw(st.sampled_from(sorted(VALUES)))
    op = draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]))
    left: Json = {"property": name}
    right = draw(st.sampled_from(VALUES[name]))
    if isinstance(right, str) and draw(st.booleans()):
        left, right = {"op": "casei", "args": [left]}, {"op": "casei", "args": [right]}
    return {"op": op, "args": [left, right]}


OTHERS = st.sampled_from(
    [
        {"op": "like", "args": [{"property": "product:type"}, "S1%"]},
        {"op": "like", "args": [{"property": "id"}, "BIO_S2%"]},
        {"op": "isNull", "args": [{"property": "sat:absolute_orbit"}]},
        {"op": "between", "args": [{"property": "sat:absolute_orbit"}, 7003, 7010]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [0.0, 0.0, 60.0, 40.0]}]},
    ]
)
FILTERS = combined(st.one_of(comparisons(), OTHERS), 4)


TIMES = st.one_of(
    st.none(),
    st.datetimes(datetime(2025, 5, 30), datetime(2025, 7, 1), timezones=st.just(UTC)),
    st.sampled_from([datetime(2025, 6, 3, tzinfo=UTC), datetime(2025, 6, 20, tzinfo=UTC)]),
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    start, days = draw(TIMES), draw(st.sampled_from([None, 0, 1, 12]))
    end = None if start is None or days is None else start + timedelta(days=days)
    chosen = [(), (L1A,), ("BiomassLevel2a",), (L1A, "BiomassLevel1b", "BiomassLevel2a"), (EARTHCARE,)]
    boxes: list[Bbox | None] = [None, (-20.0, -30.0, 40.0, 30.0), (150.0, -60.0, -150.0, 60.0)]
    collections = draw(st.sampled_from(chosen))
    sorts = [(), (SortKey("datetime"),), (SortKey("datetime", descending=True),)]
    return Query(
        collections=collections,
        bbox=draw(st.sampled_from(boxes)),
        interval=draw(st.sampled_from([None, Interval(start, end), Interval(None, end)])),
        filter=draw(st.one_of(st.none(), FILTERS)),
        sortby=draw(st.sampled_from(sorts)),
        limit=draw(st.sampled_from([60, 200, 1000])),
        count=True,
    )


@pytest.fixture(scope="module")
def archive(walks: Walks, sim: MaapSimulator) -> Archive:
    """All Items, held against what the simulator holds."""
    found = walks.items(Query(limit=1000))
    held = [(item.collection, item.id) for each in sim.catalogue.holdings.values() for item in each.items]
    assert named(found) == sorted(held)
    return Archive(found)


@checked(max_examples=20, deadline=None)
@given(query=queries(), chance=CHANCES)
def test_any_search_gives_what_the_archive_holds_in_one_order(
    walks: Walks, archive: Archive, query: Query, chance: Random | None
) -> None:
    query = replace(query, filter=parse_json(query.filter, Settings()) if query.filter else None)
    found, right = walks.items(query, chance), archive.wanted(query)
    assert named(found) == named(right)
    assert places(found, query) == places(right, query)
    page = walks.page(query)
    assert page.matched in (None, len(right))
    assert not (page.checked and page.matched)
