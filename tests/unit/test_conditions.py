from dataclasses import replace
from typing import Any

import cql2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.cql import conditions
from stacbridge.cql import parse as cql
from stacbridge.cql.conditions import And, Condition, Opaque, Or, Predicate
from stacbridge.cql.evaluate import holds
from stacbridge.cql.times import Moment
from stacbridge.errors import UnsupportedFilter
from stacbridge.settings import Settings

SETTINGS = Settings()
ORIGIN = {"type": "Point", "coordinates": [0.0, 0.0]}
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
        ("date > DATE('9999-12-31')", Predicate("date", ">", "9999-12-31T23:59:59.999999Z")),
        (
            "t_intersects(t, INTERVAL('2024-01-01', '2024-01-02T00:00:00Z'))",
            And((Predicate("t", "<=", NEXT), Predicate("t", ">=", DAY))),
        ),
        (
            "t_disjoint(t, INTERVAL('2024-01-01', '2024-01-02T00:00:00Z'))",
            Or((Predicate("t", ">", NEXT), Predicate("t", "<", DAY))),
        ),
        ("not t_during(t, INTERVAL('..', '2024-01-02T00:00:00Z'))", Predicate("t", ">=", NEXT)),
        ("t_before(TIMESTAMP('2024-01-01T00:00:00Z'), t)", Predicate("t", ">", DAY)),
        ("t_intersects(t, INTERVAL('..','..'))", Predicate("t", "isnull", negated=True)),
        ("not t_intersects(t, INTERVAL('..','..'))", False),
        ("t_after(t, INTERVAL('2024-01-01','..'))", False),
        ("t_starts(INTERVAL(a,b), INTERVAL('..','2024-01-01'))", False),
        (
            "t_meets(INTERVAL(a,b), INTERVAL('2024-01-01','2024-01-02'))",
            And(
                (
                    Predicate("b", "=", DAY),
                    Predicate("a", "isnull", negated=True),
                    Predicate("b", "isnull", negated=True),
                )
            ),
        ),
        (
            "t = TIMESTAMP('2024-01-01T00:00:00.0000001Z')",
            And((Predicate("t", "<=", DAY), Predicate("t", ">", DAY))),
        ),
        ("t < TIMESTAMP('2024-01-01T00:00:00.0000001Z')", Predicate("t", "<=", DAY)),
        ("t >= TIMESTAMP('2024-01-01T00:00:00.0000001Z')", Predicate("t", ">", DAY)),
        ("b", Predicate("b", "=", True)),
        ("not b", Predicate("b", "=", False)),
        ("s_disjoint(geometry, POINT(0 0))", Predicate("geometry", "s_intersects", ORIGIN, negated=True)),
        ("s_intersects(POINT(0 0), geometry)", Predicate("geometry", "s_intersects", ORIGIN)),
        (
            "s_contains(POINT(0 0), geometry)",
            And((Predicate("geometry", "s_intersects", ORIGIN), Opaque("s_within(geometry, POINT(0 0))"))),
        ),
        ("a = 1 and 2 + 2 = 4", Predicate("a", "=", 1.0)),
        ("a = 1 and 2 + 2 = 5", False),
        ("a = b", Opaque("a = b")),
        ("not a = b", Opaque("NOT a = b")),
        ("a + 1 = 2", Opaque("a + 1 = 2")),
        ("casei(a) = 'x'", Opaque("casei(a) = 'x'")),
        ("accenti(a) = accenti('x')", Opaque("accenti(a) = accenti('x')")),
        ("a in (b, 1)", Or((Opaque("a = b"), Predicate("a", "=", 1.0)))),
    ],
)
def test_a_filter_becomes_tests_of_one_property_each(text: str, condition: Condition) -> None:
    assert parsed(text) == condition


