"""Every operator that CQL2 has is decided, so that none is taken for unknown."""

from typing import Any

import cql2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.cql.matching import condition
from stacbridge.cql.operators import OPERATORS
from stacbridge.model import Json
from tests.unit.cql_oracle import truth
from tests.unit.cql_trees import trees

ITEM: Json = {
    "type": "Feature",
    "id": "a",
    "collection": "c",
    "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]},
    "properties": {
        "gsd": 5,
        "name": "Äb",
        "bands": ["x", "y"],
        "start_datetime": "2024-01-02T00:00:00Z",
        "end_datetime": "2024-01-04T00:00:00Z",
    },
}
SPAN = "INTERVAL(start_datetime, end_datetime)"


def days(first: int, last: int) -> str:
    return f"INTERVAL('2024-01-{first:02}T00:00:00Z', '2024-01-{last:02}T00:00:00Z')"


TRUE = {
    "and": "gsd = 5 AND gsd < 6",
    "or": "gsd = 6 OR gsd = 5",
    "not": "NOT gsd = 6",
    "=": "gsd = 5",
    "<>": "gsd <> 6",
    "<": "gsd < 6",
    "<=": "gsd <= 5",
    ">": "gsd > 4",
    ">=": "gsd >= 5",
    "between": "gsd BETWEEN 5 AND 6",
    "in": "gsd IN (4, 5)",
    "like": "name LIKE '_b%'",
    "isnull": "missing IS NULL",
    "casei": "CASEI(name) = CASEI('äB')",
    "accenti": "ACCENTI(name) = ACCENTI('Ab')",
    "+": "gsd + 1 = 6",
    "-": "gsd - 1 = 4",
    "*": "gsd * 2 = 10",
    "/": "gsd / 5 = 1",
    "^": "gsd ^ 2 = 25",
    "%": "gsd % 2 = 1",
    "div": "gsd div 2 = 2",
    "s_contains": "S_CONTAINS(geometry, POINT(1 1))",
    "s_crosses": "S_CROSSES(geometry, LINESTRING(-1 1, 3 1))",
    "s_disjoint": "S_DISJOINT(geometry, POINT(9 9))",
    "s_equals": "S_EQUALS(geometry, POLYGON((0 0, 2 0, 2 2, 0 2, 0 0)))",
    "s_intersects": "S_INTERSECTS(geometry, POINT(2 2))",
    "s_overlaps": "S_OVERLAPS(geometry, POLYGON((1 1, 3 1, 3 3, 1 3, 1 1)))",
    "s_touches": "S_TOUCHES(geometry, POLYGON((2 0, 4 0, 4 2, 2 2, 2 0)))",
    "s_within": "S_WITHIN(geometry, POLYGON((-1 -1, 3 -1, 3 3, -1 3, -1 -1)))",
    "a_contains": "A_CONTAINS(bands, ('x'))",
    "a_containedby": "A_CONTAINEDBY(bands, ('x', 'y', 'z'))",
    "a_equals": "A_EQUALS(bands, ('x', 'y'))",
    "a_overlaps": "A_OVERLAPS(bands, ('y', 'z'))",
    "t_after": "T_AFTER(start_datetime, TIMESTAMP('2024-01-01T00:00:00Z'))",
    "t_before": "T_BEFORE(start_datetime, TIMESTAMP('2024-01-03T00:00:00Z'))",
    "t_contains": f"T_CONTAINS({days(1, 9)}, {SPAN})",
    "t_disjoint": f"T_DISJOINT({SPAN}, {days(7, 9)})",
    "t_during": f"T_DURING({SPAN}, {days(1, 9)})",
    "t_equals": f"T_EQUALS({SPAN}, {days(2, 4)})",
    "t_finishedby": f"T_FINISHEDBY({SPAN}, {days(3, 4)})",
    "t_finishes": f"T_FINISHES({SPAN}, {days(1, 4)})",
    "t_intersects": f"T_INTERSECTS({SPAN}, {days(3, 9)})",
    "t_meets": f"T_MEETS({SPAN}, {days(4, 9)})",
    "t_metby": f"T_METBY({SPAN}, {days(1, 2)})",
    "t_overlappedby": f"T_OVERLAPPEDBY({SPAN}, {days(1, 3)})",
    "t_overlaps": f"T_OVERLAPS({SPAN}, {days(3, 9)})",
    "t_startedby": f"T_STARTEDBY({SPAN}, {days(2, 3)})",
    "t_starts": f"T_STARTS({SPAN}, {days(2, 9)})",
}


