"""Walks through products that no time tells apart, and of which there are more than `$skip` reaches."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.errors import SearchTooWide
from stacbridge.model import Json, Query, SortKey
from tests.unit.odata_archive import at
from tests.unit.odata_walks import DIALECT, PAGE, archive, behind, ids, product, small, walk, walked_meanwhile


def alike(names: list[str]) -> list[Json]:
    """Products of these names that have all their times in common, after one that has not."""
    others = [{**product(number, 5, 5, published=5), "Name": name} for number, name in enumerate(names, 1)]
    return [product(0, 9), *others]


NAMES = st.lists(st.text("AB_1'%", max_size=6), unique=True, max_size=60)


@examples(max_examples=150, deadline=None)
@given(NAMES, st.integers(1, 6), st.booleans())
def test_products_that_no_time_tells_apart_are_told_apart_by_name(
    names: list[str], limit: int, descending: bool
) -> None:
    products = alike(names)
    found = walk(archive(products), Query(limit=limit, sortby=(SortKey("datetime", descending),)))
    assert sorted(ids(found)) == sorted(ids(products))
    times = [at(record, "ContentDate/Start") for record in found]
    assert times == sorted(times, reverse=descending)


@examples(max_examples=60, deadline=None)
@given(NAMES, NAMES, st.integers(1, 6), st.data())
def test_products_alike_that_come_during_a_walk_make_none_be_lost(
    names: list[str], coming: list[str], limit: int, data: st.DataObject
) -> None:
    products = alike(names)
    found = walked_meanwhile(products, alike(coming), limit, data)
    assert set(ids(products)) <= set(found)


@examples(max_examples=40, deadline=None)
@given(NAMES, st.integers(1, 6))
def test_a_page_of_products_alike_can_be_left_behind_any_of_its_records(names: list[str], limit: int) -> None:
    upstream = archive(alike(names))
    query: Query | None = Query(limit=limit)
    whole = ids(walk(upstream, Query(limit=limit)))
    found: list[str] = []
    while query is not None:
        page = upstream.page(DIALECT, query)
        taken = max(1, len(page.records) // 2)
        found += ids(page.records[:taken])
        position = behind(page, taken)
        query = None if position is None else replace(query, position=orjson.loads(orjson.dumps(position)))
    assert sorted(found) == sorted(whole)


def test_products_of_one_name_and_time_beyond_what_skips_reach_are_refused_and_said_what_to_narrow() -> None:
    upstream = archive(alike(["SAME"] * 30))
    with pytest.raises(SearchTooWide, match=r"More than 7 items .* the name SAME too") as failure:
        walk(upstream, Query(limit=PAGE))
    assert failure.value.advice is not None


def test_a_search_that_leaves_no_room_for_names_in_the_filter_is_refused_and_said_what_to_simplify() -> None:
    mapping = small()
    mapping.limits["filter"] = 420
    upstream = archive(alike([f"{letter}{'-' * 60}{number}" for letter in "ABCD" for number in range(9)]))
    with pytest.raises(SearchTooWide, match="more than 420 characters") as failure:
        walk(upstream, Query(limit=PAGE), ODataSets(mapping))
    assert failure.value.parameter == "collections"
