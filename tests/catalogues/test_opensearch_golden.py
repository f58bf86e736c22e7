import json
from pathlib import Path

import pytest

from tests.catalogues.opensearch_golden import CATALOGUES, FOLDERS, translate
from tests.schemas import faults


def label(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


@pytest.mark.parametrize("folder", FOLDERS, ids=label)
def test_an_answer_becomes_exactly_the_collection_and_the_item_beside_it(folder: Path) -> None:
    collection, item = translate(folder)
    assert collection == json.loads((folder / "collection.json").read_bytes())
    assert item == json.loads((folder / "item.json").read_bytes())


@pytest.mark.parametrize("folder", FOLDERS, ids=label)
def test_collection_and_item_are_valid_and_belong_together(folder: Path) -> None:
    collection, item = translate(folder)
    assert faults(collection) == []
    assert faults(item) == []
    assert item["collection"] == collection["id"]


def test_every_catalogue_has_a_golden_folder() -> None:
    assert {folder.parent.name for folder in FOLDERS} == set(CATALOGUES)