def test_there_is_a_case_for_every_operator() -> None:
    assert set(TRUE) == OPERATORS


@pytest.mark.parametrize(("operator", "text"), TRUE.items(), ids=TRUE)
def test_an_operator_is_decided_both_ways(operator: str, text: str) -> None:
    expression = cql2.Expr(text).to_json()
    assert operator in str(expression).lower()
    assert condition(expression)(ITEM)
    assert not condition({"op": "not", "args": [expression]})(ITEM)


BOX = {"type": "Polygon", "coordinates": [[[178, 0], [180, 0], [180, 2], [178, 2], [178, 0]]]}
VALUES: dict[str, list[Any]] = {
    "number": [0, 1, 2.5, -3],
    "other": [0, 1.0, 4],
    "text": ["", "Äb", "ab", "a%b", "AB_", "straße"],
    "word": ["ab", "AB", "5"],
    "yes": [True, False],
    "list": [["x", "y"], ["x"], []],
    "numbers": [[1, 2], [2.0]],
    "start": ["2024-01-01T00:00:00.000000Z", "2024-01-01T12:00:00+12:00", "2024-01-02T23:59:59.999999Z"],
    "end": ["2024-01-02T00:00:00Z", "2024-01-03T01:00:00.5Z", "2024-01-01T00:00:00Z"],
}
ITEMS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["a", "Ab%", "_"]),
        "collection": st.sampled_from(["c", "d"]),
        "geometry": st.sampled_from([ITEM["geometry"], BOX, None]),
        "properties": st.fixed_dictionaries(
            {}, optional={name: st.sampled_from([*values, None]) for name, values in VALUES.items()}
        ),
    }
)
PLACES = st.sampled_from(
    [
        {"bbox": [177, -1, -170, 1]},
        {"bbox": [0, 0, 1, 1]},
        {"type": "Point", "coordinates": [2, 2]},
        {"type": "Polygon", "coordinates": [[[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]]},
        ITEM["geometry"],
    ]
)


@settings(max_examples=400, deadline=None)
@given(ITEMS, trees(VALUES, ["a", "Ab%"], PLACES))
def test_a_filter_is_decided_as_cql2_says(item: Json, filter: Json) -> None:
    assert condition(filter)(item) == (truth(filter, item) is True)


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("bands IS NULL", False),
        ("software IS NULL", False),
        ("software = 'x'", False),
        ('"software.name" = 1', True),
        ('"software.nothing" IS NULL', True),
        ("properties.gsd = 5", True),
        ("bbox IS NULL", True),
        ("gsd = '5'", False),
        ("name IN (missing, 'Äb')", True),
        ("NOT gsd BETWEEN missing AND 4", True),
        ("CASEI(name) IN (CASEI('ÄB'))", True),
        ("start_datetime = written", True),
        ("start_datetime IN (TIMESTAMP('2024-01-02T01:00:00+01:00'))", True),
        ("software + 1 = 2", False),
        ("bands = bands OR bands <> records", False),
        ("NOT bands = records", False),
        ("records = missing OR A_EQUALS(records, bands)", False),
        ("S_WITHIN(geometry, BBOX(170, -10, 3, 10))", True),
        ("T_AFTER(name, TIMESTAMP('2000-01-01T00:00:00Z'))", False),
        (f"(T_DURING({SPAN}, {days(1, 9)})) = true", True),
        ("gsd / 0 = 1 OR gsd div 0 = 1 OR gsd % 0 = 1", False),
    ],
)
def test_what_the_cql2_library_would_stumble_over(text: str, matching: bool) -> None:
    properties = {
        **ITEM["properties"],
        "software": {"name": 1},
        "records": [{"a": 1}],
        "written": "2024-01-02T01:00:00.000+01:00",
    }
    assert condition(cql2.Expr(text).to_json())({**ITEM, "properties": properties}) == matching


def test_what_touches_a_box_that_ends_at_the_antimeridian_is_not_within_it() -> None:
    ring = [[-180, 55], [-160, 55], [-160, 75], [-180, 75], [-180, 55]]
    beyond = {"properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    box = {"bbox": [100, 31, -180, 63]}
    within = {"op": "s_within", "args": [{"property": "geometry"}, box]}
    assert not condition(within)(beyond)
    assert condition({"op": "not", "args": [within]})(beyond)
    assert condition({"op": "s_intersects", "args": [{"property": "geometry"}, box]})(beyond)
