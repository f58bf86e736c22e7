"""What a filter or `sortby` may name where several catalogues answer."""

from itertools import permutations
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.mapping.mapping import load
from stacbridge.model import Json
from stacbridge.schemas import PUSHED, intersected, merged, united
from stacbridge.settings import Settings

URL = "https://bridge.example/sortables"
CLOUD = {"type": "number", "title": "Cloud cover"}
DOCUMENTS = [
    {"title": "Sortables", "properties": {"id": {"type": "string"}, "eo:cloud_cover": CLOUD}},
    {"title": "Others", "properties": {"eo:cloud_cover": {"type": "integer"}, "gsd": {"type": "number"}}},
]


def test_merged_documents_have_what_any_has_as_the_widest_describes_it() -> None:
    whole = merged(DOCUMENTS, URL)
    assert (whole["$id"], whole["title"]) == (URL, "Sortables")
    assert whole["properties"].keys() == {"id", "eo:cloud_cover", "gsd"}
    assert whole["properties"]["eo:cloud_cover"] == CLOUD


def test_intersected_documents_have_what_all_have_as_the_widest_describes_it() -> None:
    assert intersected(DOCUMENTS, URL) == {**merged(DOCUMENTS, URL), "properties": {"eo:cloud_cover": CLOUD}}
    assert intersected(DOCUMENTS[:1], URL) == merged(DOCUMENTS[:1], URL)
    assert intersected([], URL)["properties"] == {}


TEXT = {"type": "string"}
UNITED: list[tuple[list[Json], Json]] = [
    ([{**TEXT, "enum": ["a", "b"]}, {**TEXT, "enum": ["b", "c"]}], {**TEXT, "enum": ["a", "b", "c"]}),
    ([{"enum": ["a"]}, {"enum": ["b"]}], {**TEXT, "enum": ["a", "b"]}),
    ([{"enum": [1, 2.5]}, {"enum": [1]}], {"type": "number", "enum": [1, 2.5]}),
    ([{"const": ["a"]}, {"enum": [["b"]]}], {"type": "array", "enum": [["a"], ["b"]]}),
    ([{**TEXT, "enum": ["a"]}, TEXT], TEXT),
    ([{"enum": ["a"]}, {**TEXT, "title": "Name"}], {**TEXT, "title": "Name"}),
    ([{**CLOUD, "minimum": 0}, {"type": "integer", "minimum": 0}], {**CLOUD, "minimum": 0}),
    ([{"type": "integer"}, CLOUD], CLOUD),
    ([TEXT, {"anyOf": [{"type": "number"}, TEXT]}], {"anyOf": [TEXT, {"type": "number"}]}),
    ([{**TEXT, PUSHED: True}, {**TEXT, PUSHED: False}], {**TEXT, PUSHED: False}),
    ([{**TEXT, PUSHED: True}, TEXT], {**TEXT, PUSHED: True}),
    ([{**TEXT, "enum": "odd"}, {**TEXT, "anyOf": 5}], TEXT),
]


@pytest.mark.parametrize(("schemas", "whole"), UNITED)
def test_a_property_is_described_by_what_all_descriptions_allow(schemas: list[Json], whole: Json) -> None:
    assert united(schemas) == whole


VALUES = st.sampled_from(["a", "b", 1, 2, 2.5, True, None, ["a"]])
SCHEMAS = st.one_of(
    st.sampled_from([TEXT, CLOUD, {"type": "integer"}, {"type": "number", "minimum": 2}, {}]),
    st.lists(VALUES, min_size=1, max_size=3).map(lambda values: {"enum": values}),
    st.lists(st.sampled_from(["a", "b"]), min_size=1).map(lambda values: {**TEXT, "enum": values}),
    st.just({"const": ["a"]}),
)


@given(schemas=st.lists(SCHEMAS, min_size=1, max_size=4), value=VALUES, closed=st.booleans())
def test_no_value_that_one_description_allows_is_forbidden(
    schemas: list[Json], value: Any, closed: bool
) -> None:
    whole = united(schemas, closed=closed)
    assert any(_allows(schema, value) for schema in schemas) <= _allows(whole, value)
    assert not closed or any(_allows(schema, value) for schema in schemas) == _allows(whole, value)


def _allows(schema: Json, value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


@pytest.mark.parametrize("names", list(permutations(("cdse", "sedas", "terrascope"))))
def test_no_catalogue_speaks_for_others_whichever_is_named_first(names: tuple[str, ...]) -> None:
    documents = [load(name, Settings()).queryables() for name in names]
    whole = merged(documents, URL)["properties"]
    ids = [id for document in documents for id in document["properties"]["collection"]["enum"]]
    assert set(whole["collection"]["enum"]) == set(ids)
    for document in documents:
        for name, schema in document["properties"].items():
            assert schema[PUSHED] or not whole[name][PUSHED]
            assert all(_allows(whole[name], value) for value in schema.get("enum", ()))


def test_a_closed_set_is_none_where_a_catalogue_takes_properties_that_it_does_not_describe() -> None:
    listed = {"title": "Queryables", "properties": {"platform": {"enum": ["a"], PUSHED: True}}}
    vague: Json = {"title": "Vague", "properties": {}, "additionalProperties": True}
    strict = {**listed, "additionalProperties": False}
    assert merged([strict, vague], URL)["properties"] == {"platform": {**TEXT, PUSHED: True}}
    assert (
        merged([strict, {**vague, "additionalProperties": False}], URL)["properties"] == strict["properties"]
    )