def test_null_is_neither_equal_nor_unequal_to_anything() -> None:
    for op in ("=", "<>"):
        node = {"op": op, "args": [{"property": "a"}, None]}
        assert conditions.parse(node) is False
        assert conditions.parse({"op": "not", "args": [node]}) is False


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("nope = 1", False),
        ("NOT nope = 1", False),
        ("nope IS NULL", True),
        ("nope IS NOT NULL", False),
        ("nope + a = 1", False),
        ("NOT (nope + a = 1)", False),
        ("(nope + 1) IS NULL", Opaque("nope + 1 IS NULL")),
        ("nope = 1 OR a = 1", Predicate("a", "=", 1.0)),
        ('"a.member" = 1', Predicate("a.member", "=", 1.0)),
        ('"nope.member" = 1', False),
    ],
)
def test_a_property_that_items_never_have_is_unknown(text: str, left: Condition) -> None:
    assert conditions.without(parsed(text), {"a"}) == left


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a IS NULL", "'a' isnull"),
        ("NOT casei(a) LIKE casei('x%')", "'a' not like with CASEI"),
        ("a + 1 = 2", "a + 1 = 2"),
    ],
)
def test_a_test_is_told_in_few_words(text: str, told: str) -> None:
    assert conditions.all_told([parsed(text)]) == (told,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("f(a)", "'f'"),
        ("a = 1 AND NOT b = g(1)", "'g'"),
        ("t = TIMESTAMP('yesterday')", "'yesterday' is not a time"),
        ("t = DATE('2024-13-01')", "'2024-13-01' is not a date"),
        ("t_after(t, 'soon')", "'soon' is not a time"),
        ("t_after(t, 5)", "'5.0' is not a time"),
    ],
)
def test_what_is_not_cql2_is_refused_by_name(text: str, told: str) -> None:
    with pytest.raises(UnsupportedFilter, match=told) as failure:
        parsed(text)
    assert failure.value.parameter == "filter"


def test_json_that_is_no_condition_is_refused() -> None:
    test = {"property": "a"}
    for node in (
        {},
        {"op": "and"},
        {"op": "not", "args": []},
        {"op": "and", "args": [5]},
        {"op": "=", "args": [test]},
        {"op": "like", "args": [test, 5]},
        {"op": "in", "args": [test, "x"]},
        {"op": "between", "args": [test, 1]},
        {"op": "t_after", "args": [test]},
        {"op": "s_intersects", "args": [test, {"type": "Point"}]},
    ):
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
        (Predicate("a", "=", 1), True),
        (Predicate("a", "like", "x"), 5),
        (Predicate("a", "=", Moment(DAY)), "x"),
        (Predicate("a", "s_intersects", ORIGIN), "x"),
        (Predicate("a", "s_intersects", ORIGIN), {"type": "Point", "coordinates": "x"}),
    ],
)
def test_values_of_another_kind_satisfy_neither_a_test_nor_its_negation(test: Predicate, value: Any) -> None:
    assert not holds(test, value)
    inverse = {"op": conditions.INVERSE[test.op]} if test.op in conditions.INVERSE else {"negated": True}
    assert not holds(replace(test, **inverse), value)


@pytest.mark.parametrize("value", ["2024-01-01T00:00:00Z", "2024-01-01T01:00:00.000+01:00", "2024-01-01"])
def test_times_are_compared_as_such_however_they_are_written(value: str) -> None:
    assert holds(Predicate("a", "=", Moment(DAY)), value)
    assert not holds(Predicate("a", ">", Moment(DAY)), value)
    assert holds(Predicate("a", "<", Moment(NEXT)), value)


def test_a_text_that_is_a_time_is_compared_as_one_with_times_only() -> None:
    assert holds(Predicate("a", "=", "2024-01-01T00:00:00Z"), DAY)
    assert holds(Predicate("a", ">", "2024-01-01T00:00:00Z"), "x")
    assert holds(Predicate("a", ">", "2024"), DAY)


def test_entries_of_arrays_are_told_apart_by_kind() -> None:
    assert not holds(Predicate("a", "a_contains", [1]), [True, "1", {"a": 1}])
    assert holds(Predicate("a", "a_contains", [1]), [None, [1], 1.0])


@given(st.text("ab%_\\"), st.text("ab%_\\", max_size=8))
def test_like_is_what_cql2_makes_of_it(pattern: str, value: str) -> None:
    item = {"properties": {"a": value}}
    try:
        expected = cql2.Expr({"op": "like", "args": [{"property": "a"}, pattern]}).matches(item)
    except Exception as error:
        assert "escape character" in str(error)
    else:
        assert holds(Predicate("a", "like", pattern), value) == expected


def test_no_like_pattern_takes_long() -> None:
    assert not holds(Predicate("a", "like", "%a" * 2000 + "%b"), "a" * 5000)
