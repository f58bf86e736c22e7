import copy
import json
import warnings
from pathlib import Path
from typing import Any

import pystac
import pytest

from tests.catalogues.maap import golden
from tests.catalogues.maap.golden import FOLDERS, item, maap, record
from tests.schemas import faults

ITEMS = {folder.name: folder for folder in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_record_becomes_exactly_the_item_beside_it(folder: Path) -> None:
    assert item(folder) == json.loads((folder / "item.json").read_bytes())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_item_is_valid(folder: Path) -> None:
    assert faults(item(folder)) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_record_itself_is_left_as_it_was(folder: Path) -> None:
    given = record(folder)
    before = copy.deepcopy(given)
    maap().items([given], golden.ROOT)
    assert given == before


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_asset_keys_are_those_of_the_upstream(folder: Path) -> None:
    assert list(item(folder)["assets"]) == list(record(folder)["assets"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_pystac_reads_the_item_and_finds_nothing_to_migrate(folder: Path) -> None:
    made = item(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = pystac.Item.from_dict(made, migrate=True)
    assert read.stac_extensions == made["stac_extensions"]


def test_the_collection_becomes_exactly_the_one_beside_it_and_is_valid() -> None:
    made = golden.collection()
    assert made == json.loads((golden.COLLECTION / "collection.json").read_bytes())
    assert faults(made) == []


def test_a_collection_without_items_is_none() -> None:
    given = record(golden.COLLECTION)
    given["links"] = [link for link in given["links"] if link["rel"] != "items"]
    assert maap().collection(given) is None


def name(folder: str, key: str) -> str:
    return maap().place(record(ITEMS[folder]), key).name


def test_files_are_called_what_the_upstream_says_and_not_what_their_urls_leave_out() -> None:
    assert name("biomass", "product").endswith("_DFRAME.zip")
    assert name("earthcare", "enclosure_h5").endswith("_09134E.h5")
    assert name("earthcare", "enclosure_hdr").endswith("_09134E.HDR")
    assert name("biomass", "enclosure_kml") == "map-overlay.kml"
    assert name("tropforest", "enclosure").endswith("_N025.ZIP")


def test_no_size_is_stated_for_a_zip_that_is_made_while_it_is_sent() -> None:
    made, stored = (
        maap().place(record(ITEMS["biomass"]), key) for key in ("product", "enclosure_i_abs_tiff")
    )
    assert (made.size, made.checksum) == (None, None)
    assert (stored.size, str(stored.checksum)[:4]) == (134217728, "1220")


def test_a_public_picture_wants_no_credential() -> None:
    assets = item(ITEMS["biomass"])["assets"]
    assert "auth:refs" not in assets["thumbnail"]["alternate"]["origin"]
    assert assets["quicklook_png"]["alternate"]["origin"]["auth:refs"] == ["oidc"]


def test_what_is_not_on_the_web_keeps_its_own_address() -> None:
    assert item(ITEMS["cryosat"])["assets"]["bucket"]["href"].startswith("s3://")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "no Feature"),
        ({"type": "Collection"}, "no Feature"),
        ({"collection": None}, "no collection"),
        ({"stac_version": "0.9.0"}, "STAC version '0.9.0'"),
        ({"stac_version": None}, "STAC version None"),
        ({"properties": {}}, "no time"),
        ({"properties": {"datetime": "yesterday"}}, "no time"),
        ({"properties": None}, "no time"),
    ],
)
def test_what_cannot_be_an_item_is_left_out_with_its_reason(change: dict[str, Any], reason: str) -> None:
    good = record(ITEMS["biomass"])
    found, skipped = maap().items([{**good, **change}, good], golden.ROOT)
    assert len(found) == 1
    assert reason in skipped[0].reason


@pytest.mark.parametrize("member", ["links", "assets", "stac_extensions"])
@pytest.mark.parametrize("value", [None, "text", [3], {"a": 3}])
def test_a_malformed_member_does_not_spoil_an_item(member: str, value: Any) -> None:
    made, skipped = maap().items([{**record(ITEMS["biomass"]), member: value}], golden.ROOT)
    assert not skipped
    assert faults(made[0]) == []
