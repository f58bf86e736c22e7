import json
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from stacbridge import ordering, scalars
from stacbridge.mapping import families
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.settings import Settings
from tests.catalogues.cdse.golden import FOLDERS, read, translate
from tests.schemas import faults


@pytest.fixture(scope="module")
def cdse() -> Mapping:
    return load("cdse", Settings())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_record_becomes_exactly_the_item_beside_it(cdse: Mapping, folder: Path) -> None:
    assert translate(cdse, folder) == json.loads((folder / "item.json").read_bytes())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_item_is_valid(cdse: Mapping, folder: Path) -> None:
    assert faults(translate(cdse, folder)) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_record_belongs_to_one_collection_only(cdse: Mapping, folder: Path) -> None:
    attributes = read(cdse, folder)["Attributes"]
    own = [spec.id for spec in cdse.specs.values() if families.matches(spec, attributes)]
    assert own == [translate(cdse, folder)["collection"]]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_item_stands_where_the_upstream_sorts_the_record(cdse: Mapping, folder: Path) -> None:
    item, record = translate(cdse, folder), read(cdse, folder)
    start = scalars.time(record["ContentDate"]["Start"])
    assert ordering.value(item, "datetime") == ordering.value(item, "start_datetime") == start
    assert ordering.value(item, "end_datetime") == scalars.time(record["ContentDate"]["End"])


def test_every_family_of_the_catalogue_has_a_golden_folder() -> None:
    shipped = files("stacbridge") / "catalogues" / "cdse"
    names = {tomllib.loads(file.read_text(encoding="utf-8"))["family"]["name"] for file in shipped.iterdir()}
    assert {name.lower() for name in names} <= {folder.name for folder in FOLDERS}


def test_an_offline_product_says_so_and_keeps_its_assets(cdse: Mapping) -> None:
    item = translate(cdse, next(folder for folder in FOLDERS if folder.name == "sentinel-1-offline"))
    assert item["properties"]["order:status"] == "offline"
    assert "product" in item["assets"]


def test_the_size_of_an_extracted_product_is_not_given_for_the_zip_made_of_it(cdse: Mapping) -> None:
    item = translate(cdse, next(folder for folder in FOLDERS if folder.name == "sentinel-1"))
    assert item["assets"]["Product"].keys().isdisjoint({"file:size", "file:checksum"})
    assert item["assets"]["compressed"]["file:size"] == 931442001


def test_a_product_of_one_file_states_its_size_and_checksum_and_is_called_as_it_is(cdse: Mapping) -> None:
    item = translate(cdse, next(folder for folder in FOLDERS if folder.name == "sentinel-5p"))
    assert item["assets"]["netcdf"]["file:size"] == 612003377
    assert item["assets"]["netcdf"]["file:checksum"].startswith("d50110")
    assert item["assets"]["netcdf"]["href"].endswith(f"/{item['id']}.nc")
