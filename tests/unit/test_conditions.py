from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.cql import conditions
from stacbridge.cql import parse as cql
from stacbridge.cql.conditions import And, Condition, Or, Predicate
from stacbridge.cql.evaluate import holds
from stacbridge.errors import UnsupportedFilter
from stacbridge.settings import Settings

SETTINGS = Settings()
DAY, NEXT = "2024-01-01T00:00:00.000000Z", "2024-01-02T00:00:00.000000Z"


def parsed(text: str) -> Condition:
    return conditions.parse(cql.parse_text(text, SETTINGS))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("a = 1", Predicate("a", "=", 1.0)),
        ("1 < a", Predicate("a", ">", 1.0)),
        ("properties.a = 1", Predicate("a", "=", 1.0)),
        ("not a < 1", Predicate("a", ">=", 1.0)),
        ("not not a = 1", Predicate("a", "=", 1.0)),
        ("a between 1 and 2", And((Predicate("a", ">=", 1.0), Predicate("a", "<=", 2.0)))),
        ("a not between 1 and 2", Or((Predicate("a", "<", 1.0), Predicate("a", ">", 2.0)))),
        ("a in ('x','y')", Or((Predicate("a", "=", "x"), Predicate("a", "=", "y")))),
        ("a not in ('x','y')", And((Predicate("a", "<>", "x"), Predicate("a", "<>", "y")))),
        (
            "not (a = 1 or b like 'x%')",
            And((Predicate("a", "<>", 1.0), Predicate("b", "like", "x%", negated=True))),
        ),
        ("a is not null", Predicate("a", "isnull", negated=True)),
        ("casei(a) = casei('X')", Predicate("a", "=", "X", casei=True)),
        ("a = true", Predicate("a", "=", True)),
        ("t >= DATE('2024-01-01')", Predicate("t", ">=", DAY)),
        ("t > DATE('2024-01-01')", Predicate("t", ">=", NEXT)),
        ("t = DATE('2024-01-01')", And((Predicate("t", ">=", DAY), Predicate("t", "<", NEXT)))),
        ("t < TIMESTAMP('2024-01-01T02:00:00+02:00')", Predicate("t", "<", DAY)),
        ("t_after(t, TIMESTAMP('2024-01-01T00:00:00Z'))", Predicate("t", ">", DAY)),
        ("t_before(t, INTERVAL('2024-01-01T00:00:00Z', '..'))", Predicate("t", "<", DAY)),
        (
            "t_intersects(t, INTERVAL('2024-01-01', '2024-01-02T00:00:00Z'))",
            And((Predicate("t", ">=", DAY), Predicate("t", "<=", NEXT))),
        ),
        (
            "t_disjoint(t, INTERVAL('2024-01-01', '2024-01-02T00:00:00Z'))",
            Or((Predicate("t", "<", DAY), Predicate("t", ">", NEXT))),
        ),
        ("not t_during(t, INTERVAL('..', '2024-01-02T00:00:00Z'))", Predicate("t", ">=", NEXT)),
    ],
)
def test_a_filter_becomes_tests_of_one_property_each(text: str, condition: Condition) -> None:
    assert parsed(text) == condition


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = b", "cannot be compared with"),
        ("a + 1 = 2", "needs a property on one side"),
        ("casei(a) = 'x'", "CASEI must be on both sides"),
        ("accenti(a) = accenti('x')", "needs a property"),
        ("s_within(geometry, POINT(0 0))", "'s_within'"),
        ("t_overlaps(t, INTERVAL('2024-01-01','..'))", "'t_overlaps'"),
        ("t_equals(t, INTERVAL('2024-01-01T00:00:00Z','..'))", "'t' t_equals"),
        ("t_intersects(t, INTERVAL('..','..'))", "no end"),
        ("t_after(t, INTERVAL('2024-01-01','..'))", "no end"),
        ("t = TIMESTAMP('2024-01-01T00:00:00.1234567Z')", "microseconds"),
        ("a = 1e400", "cannot be compared"),
        ("f(a)", "'f'"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(text: str, told: str) -> None:
    with pytest.raises(UnsupportedFilter, match=told) as failure:
        parsed(text)
    assert failure.value.parameter == "filter"


def test_json_that_is_no_condition_is_refused() -> None:
    for node in ({}, {"op": "and"}, {"op": "not", "args": []}, {"op": "and", "args": [5]}):
        with pytest.raises(UnsupportedFilter):
            conditions.parse(node)


def test_constants_fold() -> None:
    one = Predicate("a", "=", 1)
    assert conditions.conjunction([True, one]) == one
    assert conditions.conjunction([]) is True
    assert conditions.conjunction([one, False]) is False
    assert conditions.disjunction([False, one, True]) is True
    assert conditions.disjunction([]) is False
    assert conditions.names(And((one, Or((Predicate("b", "=", 1), one))))) == {"a", "b"}


VALUES = st.sampled_from(["", "a", "A", "ab", "b%", "_", "ba"])


@given(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), VALUES, VALUES, st.booleans())
def test_a_test_and_its_inversion_never_agree_but_on_a_missing_value(
    op: str, value: str, wanted: str, casei: bool
) -> None:
    test = Predicate("a", op, wanted, casei=casei)
    inverted = Predicate("a", conditions.INVERSE[op], wanted, casei=casei)
    assert holds(test, value) != holds(inverted, value)
    assert holds(test, None) == holds(inverted, None) == False  # noqa: E712


@pytest.mark.parametrize(
    ("test", "value", "holding"),
    [
        (Predicate("a", "like", "S2%"), "S2A", True),
        (Predicate("a", "like", "S2_"), "S2AB", False),
        (Predicate("a", "like", r"S\%"), "S%", True),
        (Predicate("a", "like", "s2%", casei=True), "S2A", True),
        (Predicate("a", "like", "S2%", negated=True), "S2A", False),
        (Predicate("a", "a_contains", ["VV"]), ["VV", "VH"], True),
        (Predicate("a", "a_containedby", ["VV"]), ["VV", "VH"], False),
        (Predicate("a", "a_overlaps", ["HH", "VH"]), ["VV", "VH"], True),
        (Predicate("a", "a_equals", ["VH", "VV"]), ["VV", "VH"], True),
        (Predicate("a", "a_equals", ["VH", "VV"], negated=True), ["VV", "VH"], False),
        (Predicate("a", "isnull"), None, True),
        (Predicate("a", "isnull", negated=True), None, False),
        (Predicate("a", "=", 5.0), 5, True),
    ],
)
def test_known_values_are_tested_here(test: Predicate, value: Any, holding: bool) -> None:
    assert holds(test, value) is holding


@pytest.mark.parametrize(
    ("test", "value"),
    [
        (Predicate("a", "=", 5), "x"),
        (Predicate("a", "=", "x"), ["x"]),
        (Predicate("a", "a_contains", ["x"]), "x"),
        (Predicate("a", "=", True), 1),
        (Predicate("a", "like", "x"), 5),
        (Predicate("a", "s_intersects", {}), "x"),
    ],
)
def test_values_of_another_kind_are_refused(test: Predicate, value: Any) -> None:
    with pytest.raises(UnsupportedFilter, match="'a'"):
        holds(test, value)
