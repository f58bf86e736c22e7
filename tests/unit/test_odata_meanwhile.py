"""Products that come and go in an archive of OData during a walk: of the others none is lost or repeated."""

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from stacbridge.model import Json, Query
from tests.unit.odata_walks import DIALECT, archive, archives, ids, product, walk, walked_meanwhile


@examples(max_examples=100, deadline=None)
@given(archives, archives, st.integers(1, 6), st.data())
def test_products_that_come_during_a_walk_make_none_be_lost(
    products: list[Json], coming: list[Json], limit: int, data: st.DataObject
) -> None:
    found = walked_meanwhile(products, coming, limit, data)
    assert set(ids(products)) <= set(found)


@pytest.mark.parametrize("number", range(4))
def test_the_product_given_last_may_go_before_the_walk_goes_on(number: int) -> None:
    upstream = archive([product(each, 5) for each in range(6)])
    first = upstream.page(DIALECT, Query(limit=2))
    gone = sorted(ids(upstream.products))[number]
    upstream.products = [each for each in upstream.products if each["Id"] != gone]
    rest = walk(upstream, Query(limit=2, position=first.position))
    assert sorted({*ids(first.records), *ids(rest)} - {gone}) == sorted(ids(upstream.products))
    assert not set(ids(first.records)) & set(ids(rest))


def test_products_of_the_time_given_last_that_come_before_it_repeat_nothing() -> None:
    upstream = archive([product(each, 5) for each in range(6)])
    first = upstream.page(DIALECT, Query(limit=2))
    upstream.products += [{**product(9, 5), "Id": f"0000{number}-new"} for number in range(2)]
    rest = walk(upstream, Query(limit=2, position=first.position))
    assert sorted(ids(first.records + rest)) == sorted(ids(upstream.products)[:6])
