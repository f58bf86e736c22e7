"""The same few lines of pystac-client on every catalogue, changing only the collection."""

import warnings

import pytest
import requests
from pystac_client import Client
from pystac_client.warnings import strict

COLLECTIONS = {
    "cdse": "sentinel-2-l2a",
    "cdse bursts": "sentinel-1-slc-bursts",
    "sedas": "sedas-sentinel-2",
    "terrascope": "terrascope-s2-toc-v2",
    "maap": "EarthCAREL2Products_MAAP",
}


@pytest.mark.parametrize("collection", COLLECTIONS.values(), ids=COLLECTIONS)
def test_the_same_script_works_for_each_catalogue(demo: str, collection: str) -> None:
    with strict():
        api = Client.open(demo)
        found = list(api.search(collections=[collection], limit=20, max_items=60).items())
        assert len({item.id for item in found}) == len(found) > 3
        west, south, east, north = found[-1].bbox or (0, 0, 0, 0)
        around = api.search(
            collections=[collection],
            bbox=[west, south, east, north],
            datetime=f"{(found[-1].properties['start_datetime'])}/..",
        )
        assert found[-1].id in {item.id for item in around.items()}
        whole = api.get_collection(collection)
        assert whole is not None
        again = whole.get_item(found[0].id)
    assert again is not None
    assert again.to_dict()["properties"] == found[0].to_dict()["properties"]


@pytest.mark.parametrize("collection", COLLECTIONS.values(), ids=COLLECTIONS)
def test_a_file_of_each_catalogue_downloads(demo: str, collection: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        items = list(Client.open(demo).search(collections=[collection], max_items=20).items())
    hrefs = [
        asset.href
        for item in items
        for asset in item.assets.values()
        if asset.href.startswith(demo) and "data" in (asset.roles or ["data"])
    ]
    answers = [requests.get(href, timeout=30, headers={"Range": "bytes=0-99"}) for href in hrefs[:10]]
    good = [answer for answer in answers if answer.status_code in (200, 206)]
    assert good, [answer.text[:200] for answer in answers]
    assert all(answer.content for answer in good)
