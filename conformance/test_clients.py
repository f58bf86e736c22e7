"""Standard tools against the demo, as a stranger would run them."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pystac
import pytest
import rasterio
import requests
from pystac_client import Client
from pystac_client.warnings import strict

BAND = "B02_10m"


@pytest.fixture(scope="module")
def client(demo: str) -> Client:
    with strict():
        return Client.open(demo)


def first_item(client: Client, collection: str, **search: Any) -> pystac.Item:
    return next(client.search(collections=[collection], max_items=1, **search).items())


def href(item: pystac.Item, key: str) -> str:
    return item.assets[key].href


@pytest.fixture(scope="module")
def scene(client: Client) -> pystac.Item:
    """A Sentinel-2 scene that is online."""
    with strict():
        for item in client.search(collections=["sentinel-2-l2a"], max_items=20).items():
            if requests.head(href(item, BAND), timeout=30).status_code == 200:
                return item
    pytest.fail("no scene among 20 can be downloaded")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pystac_client_pages_without_a_warning_or_a_duplicate(client: Client, method: str) -> None:
    with strict():
        search = client.search(method=method, collections=["sentinel-2-l2a"], limit=200, max_items=1000)
        ids = [item.id for item in search.items()]
    assert len(ids) == len(set(ids)) == 1000


def test_pystac_client_counts(client: Client) -> None:
    with strict():
        matched = client.search(collections=["sentinel-1-slc-wv"]).matched()
        assert matched == len(list(client.search(collections=["sentinel-1-slc-wv"], limit=1000).items()))


def test_pystac_client_filters_in_text_and_json(client: Client) -> None:
    with strict():
        text = client.search(
            method="GET", collections=["sentinel-2-l2a"], filter="eo:cloud_cover < 5", max_items=50
        )
        found = list(text.items())
        same = client.search(
            method="POST",
            collections=["sentinel-2-l2a"],
            filter={"op": "<", "args": [{"property": "eo:cloud_cover"}, 5]},
            max_items=50,
        )
        assert [item.id for item in found] == [item.id for item in same.items()]
    assert found
    assert all(item.properties["eo:cloud_cover"] < 5 for item in found)


def test_pystac_reads_an_item_and_finds_its_collection(scene: pystac.Item) -> None:
    again = pystac.Item.from_file(scene.get_self_href() or "")
    assert again.id == scene.id
    collection = again.get_collection()
    assert collection is not None
    assert collection.id == "sentinel-2-l2a"


def test_gdal_opens_a_band_through_vsicurl(scene: pystac.Item) -> None:
    with rasterio.open(f"/vsicurl/{href(scene, BAND)}") as raster:
        assert raster.driver == "JP2OpenJPEG"
        assert raster.count == 1
        assert raster.read(1).any()


def test_gdal_opens_a_cloud_optimised_geotiff_through_vsicurl(client: Client) -> None:
    with strict():
        item = first_item(client, "sentinel-1-grd")
    polarization = item.properties["sar:polarizations"][0].lower()
    with rasterio.open(f"/vsicurl/{href(item, polarization)}") as raster:
        assert raster.driver == "GTiff"
        assert raster.profile["tiled"]
        assert raster.crs is not None


def test_a_range_is_that_part_of_the_whole(scene: pystac.Item) -> None:
    whole = requests.get(href(scene, BAND), timeout=30)
    part = requests.get(href(scene, BAND), headers={"Range": "bytes=100-199"}, timeout=30)
    assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes 100-199/{len(whole.content)}")
    assert part.content == whole.content[100:200]


def test_a_whole_product_is_a_sound_zip(scene: pystac.Item, tmp_path: Path) -> None:
    saved = tmp_path / "product.zip"
    answer = requests.get(href(scene, "Product"), timeout=60)
    assert answer.status_code == 200
    saved.write_bytes(answer.content)
    with zipfile.ZipFile(saved) as product:
        assert product.testzip() is None
        assert any(name.endswith("manifest.safe") for name in product.namelist())


def test_curl_resumes_a_cut_download(scene: pystac.Item, tmp_path: Path) -> None:
    saved = tmp_path / "band.jp2"
    whole = requests.get(href(scene, BAND), timeout=30).content
    saved.write_bytes(whole[: len(whole) // 2])
    subprocess.run(["curl", "-fsS", "-C", "-", "-o", saved, href(scene, BAND)], check=True, timeout=60)
    assert saved.read_bytes() == whole


def test_the_command_line_downloads_what_the_api_serves(
    demo: str, scene: pystac.Item, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "stacbridge", "download", "sentinel-2-l2a", scene.id, "--url", demo]
    subprocess.run([*command, "--asset", BAND, "-o", tmp_path, "--yes"], check=True, timeout=120)
    (saved,) = (path for path in tmp_path.rglob("*.jp2"))
    served = requests.get(href(scene, BAND), timeout=30).content
    assert hashlib.sha256(saved.read_bytes()).digest() == hashlib.sha256(served).digest()
