"""CDSE's bursts end to end: an entity set of its own beside Products, and files that are made on demand."""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from pydantic import SecretStr

from stacbridge.app import create_app
from stacbridge.cql.matching import condition
from stacbridge.dialects.odata import OData
from stacbridge.errors import BadRequest
from stacbridge.loading import load
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Interval, Json, Query, Reply, SortKey
from stacbridge.scalars import instant
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators import CdseSimulator
from stacbridge.upstream import Upstream
from tests.api.serving import running
from tests.schemas import faults

BURSTS = "sentinel-1-slc-bursts"
ROOT = "http://bridge"


@pytest.fixture(scope="module")
def sim() -> Iterator[CdseSimulator]:
    with CdseSimulator(size=3000) as running:
        yield running


@pytest.fixture(scope="module")
def settings(sim: CdseSimulator) -> Settings:
    endpoints = {"catalogue": sim.catalogue_url, "download": sim.download_url, "token": sim.token_url}
    account = Credentials(username=sim.username, password=SecretStr(sim.password))
    return Settings(endpoints={"cdse": endpoints}, credentials={"cdse": account})


@pytest.fixture(scope="module")
def upstream(settings: Settings) -> Iterator[Upstream]:
    catalogue = load("cdse", settings)
    yield catalogue
    catalogue.close()


@pytest.fixture(scope="module")
def bursts(upstream: Upstream) -> list[Json]:
    return walked(upstream, Query(collections=(BURSTS,), limit=1000))


def walked(upstream: Upstream, query: Query) -> list[Json]:
    """Return the items of all pages."""
    items: list[Json] = []
    position: Json | None = {}
    while position is not None:
        found = upstream.search(
            Query(
                query.collections,
                bbox=query.bbox,
                interval=query.interval,
                filter=query.filter,
                sortby=query.sortby,
                limit=query.limit,
                position=position or None,
            ),
            ROOT,
        )
        items += found.items
        position = found.position
    return items


def equals(name: str, value: object) -> Json:
    return {"op": "=", "args": [{"property": name}, value]}


def test_a_walk_through_all_bursts_gives_each_once_and_their_number(
    upstream: Upstream, bursts: list[Json], sim: CdseSimulator
) -> None:
    there = requests.get(f"{sim.catalogue_url}/Bursts?$count=true&$top=1", timeout=10).json()["@odata.count"]
    found = upstream.search(Query(collections=(BURSTS,), limit=1, count=True), ROOT)
    assert found.matched == there == len(bursts) == len({item["id"] for item in bursts})
    assert there > 100


def test_a_burst_is_a_valid_item(bursts: list[Json]) -> None:
    assert faults(orjson.loads(orjson.dumps(bursts[0]))) == []


@pytest.mark.parametrize(
    "name",
    [
        "s1:burst_id",
        "s1:absolute_burst_id",
        "s1:swath",
        "s1:parent_product_name",
        "s1:parent_product_type",
        "s1:parent_product_id",
        "eopf:datatake_id",
        "sat:relative_orbit",
        "sat:orbit_state",
        "sar:instrument_mode",
        "platform",
        "product:type",
    ],
)
def test_a_filter_finds_exactly_the_bursts_that_it_holds_for(
    upstream: Upstream, bursts: list[Json], name: str
) -> None:
    wanted = equals(name, bursts[len(bursts) // 3]["properties"][name])
    holds = condition(wanted)
    found = walked(upstream, Query(collections=(BURSTS,), filter=wanted, limit=1000))
    assert {item["id"] for item in found} == {item["id"] for item in bursts if holds(item)}
    assert name in upstream.queryables(BURSTS)["properties"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"op": "a_contains", "args": [{"property": "sar:polarizations"}, ["VH"]]},
        {"op": "a_overlaps", "args": [{"property": "sar:beam_ids"}, ["iw1", "ew1"]]},
        {"op": "<", "args": [{"property": "s1:absolute_burst_id"}, 60_000_000.5]},
        {"op": "and", "args": [equals("s1:swath", "IW2"), equals("sat:orbit_state", "descending")]},
    ],
)
def test_filters_of_other_kinds_are_exact_too(upstream: Upstream, bursts: list[Json], wanted: Json) -> None:
    holds = condition(wanted)
    found = walked(upstream, Query(collections=(BURSTS,), filter=wanted, limit=1000))
    assert {item["id"] for item in found} == {item["id"] for item in bursts if holds(item)}


