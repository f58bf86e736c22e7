"""Files inside products are where real manifests, and Items of CDSE's own STAC catalogue, say they are."""

import json
import os
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from stacbridge.mapping.mapping import Mapping, load
from stacbridge.settings import Settings
from tests.targets import record

Json = dict[str, Any]

RECORDINGS = Path(os.environ["STACBRIDGE_RECORDINGS"]) if "STACBRIDGE_RECORDINGS" in os.environ else None
PRODUCTS = {
    "sentinel-1-manifest.safe": (
        "S1A_IW_GRDH_1SDV_20241217T061735_20241217T061800_057028_07020F_0000.SAFE",
        {"platformShortName": "SENTINEL-1", "productType": "IW_GRDH_1S", "polarisationChannels": "VV&VH"},
    ),
    "sentinel-2-manifest.safe": (
        "S2B_MSIL1C_20241209T162609_N0511_R040_T17UPV_20241209T195414.SAFE",
        {"platformShortName": "SENTINEL-2", "productType": "S2MSI1C"},
    ),
    "sentinel-3-xfdumanifest.xml": (
        "S3B_OL_2_WFR____20241217T095305_20241217T095605_20241218T170707_0179_101_079_2160_MAR_O_NT_003.SEN3",
        {"platformShortName": "SENTINEL-3", "productType": "OL_2_WFR___", "timeliness": "NT"},
    ),
}
"""The products that the recorded manifests are of, and what OData says of them."""
SENSED = {"Start": "2024-12-17T00:00:00.000000Z", "End": "2024-12-17T00:00:00.000000Z"}
ITEMS = sorted((RECORDINGS / "stac-targets/items").glob("S*.json")) if RECORDINGS else []

pytestmark = pytest.mark.skipif(RECORDINGS is None, reason="STACBRIDGE_RECORDINGS names no folder")


@pytest.fixture(scope="module")
def cdse() -> Mapping:
    return load("cdse", Settings())


@pytest.mark.parametrize("manifest", PRODUCTS)
def test_each_file_is_listed_once_in_the_manifest(cdse: Mapping, manifest: str) -> None:
    assert RECORDINGS
    text = (RECORDINGS / "odata/manifests" / manifest).read_text(encoding="utf-8")
    listed = {*re.findall(r'href="\./([^"]+)"', text), "manifest.safe", "xfdumanifest.xml"}
    name, attributes = PRODUCTS[manifest]
    paths = _paths(cdse, {"Id": "0", "Name": name, "ContentDate": SENSED, "Attributes": attributes})
    assert paths
    assert {
        key: sum(_matches(file, path) for file in listed) for key, path in paths.items()
    } == dict.fromkeys(paths, 1)


@pytest.mark.parametrize("file", ITEMS, ids=lambda file: file.stem[:32])
def test_each_file_is_the_one_that_cdses_item_names(cdse: Mapping, file: Path) -> None:
    target = json.loads(file.read_text(encoding="utf-8"))
    product = record(target)
    named = {
        key: asset["file:local_path"].partition("/")[2]
        for key, asset in target["assets"].items()
        if key != "thumbnail" and "/" in asset["file:local_path"]
    }
    paths = _paths(cdse, product)
    found = {key: [other for other, path in named.items() if _matches(path, paths[key])] for key in named}
    assert found == {key: [key] for key in named}


def _paths(cdse: Mapping, product: Json) -> dict[str, tuple[str, ...]]:
    """Return where the files of a product are, by asset key."""
    item = cdse.item(product, "https://bridge.example")
    places = {key: cdse.place(product, key) for key in item["assets"]}
    return {key: place.path for key, place in places.items() if place.kind == "node"}


def _matches(file: str, path: tuple[str, ...]) -> bool:
    """Tell whether a listed file is at a path whose segments may hold `*`."""
    segments = file.split("/")
    return len(segments) == len(path) and all(map(fnmatchcase, segments, path))
