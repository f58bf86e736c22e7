import json
from pathlib import Path

import pytest

from stacbridge.mapping.mapping import Mapping, load
from stacbridge.settings import Settings
from tests.catalogues.sedas.golden import FOLDERS, translate
from tests.schemas import faults

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def sedas() -> Mapping:
    return load("sedas", Settings())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_product_becomes_exactly_the_item_beside_it(sedas: Mapping, folder: Path) -> None:
    assert translate(sedas, folder) == json.loads((folder / "item.json").read_bytes())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_item_is_valid(sedas: Mapping, folder: Path) -> None:
    assert faults(translate(sedas, folder)) == []


def test_every_collection_has_a_golden_item(sedas: Mapping) -> None:
    assert {translate(sedas, folder)["collection"] for folder in FOLDERS} == set(sedas.specs)


@pytest.mark.parametrize("id", load("sedas", Settings()).specs)
def test_every_collection_is_valid(sedas: Mapping, id: str) -> None:
    assert faults(sedas.specs[id].stac) == []


def test_a_product_that_tells_hardly_anything_is_described_by_its_name(sedas: Mapping) -> None:
    told = translate(sedas, HERE / "sentinel-1-bare")["properties"]
    assert (told["datetime"], told["end_datetime"]) == (
        "2017-03-02T06:16:52.000000Z",
        "2017-03-02T06:17:19.000000Z",
    )
    assert (told["platform"], told["product:type"], told["sar:polarizations"]) == (
        "sentinel-1a",
        "SLC",
        ["VV", "VH"],
    )


def test_what_depends_on_the_search_is_no_property_of_the_item(sedas: Mapping) -> None:
    assert "100" not in json.dumps(translate(sedas, HERE / "sentinel-1")["properties"])


def test_a_url_of_bytes_is_not_shown_since_it_may_be_signed(sedas: Mapping) -> None:
    assert "api/download" not in json.dumps(translate(sedas, HERE / "sentinel-1"))


def test_a_product_in_the_archive_is_orderable(sedas: Mapping) -> None:
    assert translate(sedas, HERE / "sentinel-1-bare")["properties"]["order:status"] == "orderable"
    assert translate(sedas, HERE / "sentinel-1")["properties"]["order:status"] == "succeeded"