def test_time_and_place_are_honoured(upstream: Upstream, bursts: list[Json]) -> None:
    chosen = bursts[len(bursts) // 2]
    start = instant(chosen["properties"]["start_datetime"])
    west, south, east, north = chosen["bbox"]
    at = Query((BURSTS,), bbox=(west, south, east, north), interval=Interval(start, start), limit=1000)
    assert chosen["id"] in {item["id"] for item in walked(upstream, at)}
    far = Query((BURSTS,), bbox=(east - 180, -90, east - 179, -89), interval=Interval(start, start))
    assert walked(upstream, far) == []


def test_a_burst_is_found_by_its_id_without_asking_for_products(
    upstream: Upstream, bursts: list[Json], sim: CdseSimulator
) -> None:
    sim.log.clear()
    id = bursts[5]["id"]
    found = upstream.search(Query(collections=(BURSTS,), ids=(id,)), ROOT)
    assert [item["id"] for item in found.items] == [id]
    assert [seen.path.rpartition("/")[2] for seen in sim.log] == ["Bursts"]


@pytest.mark.parametrize("sortby", [(), (SortKey("datetime"),), (SortKey("end_datetime", descending=True),)])
def test_a_search_over_everything_puts_bursts_and_products_in_one_order(
    upstream: Upstream, bursts: list[Json], sortby: tuple[SortKey, ...]
) -> None:
    start = instant(min(item["properties"]["datetime"] for item in bursts))
    end = instant(sorted(item["properties"]["datetime"] for item in bursts)[len(bursts) // 3])
    query = Query(interval=Interval(start, end), limit=97, sortby=sortby)
    items = walked(upstream, query)
    (key,) = sortby or (SortKey("datetime", descending=True),)
    times = [item["properties"][key.name] for item in items]
    assert times == sorted(times, reverse=key.descending)
    assert len(items) == len({(item["collection"], item["id"]) for item in items})
    others = tuple(name for name in (c["id"] for c in upstream.collections()) if name != BURSTS)
    apart = [*walked(upstream, Query((BURSTS,), interval=query.interval, limit=1000))]
    apart += walked(upstream, Query(others, interval=query.interval, limit=1000))
    assert {item["id"] for item in items} == {item["id"] for item in apart}
    assert {BURSTS} < {item["collection"] for item in items}


def test_what_bursts_do_not_have_sorts_them_last(upstream: Upstream, bursts: list[Json]) -> None:
    chosen = ("sentinel-1-slc", BURSTS)
    items = walked(upstream, Query(chosen, sortby=(SortKey("updated"),), limit=500))
    first = next(n for n, item in enumerate(items) if item["collection"] == BURSTS)
    updated = [item["properties"]["updated"] for item in items[:first]]
    assert updated == sorted(updated)
    assert {item["collection"] for item in items[first:]} == {BURSTS}
    assert len(items) - first == len(bursts)


def test_all_matches_are_counted_over_both_sets_and_carried_along(upstream: Upstream) -> None:
    chosen = ("sentinel-1-slc", BURSTS)
    alone = [upstream.search(Query((name,), limit=1, count=True), ROOT).matched for name in chosen]
    first = upstream.search(Query(chosen, limit=10, count=True), ROOT)
    second = upstream.search(Query(chosen, limit=10, count=True, position=first.position), ROOT)
    assert first.matched == second.matched == sum(count or 0 for count in alone)


def test_bursts_are_not_asked_for_what_they_cannot_have(upstream: Upstream, sim: CdseSimulator) -> None:
    sim.log.clear()
    cloudless = {"op": "<=", "args": [{"property": "eo:cloud_cover"}, 10]}
    upstream.search(Query(filter=cloudless, limit=1), ROOT)
    assert [seen.path.rpartition("/")[2] for seen in sim.log] == ["Products"]


def test_a_collection_of_bursts_cannot_be_sorted_by_what_it_lacks(upstream: Upstream) -> None:
    with pytest.raises(BadRequest, match="cannot sort by 'updated'"):
        upstream.search(Query((BURSTS,), sortby=(SortKey("updated"),)), ROOT)


def test_a_burst_downloads_from_its_href_as_a_sound_archive(settings: Settings, sim: CdseSimulator) -> None:
    with running(create_app(settings)) as root:
        page = requests.get(f"{root}/collections/{BURSTS}/items?limit=1", timeout=30).json()
        href = page["features"][0]["assets"]["product"]["href"]
        sim.log.clear()
        assert requests.head(href, timeout=30).status_code == 200
        assert not any(seen.method == "POST" and "Bursts" in seen.path for seen in sim.log)
        answer = requests.get(href, timeout=30)
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
    asked = [(seen.method, seen.has_authorization) for seen in sim.log if "$value" in seen.path]
    assert asked == [("POST", True), ("POST", True)]


def test_the_documented_burst_becomes_a_valid_item() -> None:
    if "STACBRIDGE_RECORDINGS" not in os.environ:
        pytest.skip("STACBRIDGE_RECORDINGS names no folder")
    file = Path(os.environ["STACBRIDGE_RECORDINGS"]) / "odata/doc-extracts/Sentinel-1_SLC_Burst_01.json"
    cdse = load_mapping("cdse", Settings())
    answer = Reply(200, {}, orjson.dumps({"value": [json.loads(file.read_bytes())]}))
    (record,) = OData(cdse, "Bursts").read(answer).records
    item: dict[str, Any] = orjson.loads(orjson.dumps(cdse.item(record, ROOT)))
    assert (item["id"], item["collection"]) == ("S1A-SLC-20240802T060723-15805-IW1-VH-040352", BURSTS)
    assert (item["properties"]["s1:burst_id"], item["properties"]["sar:beam_ids"]) == (15805, ["iw1"])
    assert faults(item) == []
