"""pystac-client searches and any HTTP client downloads from Terrascope's simulator, through the bridge."""

from collections.abc import Iterator

import pytest
import requests
from pystac_client import Client

from stacbridge.app import create_app
from stacbridge.simulators.opensearch import OpenSearchSimulator
from tests.api.serving import running
from tests.opensearch.terrascope import KEYS, TOC, bridged, settings


@pytest.fixture(scope="module")
def bridge() -> Iterator[str]:
    with (
        OpenSearchSimulator(size=60) as simulator,
        bridged(simulator) as upstream,
        running(create_app(settings(simulator), [upstream])) as url,
    ):
        yield url


@pytest.mark.parametrize("collection", KEYS)
def test_the_five_lines_work_for_every_collection(bridge: str, collection: str) -> None:
    client = Client.open(bridge)
    search = client.search(collections=[collection], bbox=[-180, -90, 180, 90], limit=20)
    items = list(search.items())
    assert {item.collection_id for item in items} <= {collection}
    assert len(items) == {TOC: 60}.get(collection, len(items))
    assert collection in {each.id for each in client.get_collections()}


def test_an_asset_downloads_whole_and_in_part(bridge: str) -> None:
    item = next(Client.open(bridge).search(collections=[TOC], max_items=1).items())
    asset = item.assets["TOC-B02_10M"]
    whole = requests.get(asset.href, timeout=30)
    assert (whole.status_code, len(whole.content)) == (200, asset.extra_fields["file:size"])
    part = requests.get(asset.href, headers={"Range": "bytes=4-13"}, timeout=30)
    assert (part.status_code, part.content) == (206, whole.content[4:14])


@pytest.mark.parametrize("catalogue", ["hrvpp", "cgls"])
def test_the_other_catalogues_of_the_family_are_searched_in_one_order_over_the_bridge(catalogue: str) -> None:
    with OpenSearchSimulator(size=40, wso2=True) as simulator:
        own = settings(simulator, catalogue, catalogues=[catalogue])
        with running(create_app(own)) as url:
            client = Client.open(url)
            items = [item for page in client.search(limit=7).pages_as_dicts() for item in page["features"]]
            times = [item["properties"]["datetime"] for item in items]
            assert {each.id for each in client.get_collections()} == set(KEYS.values())
    assert len(items) == sum(map(len, simulator.holdings.products.values()))
    assert times == sorted(times, reverse=True)
