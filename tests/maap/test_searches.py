"""Searches and collections of the shipped MAAP catalogue against the simulator of MAAP, over real HTTP."""

from datetime import datetime

import pytest

from stacbridge import geometry
from stacbridge.cql.matching import condition
from stacbridge.dialects.stac import StacApi
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.loading import load
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Interval, Json, Query, SortKey
from stacbridge.simulators.faults import Failure, Faults
from stacbridge.simulators.maap import MaapSimulator
from stacbridge.upstream import Upstream
from tests.maap.archive import EARTHCARE, L1A, ROOT, settings, walked
from tests.schemas import faults
from tests.servers import Clock
from tests.walks import Walks


def ids(items: list[Json]) -> list[str]:
    return sorted(item["id"] for item in items)


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


def test_items_are_sorted_by_time_alone_although_the_catalogue_sorts_by_nothing(upstream: Upstream) -> None:
    assert upstream.sortables(L1A)["properties"].keys() == {"datetime"}
    with pytest.raises(BadRequest, match="cannot sort by 'platform'"):
        upstream.search(Query((L1A,), sortby=(SortKey("platform"),)), ROOT)


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
