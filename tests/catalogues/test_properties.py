"""What a mapping promises of the properties of Items, held against the golden ones."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Json
from stacbridge.settings import Settings

MAPPED = ("cdse", "sedas")
KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def golden(catalogue: str) -> tuple[Mapping, list[Json]]:
    """Return a catalogue, and its golden Items of collections that its files name."""
    mapping = load(catalogue, Settings())
    files = (Path(__file__).parent / catalogue).glob("**/item.json")
    items = [json.loads(file.read_bytes()) for file in sorted(files)]
    return mapping, [item for item in items if item["collection"] in mapping.specs]


@pytest.mark.parametrize("catalogue", MAPPED)
def test_items_have_no_properties_but_those_that_the_mapping_names(catalogue: str) -> None:
    mapping, items = golden(catalogue)
    assert items
    for item in items:
        assert item["properties"].keys() <= mapping.names(item["collection"]), item["id"]


@pytest.mark.parametrize("catalogue", (*MAPPED, "cgls", "hrvpp", "terrascope"))
def test_all_that_items_can_have_is_queryable(catalogue: str) -> None:
    mapping, _ = golden(catalogue)
    for collection in mapping.specs:
        assert mapping.queryables(collection)["properties"].keys() == mapping.names(collection)


@pytest.mark.parametrize("catalogue", MAPPED)
def test_values_are_of_the_kind_that_the_queryables_say(catalogue: str) -> None:
    mapping, items = golden(catalogue)
    seen: Counter[str] = Counter()
    for item in items:
        rows = mapping.specs[item["collection"]].rows
        for name, value in item["properties"].items():
            kind = rows[name].schema.get("type") if name in rows else None
            if kind:
                seen[kind] += 1
                assert is_of(kind, value), (item["id"], name, value)
    assert seen["string"]


def is_of(kind: str, value: Any) -> bool:
    return isinstance(value, KINDS[kind]) and isinstance(value, bool) == (kind == "boolean")
