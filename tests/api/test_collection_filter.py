"""Filters of Collections follow three-valued logic, whatever they are made of."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.api.collection_filter import condition
from stacbridge.cql import build
from stacbridge.model import Json
from tests.api.archive import collection

MOST = 100
STATED: list[Json] = [
    {},
    {"platform": ["x"]},
    {"platform": ["x", "y"]},
    {"gsd": {"minimum": 1, "maximum": 9}},
]
COLLECTIONS = [
    {**collection(f"made-{number}"), "summaries": {**left, **right}}
    for number, (left, right) in enumerate(product(STATED, STATED))
]

LEAVES = st.sampled_from(
    [
        build.compared("platform", "=", "x"),
        build.compared("platform", "<>", "y"),
        build.compared("gsd", ">", 5),
        build.compared("gsd", "=", 5),
        build.among("gsd", [0, 10]),
        build.missing("platform"),
        {"op": "a_overlaps", "args": [build.property("platform"), ["y"]]},
        build.like_in_any_case("title", "%MADE 1%"),
        build.compared("nothing", "=", 1),
    ]
)


def joined(parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    pairs = st.tuples(st.sampled_from(["and", "or"]), st.lists(parts, min_size=2, max_size=3))
    return parts.map(build.negated) | pairs.map(lambda pair: {"op": pair[0], "args": pair[1]})


FILTERS = st.recursive(LEAVES, joined, max_leaves=6)


def found(filter: Json) -> set[str]:
    matches = condition(filter, MOST)
    return {str(stac["id"]) for stac in COLLECTIONS if matches(stac)}


@settings(max_examples=40, deadline=None)
@given(filter=FILTERS)
def test_no_collection_matches_a_filter_and_its_negation(filter: Json) -> None:
    assert not found(filter) & found(build.negated(filter))
    assert found(build.negated(build.negated(filter))) == found(filter)


@settings(max_examples=40, deadline=None)
@given(left=FILTERS, right=FILTERS)
def test_and_and_or_are_what_both_and_either_find(left: Json, right: Json) -> None:
    assert found({"op": "and", "args": [left, right]}) == found(left) & found(right)
    assert found({"op": "or", "args": [left, right]}) == found(left) | found(right)
    neither = build.negated({"op": "or", "args": [left, right]})
    assert found(neither) == found(build.negated(left)) & found(build.negated(right))
