"""The shipped MAAP catalogue against the simulator of MAAP, over real HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as checked
from hypothesis import strategies as st

from stacbridge import geometry
from stacbridge.cql.matching import condition
from stacbridge.cql.parse import parse_json, parse_text
from stacbridge.dialects.stac import StacApi
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.loading import load
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Bbox, Interval, Json, Query, SortKey
from stacbridge.settings import Settings
from stacbridge.simulators.faults import Failure, Faults
from stacbridge.simulators.maap import MaapSimulator
from stacbridge.upstream import Upstream
from tests.schemas import faults
from tests.servers import Clock
from tests.unit.cql_trees import combined
from tests.unit.maap import settings
from tests.walks import Archive, Walks, named, places

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


@pytest.fixture(scope="module")
def walks(sim: MaapSimulator) -> Walks:
    dialect = StacApi(load_mapping("maap", settings(sim)))
    return Walks(dialect, dialect.translation)


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


def test_collections_have_the_age_of_their_listing_while_the_catalogue_is_down() -> None:
    clock = Clock()
    with MaapSimulator() as sim:
        catalogue = load("maap", settings(sim), clock=clock, sleep=clock.sleep)
        listed = catalogue.collections()
        clock.now += 3000
        assert (catalogue.collections(), catalogue.age()) == (listed, 3000)
    clock.now += 3000
    assert (catalogue.collections(), catalogue.age()) == (listed, 6000 + sum(clock.slept))
    catalogue.close()


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


def test_items_are_sorted_by_time_alone_although_the_catalogue_sorts_by_nothing(upstream: Upstream) -> None:
    assert upstream.sortables(L1A)["properties"].keys() == {"datetime"}
    with pytest.raises(BadRequest, match="cannot sort by 'platform'"):
        upstream.search(Query((L1A,), sortby=(SortKey("platform"),)), ROOT)


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
@given(query=queries())
def test_any_search_gives_what_the_archive_holds_in_one_order(
    walks: Walks, archive: Archive, query: Query
) -> None:
    query = replace(query, filter=parse_json(query.filter, Settings()) if query.filter else None)
    found, right = walks.items(query), archive.wanted(query)
    assert named(found) == named(right)
    assert places(found, query) == places(right, query)
    page = walks.page(query)
    assert page.matched in (None, len(right))
    assert not (page.checked and page.matched)


def test_a_page_reads_little_more_than_it_gives(walks: Walks) -> None:
    walks.asked.clear()
    pages = walks.pages(Query((L1A,), limit=20))
    assert [len(page.records) for page in pages] == [20] * 12 + [0]
    assert len(walks.asked) <= 2 * len(pages)


def test_items_that_come_in_during_a_walk_make_nothing_lost_or_double(walks: Walks) -> None:
    """Of a walk that goes on behind an item, all that come later in the order are given, each once."""
    pages = walks.pages(Query((L1A,), limit=50))
    ids = [record["id"] for page in pages for record in page.records]
    assert len(ids) == len(set(ids)) == 240
    position = pages[1].position
    assert position is not None
    assert position.keys() <= {"t", "w", "i"}


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
