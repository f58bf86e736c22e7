import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.cql import parse as cql
from stacbridge.errors import BadRequest
from stacbridge.settings import Settings

SETTINGS = Settings()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3000 + "a=1" + ")" * 3000,
        "(" * 65 + "a=1" + ")" * 65,
        "NOT " * 1000 + "a=1",
        "a = " + "-" * 4000 + "5",
        "a=" * 2000 + "a",
        "a<" * 2000 + "a",
        "a = " + "2^" * 2000 + "2",
        "a = " + "2+" * 2000 + "2",
        "a like " * 1000 + "b",
        '"a\'" = ' + "(" * 2000 + "1" + ")" * 2000 + " and b = 'x'",
        "a = ')))))' or " + "(" * 2000 + "b = '((((('" + ")" * 2000,
        "s_intersects(geometry, " + "GEOMETRYCOLLECTION(" * 300 + "POINT(0 0)" + ")" * 300 + ")",
    ],
    ids=lambda text: text[:25],
)
def test_text_that_would_exhaust_the_parsers_stack_is_refused_before_it_is_parsed(text: str) -> None:
    with pytest.raises(BadRequest, match="nested deeper than 64 levels") as failure:
        cql.parse_text(text, SETTINGS)
    assert failure.value.parameter == "filter"


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"op": "=", "args": [{"property": "a"}, 1]}
    for _ in range(depth):
        node = {"op": "not", "args": [node]}
    return node


def test_json_that_is_nested_too_deep_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadRequest, match="nested deeper"):
        cql.parse_json(nested(100_000), SETTINGS)


def test_a_filter_that_is_too_long_is_refused() -> None:
    flat = " or ".join(f"a = {number}" for number in range(5000))
    with pytest.raises(BadRequest, match="longer than 8192 bytes"):
        cql.parse_text(flat, SETTINGS)
    with pytest.raises(BadRequest, match="longer than 8192 bytes"):
        cql.parse_json({"op": "in", "args": [{"property": "a"}, list(range(5000))]}, SETTINGS)


def test_a_long_flat_filter_is_fine() -> None:
    flat = " AND ".join(f"(a <> {number} AND NOT b = -{number})" for number in range(200))
    assert cql.parse_text(flat, SETTINGS)["op"] == "and"


@pytest.mark.parametrize("text", ["", "a = ", "a = 'x", "true", "5", "a ~ 5", "\0"])
def test_text_that_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        cql.parse_text(text, SETTINGS)


@pytest.mark.parametrize("value", [None, [], "a = 1", 5, {"op": "=", "args": [{"property": "a"}, object()]}])
def test_json_that_is_no_filter_is_refused(value: Any) -> None:
    with pytest.raises(BadRequest):
        cql.parse_json(value, SETTINGS)


def test_geometries_within_a_filter_are_checked() -> None:
    for area in ("POLYGON((0 0,1 1,1 0,0 1,0 0))", "POINT(200 0)", "BBOX(0,5,1,1)"):
        with pytest.raises(BadRequest) as failure:
            cql.parse_text(f"s_intersects(geometry, {area})", SETTINGS)
        assert failure.value.parameter == "filter"


def test_text_and_json_are_the_same_filter() -> None:
    text = "\"eo:cloud_cover\" < 10 AND id LIKE 'S2%' AND NOT a IS NULL"
    parsed = cql.parse_text(text, SETTINGS)
    assert cql.parse_json(json.loads(json.dumps(parsed)), SETTINGS) == parsed


@given(st.text(alphabet="aA1(), '\"=<>-+*/^%ndotrliebw.\\", max_size=200))
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    try:
        assert isinstance(cql.parse_text(text, SETTINGS), dict)
    except BadRequest as failure:
        assert failure.parameter == "filter"
