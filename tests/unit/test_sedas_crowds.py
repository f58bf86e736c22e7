"""More products of a few seconds than an answer of SeDAS holds: told apart by area and source group."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.access.flows import drive
from stacbridge.errors import SearchTooWide
from stacbridge.model import Query, SortKey
from stacbridge.simulators.publishing import Published
from stacbridge.simulators.sedas_finding import Order
from stacbridge.simulators.sedas_products import GROUPS, Product, Products
from tests.leaving import CHANCES
from tests.unit.sedas_service import ORDERS, Service, dialect, mapping, names, pages, product


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(-170, 170)), max_size=60),
    st.sampled_from(ORDERS),
    st.booleans(),
    st.integers(1, 30),
    CHANCES,
)
def test_however_products_crowd_each_is_found_once(
    places: list[tuple[int, int]], order: Order, newest_first: bool, limit: int, chance: Random | None
) -> None:
    store = Products([product(number, *place) for number, place in enumerate(sorted(set(places)))])
    small = dialect(mapping(page=6, requests=200))
    query = Query(limit=limit, sortby=(SortKey("datetime", newest_first),))
    found = names(pages(small, query, Service(store, cap=6, order=order), chance=chance))
    assert sorted(found) == sorted(store.by_name)
    starts = [store.by_name[name].start for name in found]
    assert starts == sorted(starts, reverse=newest_first)


def test_more_products_of_one_second_than_an_answer_holds_are_told_apart_by_area() -> None:
    store = Products([product(number, 0, number - 150) for number in range(300)])
    service = Service(store)
    assert sorted(names(pages(dialect(), Query(limit=1000), service))) == sorted(store.by_name)
    assert len({body["aoiWKT"] for body in service.asked}) > 1


CROWD = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 250, 1000, 4000]),
        st.integers(-170, 170),
        st.sampled_from(["NovaSAR", "SPOT"]),
    ),
    max_size=80,
    unique=True,
)


def crowd(places: list[tuple[int, int, str]]) -> Products:
    """Products that start within seconds, at these milliseconds."""
    found = []
    for number, (milliseconds, west, name) in enumerate(places):
        start = datetime(2020, 3, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
        group = next(group for group in GROUPS if group.name == name)
        found.append(
            Product(
                f"N{number:03}", group, group.satellites[0], "Any", start, start, (west, 50, west + 1, 51)
            )
        )
    return Products(found)


@settings(deadline=None)
@given(CROWD, st.sampled_from(ORDERS), st.booleans(), st.integers(1, 30), st.integers(2, 9), CHANCES)
def test_a_crowd_that_a_pages_requests_do_not_suffice_to_see_is_walked_cell_by_cell(
    places: list[tuple[int, int, str]],
    order: Order,
    newest_first: bool,
    limit: int,
    requests: int,
    chance: Random | None,
) -> None:
    store = crowd(places)
    small = dialect(mapping(page=6, requests=requests))
    query = Query(limit=limit, sortby=(SortKey("datetime", newest_first),))
    try:
        service = Service(store, cap=6, order=order, style="epoch")
        found = names(pages(small, query, service, most=3000, chance=chance))
    except SearchTooWide as failure:
        starts = {product.start for product in store.all}
        assert len(starts) > 1 and "several instants" in failure.description
        return
    assert sorted(found) == sorted(store.by_name)
    moments = [store.by_name[name].start for name in found]
    assert moments == sorted(moments, reverse=newest_first)


@pytest.mark.parametrize("bbox", [(-60.0, 49.0, 80.5, 60.0), (100.0, 40.0, -100.5, 60.0)])
def test_a_crowd_is_walked_in_an_area(bbox: tuple[float, float, float, float]) -> None:
    store = crowd([(0, west, "SPOT") for west in range(-170, 170)])
    found = names(pages(dialect(mapping(page=20, requests=6)), Query(bbox=bbox), Service(store, cap=20)))
    west, _, east, _ = bbox
    inside = [p for p in store.all if (p.box[2] >= west and p.box[0] <= east)]
    if west > east:
        inside = [p for p in store.all if p.box[2] >= west or p.box[0] <= east]
    assert sorted(found) == sorted(product.name for product in inside)


@pytest.mark.parametrize("limit", [5, 30])
def test_a_page_of_a_crowd_can_be_left_behind_any_of_its_products(limit: int) -> None:
    store = crowd([(0, west, "SPOT") for west in range(-170, 170, 3)])
    service, small = Service(store, cap=6), dialect(mapping(page=6, requests=9))
    found = names(pages(small, Query(limit=limit), service, chance=Random(limit)))
    assert sorted(found) == sorted(store.by_name)


def test_products_that_come_in_while_a_crowd_is_walked_make_none_be_lost() -> None:
    places = [(0, west, "SPOT") for west in range(-170, 170)]
    store = crowd(places)
    store.published = Published(len(places), 100)
    before = {p.name for p, there in zip(store.all, store.published.mask, strict=True) if there}
    small, found, query = dialect(mapping(page=20, requests=6)), list[str](), Query(limit=15)
    while True:
        page = drive(small.walk(query), Service(store, cap=20))
        found += [record["Name"] for record in page.records]
        if page.position is None:
            break
        store.publish(3)
        query = replace(query, position=page.position)
    assert before <= set(found)


def test_products_of_one_place_and_second_are_told_apart_by_their_source_groups() -> None:
    kinds = ["NovaSAR", "SPOT", "Pleiades", "AIRSAR", "Cosmo-SkyMed"]
    store = crowd([(0, 10, kinds[number % 5]) for number in range(200)])
    assert sorted(names(pages(dialect(), Query(), Service(store)))) == sorted(store.by_name)


def test_more_products_in_one_place_and_second_than_an_answer_holds_are_an_error_that_says_so() -> None:
    store = Products([product(number, 0, 10) for number in range(101)])
    with pytest.raises(SearchTooWide, match=r"cuts its answers at 100 products, and .*: neither time nor"):
        pages(dialect(), Query(), Service(store))
