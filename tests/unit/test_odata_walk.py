"""Walks through an archive whose pages are small, and whose `$skip` does not reach far."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from stacbridge import scalars
from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.errors import BadRequest, SearchTooWide, UpstreamError
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Json, Page, Query, Reply, Request, SortKey
from stacbridge.settings import Settings
from tests.unit.odata_archive import Archive, at
from tests.unit.toy import NAME, grd, toy

START = datetime(2024, 1, 1, tzinfo=UTC)
OFFSET, PAGE = 7, 4
PATHS = {"datetime": "ContentDate/Start", "published": "PublicationDate", "end_datetime": "ContentDate/End"}


def small() -> Mapping:
    mapping = toy()
    mapping.limits.update(offset=OFFSET, page=PAGE)
    return mapping


DIALECT = ODataSets(small())


def archive(products: list[Json]) -> Archive:
    return Archive(products, offset=OFFSET, page=PAGE)


def product(number: int, start: int, end: int = 0, published: int | None = None) -> Json:
    def time(seconds: int) -> str:
        return scalars.rfc3339(START + timedelta(seconds=seconds))

    return grd(
        Id=f"{number * 7919 % 10007:05}",  # in another order than that of their making
        Name=f"{NAME[:-9]}{number:04}.SAFE",
        ContentDate={"Start": time(start), "End": time(start + end)},
        PublicationDate=time(number if published is None else published),
    )


def pages(upstream: Archive, query: Query, dialect: ODataSets = DIALECT) -> Iterator[Page]:
    for _ in range(1000):
        page = upstream.page(dialect, query)
        assert len(page.records) <= query.limit
        yield page
        if page.position is None:
            return
        query = replace(query, position=orjson.loads(orjson.dumps(page.position)))
    raise AssertionError("the walk does not end")


def walk(upstream: Archive, query: Query, dialect: ODataSets = DIALECT) -> list[Json]:
    return [record for page in pages(upstream, query, dialect) for record in page.records]


def ids(records: list[Json]) -> list[str]:
    return [record["Id"] for record in records]


def behind(page: Page, count: int) -> Json | None:
    """The position behind the first so many records of a page."""
    assert page.after is not None
    return page.after(count) if count < len(page.records) else page.position


def walked_meanwhile(held: list[Json], coming: list[Json], limit: int, data: st.DataObject) -> list[str]:
    """The ids of a walk during which products come in after each page, as many as are drawn."""
    upstream = archive(list(held))
    arrivals = iter([{**record, "Id": f"{record['Id']}-new"} for record in coming])
    found: list[Json] = []
    for page in pages(upstream, Query(limit=limit)):
        found += page.records
        for record in arrivals:
            upstream.products.append(record)
            if data.draw(st.booleans()):
                break
    return ids(found)


numbers = st.integers(0, 3)
archives = st.lists(st.tuples(numbers, numbers), max_size=60).map(
    lambda drawn: [product(number, start, end) for number, (start, end) in enumerate(drawn)]
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


@examples(max_examples=100, deadline=None)
@given(archives, archives, st.integers(1, 6), st.data())
def test_products_that_come_during_a_walk_make_none_be_lost(
    products: list[Json], coming: list[Json], limit: int, data: st.DataObject
) -> None:
    found = walked_meanwhile(products, coming, limit, data)
    assert set(ids(products)) <= set(found)


@examples(max_examples=60, deadline=None)
@given(archives, st.integers(1, 6))
def test_a_page_can_be_left_behind_any_of_its_records(products: list[Json], limit: int) -> None:
    upstream, query = archive(products), Query(limit=limit)
    whole = ids(walk(upstream, query))
    page = upstream.page(DIALECT, query)
    for count in range(1, len(page.records)):
        rest = ids(walk(upstream, replace(query, position=behind(page, count))))
        assert sorted(ids(page.records[:count]) + rest) == sorted(whole)


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
