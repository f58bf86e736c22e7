"""Walks through an archive of OData that holds still: each product once, in order, with few requests."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from stacbridge import scalars
from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.mapping.mapping import load
from stacbridge.model import Json, Query, Reply, Request, SortKey
from stacbridge.settings import Settings
from tests.unit.odata_archive import Archive, at
from tests.unit.odata_walks import (
    DIALECT,
    OFFSET,
    PAGE,
    PATHS,
    START,
    archive,
    archives,
    behind,
    ids,
    pages,
    product,
    small,
    walk,
)


@examples(max_examples=150, deadline=None)
@given(archives, st.integers(1, 6), st.sampled_from(sorted(PATHS)), st.booleans())
def test_a_walk_gives_every_product_once_and_in_order_however_many_share_a_time(
    products: list[Json], limit: int, name: str, descending: bool
) -> None:
    found = walk(archive(products), Query(limit=limit, sortby=(SortKey(name, descending),)))
    assert sorted(ids(found)) == sorted(ids(products))
    times = [at(record, PATHS[name]) for record in found]
    assert times == sorted(times, reverse=descending)


@examples(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(1, 6), st.integers(2, 3))
def test_runs_within_runs_are_walked_too(count: int, limit: int, publications: int) -> None:
    products = [product(number, 5, number, number % publications) for number in range(count)]
    found = walk(archive(products), Query(limit=limit))
    assert sorted(ids(found)) == sorted(ids(products))


@examples(max_examples=60, deadline=None)
@given(archives, st.integers(1, 6))
def test_a_page_can_be_left_behind_any_of_its_records(products: list[Json], limit: int) -> None:
    upstream, query = archive(products), Query(limit=limit)
    whole = ids(walk(upstream, query))
    page = upstream.page(DIALECT, query)
    for count in range(1, len(page.records)):
        rest = ids(walk(upstream, replace(query, position=behind(page, count))))
        assert sorted(ids(page.records[:count]) + rest) == sorted(whole)


def test_products_of_few_of_each_time_are_walked_without_a_request_too_many() -> None:
    upstream = archive([product(number, number // 3) for number in range(40)])
    assert len(list(pages(upstream, Query(limit=PAGE)))) == len(upstream.asked) == 11


def test_a_run_longer_than_a_page_that_skips_reach_takes_one_request_more() -> None:
    upstream = archive([product(number, 5) for number in range(OFFSET)])
    assert len(walk(upstream, Query(limit=PAGE))) == OFFSET
    assert [asked.get("$select") for asked in upstream.asked] == [None, "Id", None]


def test_a_run_out_of_reach_that_begins_on_a_page_takes_one_request_more_for_each_further_page() -> None:
    products = [product(0, 9), *[product(number, 5) for number in range(1, 41)]]
    upstream = archive(products)
    found = list(pages(upstream, Query(limit=PAGE)))
    assert sum(len(page.records) for page in found) == 41
    assert len(upstream.asked) <= 2 * len(found) + 2


def test_an_upstream_that_does_not_find_a_time_it_gave_is_not_believed() -> None:
    upstream = archive([product(number, 5) for number in range(30)])
    position = {"at": [{"t": scalars.rfc3339(START + timedelta(seconds=6)), "n": OFFSET + 1}]}
    with pytest.raises(UpstreamError, match="finds none"):
        upstream.page(DIALECT, Query(limit=PAGE, position=position))


def test_a_search_that_was_too_long_to_tell_gives_full_pages_of_what_was_asked_for() -> None:
    mapping = small()
    mapping.limits["filter"] = 300
    products = [product(number, number) for number in range(24)]
    for number, record in enumerate(products):
        record["Attributes"]["productType"] = "IW_SLC__1S" if number % 3 else "IW_GRDH_1S"
    query = Query(collections=("grd",), limit=3, count=True)
    found = list(pages(archive(products), query, ODataSets(mapping)))
    assert sorted(ids([record for page in found for record in page.records])) == sorted(ids(products[::3]))
    assert {page.matched for page in found} == {None}


def test_the_upstreams_count_is_asked_once_and_carried_along() -> None:
    upstream = archive([product(number, number) for number in range(9)])
    query = Query(collections=("grd",), limit=PAGE, count=True)
    assert [page.matched for page in pages(upstream, query)] == [9, 9, 9]
    assert [asked.get("$count") for asked in upstream.asked] == ["true", None, None]


@pytest.mark.parametrize("sortby", [(), (SortKey("datetime"),), (SortKey("published", True),)])
def test_any_number_of_ids_comes_in_the_order_asked_for(sortby: tuple[SortKey, ...]) -> None:
    mapping = small()
    mapping.limits["filter"] = 1500
    products = [product(number, number * 37 % 41) for number in range(40)]
    names = tuple(record["Name"].removesuffix(".SAFE") for record in products)
    query = Query(collections=("grd",), ids=names, limit=PAGE, sortby=sortby, count=True)
    upstream = archive(products)
    found = list(pages(upstream, query, ODataSets(mapping)))
    assert max(len(asked["$filter"]) for asked in upstream.asked) <= 1500
    records = [record for page in found for record in page.records]
    assert sorted(ids(records)) == sorted(ids(products))
    (key,) = sortby or (SortKey("datetime", descending=True),)
    times = [at(record, PATHS[key.name]) for record in records]
    assert times == sorted(times, reverse=key.descending)
    assert {page.matched for page in found} == {40}


@pytest.mark.parametrize("names", [("nothing",), ("eo:cloud_cover",), ("datetime", "published")])
def test_an_order_that_no_entity_set_has_is_refused(names: tuple[str, ...]) -> None:
    shipped = ODataSets(load("cdse", Settings()))
    with pytest.raises(BadRequest, match=repr(names[-1])) as failure:
        archive([]).page(shipped, Query(sortby=tuple(map(SortKey, names))))
    assert failure.value.parameter == "sortby"


@pytest.mark.parametrize("position", [{"t": 5}, {"at": []}, {"at": 5}, {"at": [{"t": "then"}]}])
def test_a_position_of_another_search_is_the_tokens_fault(position: Json) -> None:
    with pytest.raises(BadRequest) as failure:
        archive([]).page(DIALECT, Query(position=position))
    assert failure.value.parameter == "token"


def test_a_page_that_is_shorter_than_asked_and_names_a_next_one_is_not_the_end() -> None:
    class Cutting(Archive):
        def __call__(self, request: Request) -> Reply:
            reply = super().__call__(request)
            body = orjson.loads(reply.body)
            if len(body["value"]) > 2:
                body = {"value": body["value"][:2], "@odata.nextLink": "https://catalogue.example/next"}
            return replace(reply, body=orjson.dumps(body))

    products = [product(number, number // 4) for number in range(15)]
    assert sorted(ids(walk(Cutting(products), Query(limit=PAGE)))) == sorted(ids(products))
