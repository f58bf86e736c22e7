"""The shipped MAAP catalogue against the simulator of MAAP, over real HTTP."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as checked
from hypothesis import strategies as st

from stacbridge import geometry
from stacbridge.cql.matching import condition
from stacbridge.cql.parse import parse_json, parse_text
from stacbridge.dialects.stac import StacApi
from stacbridge.errors import BadRequest, UnsupportedFilter, UpstreamError
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Interval, Json, Query, SortKey
from stacbridge.settings import Settings
from stacbridge.simulators.faults import Failure, Faults
from stacbridge.simulators.maap import MaapSimulator
from stacbridge.upstream import Upstream, load
from tests.schemas import faults
from tests.unit.maap import settings

ROOT = "http://bridge"
L1A = "BiomassLevel1a"
EARTHCARE = "EarthCAREL1Validated_MAAP"


@pytest.fixture(scope="module")
def sim() -> Iterator[MaapSimulator]:
    with MaapSimulator() as running:
        yield running


@pytest.fixture(scope="module")
def upstream(sim: MaapSimulator) -> Iterator[Upstream]:
    catalogue = load("maap", settings(sim))
    catalogue.collections()
    yield catalogue
    catalogue.close()


def walked(upstream: Upstream, **query: Any) -> list[Json]:
    """Return the items of all pages of a search."""
    found: list[Json] = []
    position: Json | None = None
    while True:
        page = upstream.search(Query(**query, position=position), ROOT)
        found += page.items
        position = page.position
        if position is None:
            return found


def ids(items: list[Json]) -> list[str]:
    return sorted(item["id"] for item in items)


def cql(text: str) -> Json:
    return parse_text(text, Settings())


def held(sim: MaapSimulator, collection: str) -> list[str]:
    return sorted(item.id for item in sim.catalogue.holdings[collection].items)


def test_collections_are_those_with_items_and_all_are_valid(sim: MaapSimulator, upstream: Upstream) -> None:
    collections = upstream.collections()
    searchable = [holding.id for holding in sim.catalogue.holdings.values() if holding.items]
    assert [collection["id"] for collection in collections] == searchable
    assert [fault for collection in collections for fault in faults(collection)] == []
    assert not any("collection" in collection for collection in collections)


def test_collections_are_walked_by_start_record(sim: MaapSimulator) -> None:
    mapping = load_mapping("maap", settings(sim))
    mapping.limits["collections"] = 4
    catalogue = Upstream(mapping, StacApi(mapping), settings(sim))
    sim.log.clear()
    catalogue.collections()
    asked = [seen.query for seen in sim.log if seen.path == "/catalogue/collections"]
    assert [query.rpartition("startRecord=")[2] for query in asked[1:]] == ["5", "9", "13"]


@pytest.mark.parametrize("limit", [7, 60, 500])
def test_pages_walk_through_a_collection_without_gap_or_repetition(
    sim: MaapSimulator, upstream: Upstream, limit: int
) -> None:
    assert ids(walked(upstream, collections=(L1A,), limit=limit)) == held(sim, L1A)


def test_all_items_are_valid_and_counted(sim: MaapSimulator, upstream: Upstream) -> None:
    found = upstream.search(Query(limit=500, count=True), ROOT)
    assert found.matched == sum(len(holding.items) for holding in sim.catalogue.holdings.values())
    assert [fault for item in found.items for fault in faults(item)] == []
    assert not found.skipped


def test_datetime_finds_what_overlaps(sim: MaapSimulator, upstream: Upstream) -> None:
    start, end = (datetime.fromisoformat(f"2025-06-{day}T00:00:00Z") for day in ("20", "21"))
    found = walked(upstream, collections=("BiomassLevel2a",), interval=Interval(start, end))
    items = sim.catalogue.holdings["BiomassLevel2a"].items
    assert ids(found) == sorted(item.id for item in items if item.start <= end and item.end >= start)
    assert any(item["properties"]["start_datetime"] < "2025-06-20" for item in found)


def test_an_open_interval_has_one_bound(sim: MaapSimulator, upstream: Upstream) -> None:
    start = datetime.fromisoformat("2025-06-15T00:00:00Z")
    found = walked(upstream, collections=(L1A,), interval=Interval(start, None))
    assert ids(found) == sorted(i.id for i in sim.catalogue.holdings[L1A].items if i.end >= start)


@pytest.mark.parametrize("bbox", [(-20.0, -30.0, 40.0, 30.0), (150.0, -60.0, -150.0, 60.0)])
def test_a_box_finds_what_it_touches_across_the_antimeridian_too(
    sim: MaapSimulator, upstream: Upstream, bbox: tuple[float, float, float, float]
) -> None:
    area = condition({"op": "s_intersects", "args": [{"property": "geometry"}, geometry.box(bbox)]})
    every = walked(upstream, collections=(L1A,), limit=500)
    found = walked(upstream, collections=(L1A,), bbox=bbox)
    assert ids(found) == ids([item for item in every if area(item)])
    assert 0 < len(found) < len(every)


def test_ids_that_no_url_could_hold_are_asked_in_runs(sim: MaapSimulator, upstream: Upstream) -> None:
    wanted = tuple(held(sim, L1A)[:120])
    sim.log.clear()
    assert ids(walked(upstream, ids=wanted, limit=50)) == sorted(wanted)
    assert all(len(seen.query) < 4000 for seen in sim.log)
    assert len(sim.log) > 2


def test_an_item_alone_is_found_by_id_and_collection(sim: MaapSimulator, upstream: Upstream) -> None:
    wanted = held(sim, L1A)[5]
    assert ids(upstream.search(Query((L1A,), (wanted,)), ROOT).items) == [wanted]
    assert upstream.search(Query((EARTHCARE,), (wanted,)), ROOT).items == []


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
    with pytest.raises(UnsupportedFilter, match="something else of each"):
        walked(upstream, filter=cql(f"collection = '{EARTHCARE}' or product:type = 'S1_SCS__1S'"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("eo:cloud_cover < 10", "'eo:cloud_cover' <: ESA MAAP has no such property"),
        ("product:type = 's1_scs__1s'", "without regard to case. Ask with CASEI, or for 'S1_SCS__1S'"),
        ("product:type LIKE 's1%'", "without regard to case"),
        ("frame <> 'E'", "'frame' <> 'E'"),
        ("orbitNumber = 'many'", "not of type integer"),
        ("orbitNumber IS NULL", "'orbitNumber' isnull"),
    ],
)
def test_what_cannot_be_answered_exactly_is_refused_by_name(upstream: Upstream, text: str, told: str) -> None:
    with pytest.raises(UnsupportedFilter, match=told):
        upstream.search(Query((L1A,), filter=cql(text)), ROOT)


def test_case_does_not_matter_where_that_is_asked(upstream: Upstream) -> None:
    found = walked(upstream, collections=(L1A,), filter=cql("CASEI(productType) = CASEI('s1_scs__1s')"))
    assert len(found) == 80


def test_text_of_one_case_is_compared_exactly(upstream: Upstream) -> None:
    query = {"collections": (EARTHCARE,), "limit": 500}
    assert walked(upstream, **query, filter=cql("orbitNumber = 7003 and frame = 'E'"))
    assert walked(upstream, **query, filter=cql("orbitNumber = 7003 and frame = 'e'")) == []


def test_a_filter_needs_few_collections(upstream: Upstream) -> None:
    with pytest.raises(UnsupportedFilter, match="at most 10 of its collections"):
        upstream.search(Query(filter=cql("platform = 'Biomass'")), ROOT)


def test_a_filter_on_several_collections_names_what_all_have(upstream: Upstream) -> None:
    both = (L1A, "BiomassLevel1b")
    found = walked(upstream, collections=both, filter=cql("sat:absolute_orbit <= 7001"))
    assert {item["collection"] for item in found} == set(both)
    with pytest.raises(UnsupportedFilter, match="'orbitNumber'"):
        walked(upstream, collections=(L1A, "EarthCAREAuxiliary_MAAP"), filter=cql("orbitNumber = 7001"))


def test_the_catalogue_sorts_by_nothing(upstream: Upstream) -> None:
    assert upstream.sortables(L1A)["properties"] == {}
    with pytest.raises(BadRequest, match="cannot sort by 'datetime'"):
        upstream.search(Query((L1A,), sortby=(SortKey("datetime"),)), ROOT)


VALUES: dict[str, list[Any]] = {
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


FILTERS = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds(
            lambda op, args: {"op": op, "args": args},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
        st.builds(lambda arg: {"op": "not", "args": [arg]}, inner),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def everything(upstream: Upstream) -> list[Json]:
    return walked(upstream, collections=(L1A,), limit=500)


@checked(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filter=FILTERS)
def test_a_filter_is_answered_exactly_or_refused(
    upstream: Upstream, everything: list[Json], filter: Json
) -> None:
    expression = parse_json(filter, Settings())
    holds = condition(expression)
    try:
        found = walked(upstream, collections=(L1A,), filter=expression, limit=500)
    except UnsupportedFilter as refused:
        assert any(name in str(refused) for name in VALUES)
        return
    assert ids(found) == ids([item for item in everything if holds(item)])


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (b"<html>Maintenance</html>", "text/html", "an HTML page"),
        (b'{"type": "FeatureCollection", "features": [', "application/geo+json", "not JSON"),
        (
            b'<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "b">]><feed/>',
            "application/atom+xml",
            "not JSON",
        ),
        (b'{"code": "Trouble", "description": "index closed"}', "application/json", "no list of features"),
        (b"[]", "application/json", "no list of features"),
        (b'{"features": [1]}', "application/json", "no list of features"),
    ],
)
def test_an_answer_that_is_no_page_is_an_error_that_names_the_catalogue(
    sim: MaapSimulator, upstream: Upstream, body: bytes, kind: str, told: str
) -> None:
    sim.faults = Faults(failure=Failure(status=200, body=body, content_type=kind))
    with pytest.raises(UpstreamError, match=told) as caught:
        upstream.search(Query((L1A,)), ROOT)
    assert caught.value.upstream == "maap"
    assert upstream.search(Query((L1A,), limit=1), ROOT).items


def test_an_error_in_the_upstreams_own_words_is_repeated(sim: MaapSimulator, upstream: Upstream) -> None:
    body = b'{"code": "InvalidParameterValue", "description": "bbox is wrong"}'
    sim.faults = Faults(failure=Failure(status=400, body=body, content_type="application/json"))
    with pytest.raises(UpstreamError, match="bbox is wrong"):
        upstream.search(Query((L1A,)), ROOT)


def test_collections_are_served_while_the_catalogue_is_down(sim: MaapSimulator) -> None:
    now = [0.0]
    own = settings(sim, retries=0)
    mapping = load_mapping("maap", own)
    catalogue = Upstream(mapping, StacApi(mapping), own, clock=lambda: now[0])
    before = catalogue.collections()
    now[0] += own.collection_seconds + 1
    sim.faults = Faults(failure=Failure(times=1, status=503))
    assert catalogue.collections() == before
    sim.faults = Faults()
    catalogue.close()
