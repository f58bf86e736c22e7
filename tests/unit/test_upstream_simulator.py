"""The shipped CDSE catalogue against the simulator of CDSE, over real HTTP."""

from collections.abc import Iterator

import cql2
import pytest
import requests
from pydantic import SecretStr

from stacbridge.errors import Misconfigured, NotFound, NotOrderable
from stacbridge.loading import load
from stacbridge.model import Json, Query
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators import CdseSimulator
from stacbridge.upstream import Upstream
from tests.places import ready
from tests.unit.cql_oracle import truth

ROOT = "http://bridge"


@pytest.fixture(scope="module")
def sim() -> Iterator[CdseSimulator]:
    with CdseSimulator(size=10_000) as running:
        yield running


def settings(sim: CdseSimulator, **more: object) -> Settings:
    endpoints = {"catalogue": sim.catalogue_url, "download": sim.download_url, "token": sim.token_url}
    return Settings.model_validate({"endpoints": {"cdse": endpoints}, **more})


@pytest.fixture
def upstream(sim: CdseSimulator) -> Iterator[Upstream]:
    account = Credentials(username=sim.username, password=SecretStr(sim.password))
    catalogue = load("cdse", settings(sim, credentials={"cdse": account}))
    sim.log.clear()
    yield catalogue
    catalogue.close()


def first(upstream: Upstream, collection: str) -> Json:
    return upstream.search(Query(collections=(collection,), limit=1), ROOT).items[0]


def fetch(upstream: Upstream, url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers={**upstream.authorize(url), **headers}, timeout=10)


def test_pages_walk_through_a_collection_without_gap_or_repetition(upstream: Upstream) -> None:
    query = Query(collections=("sentinel-2-l2a",), limit=70)
    whole = upstream.search(Query(collections=query.collections, limit=1, count=True), ROOT).matched
    ids: list[str] = []
    position: Json | None = {}
    skipped = 0
    while position is not None:
        found = upstream.search(Query(query.collections, limit=query.limit, position=position or None), ROOT)
        ids += [item["id"] for item in found.items]
        skipped += len(found.skipped)
        position = found.position
    assert len(ids) == len(set(ids))
    assert len(ids) + skipped == whole


def test_a_search_needs_no_account(sim: CdseSimulator) -> None:
    catalogue = load("cdse", settings(sim))
    assert catalogue.search(Query(limit=5), ROOT).items
    with pytest.raises(Misconfigured, match="STACBRIDGE_CREDENTIALS__CDSE__USERNAME"):
        catalogue.authorize(f"{sim.download_url}/Products(1)/$value")


def test_every_asset_of_an_item_costs_one_search_and_a_listing_per_folder(
    sim: CdseSimulator, upstream: Upstream
) -> None:
    item = first(upstream, "sentinel-2-l2a")
    sim.log.clear()
    places = {key: upstream.locate("sentinel-2-l2a", item["id"], key) for key in item["assets"]}
    asked = [seen.path for seen in sim.log]
    assert len(asked) == len(set(asked))
    assert sum(path.endswith("/Products") for path in asked) == 1
    assert len(places) > 30
    assert not any(seen.has_authorization for seen in sim.log)


@pytest.mark.parametrize("key", ["B02_10m", "SCL_20m", "safe_manifest"])
def test_a_file_of_a_product_is_where_it_is_said_to_be(upstream: Upstream, key: str) -> None:
    item = first(upstream, "sentinel-2-l2a")
    place = ready(upstream, "sentinel-2-l2a", item["id"], key)
    answer = fetch(upstream, place.request.url, Range="bytes=0-9")
    assert (answer.status_code, len(answer.content), place.ranges) == (206, 10, True)
    assert place.size in (None, int(answer.headers["content-range"].rpartition("/")[2]))


def test_a_whole_product_is_a_zip_without_ranges(upstream: Upstream) -> None:
    item = first(upstream, "sentinel-2-l1c")
    place = ready(upstream, "sentinel-2-l1c", item["id"], "Product")
    answer = fetch(upstream, place.request.url, Range="bytes=0-9")
    assert (answer.status_code, answer.content[:2], place.ranges) == (200, b"PK", False)
    assert place.name.endswith(".zip")


def test_a_quicklook_needs_no_token(sim: CdseSimulator, upstream: Upstream) -> None:
    item = first(upstream, "sentinel-2-l1c")
    place = ready(upstream, "sentinel-2-l1c", item["id"], "thumbnail")
    before = sim.token_requests
    assert upstream.authorize(place.request.url) == {}
    assert requests.get(place.request.url, timeout=10).status_code == 200
    assert sim.token_requests == before


def test_a_product_that_is_one_file_has_ranges(upstream: Upstream) -> None:
    collection = "sentinel-5p-l2-no2-offl"
    item = first(upstream, collection)
    place = ready(upstream, collection, item["id"], "netcdf")
    answer = fetch(upstream, place.request.url, Range="bytes=0-3")
    assert (answer.status_code, answer.content[:3], place.ranges) == (206, b"CDF", True)


def test_an_offline_product_is_not_orderable(sim: CdseSimulator, upstream: Upstream) -> None:
    offline = next(
        item
        for collection in ("sentinel-2-l1c", "sentinel-2-l2a", "sentinel-1-slc")
        for item in upstream.search(Query(collections=(collection,), limit=1000), ROOT).items
        if item["properties"]["order:status"] != "succeeded"
    )
    key = next(key for key in offline["assets"] if key.lower() == "product")
    with pytest.raises(NotOrderable, match="is offline at cdse"):
        upstream.locate(offline["collection"], offline["id"], key)


def test_a_part_of_an_id_finds_nothing(upstream: Upstream) -> None:
    item = first(upstream, "sentinel-2-l1c")
    with pytest.raises(NotFound):
        upstream.locate("sentinel-2-l1c", item["id"][:-1], "Product")


def test_a_session_that_cdse_ended_is_replaced_and_the_download_goes_on(
    sim: CdseSimulator, upstream: Upstream
) -> None:
    item = first(upstream, "sentinel-2-l1c")
    url = ready(upstream, "sentinel-2-l1c", item["id"], "Product").request.url
    ended = upstream.authorize(url)
    sim.sessions.close(ended["Authorization"].removeprefix("Bearer "))
    refused = requests.get(url, headers=ended, timeout=10)
    assert refused.status_code == 401
    fresh = upstream.reauthorize(url, ended)
    assert requests.get(url, headers=fresh, timeout=10).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        '"eo:cloud_cover" IS NULL',
        "platform <> 'sentinel-2a' AND id LIKE 'S%_2%'",
        '"eo:cloud_cover" * 2 < 50',
        "T_CONTAINS(INTERVAL(start_datetime, end_datetime), datetime) OR ACCENTI(platform) = 'sentinel-1a'",
    ],
)
def test_what_the_archive_cannot_be_asked_is_checked_here(upstream: Upstream, text: str) -> None:
    filter = cql2.Expr(text).to_json()
    collections = ("sentinel-2-l1c", "sentinel-1-grd")
    found = upstream.search(Query(collections=collections, filter=filter, limit=20, count=True), ROOT)
    everything = upstream.search(Query(collections=collections, limit=1000), ROOT)
    expected = [item["id"] for item in everything.items if truth(filter, item) is True]
    assert [item["id"] for item in found.items] == expected[: len(found.items)]
    assert len(found.items) == min(20, len(expected))
    assert found.matched is None
