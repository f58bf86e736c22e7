"""Searches of a service that cuts its answers find everything, each product once, in order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from shapely.geometry import box

from stacbridge.access.flows import drive
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.model import Interval, Query, Reply, SortKey
from stacbridge.simulators.sedas_finding import Order
from stacbridge.simulators.sedas_products import Products
from tests.unit.sedas_service import NOW, ORDERS, SEDAS, Service, dialect, mapping, names, pages, product

YEARS = Products.made(1500, NOW)
OLDEST_FIRST = (SortKey("datetime"),)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("sortby", [(), OLDEST_FIRST], ids=["newest first", "oldest first"])
def test_all_products_of_all_years_are_found_each_once_in_order(
    order: Order, sortby: tuple[SortKey, ...]
) -> None:
    found = names(pages(dialect(), Query(sortby=sortby), Service(YEARS, order=order)))
    starts = [YEARS.by_name[name].start for name in found]
    assert sorted(found) == sorted(YEARS.by_name)
    assert starts == sorted(starts, reverse=not sortby)


@pytest.mark.parametrize("limit", [1, 7, 250])
def test_a_page_holds_no_more_than_asked_for_and_none_is_lost_between_pages(limit: int) -> None:
    span = Interval(NOW - timedelta(days=40), NOW - timedelta(days=10))
    found = pages(dialect(), Query(limit=limit, interval=span), Service(YEARS))
    assert max(map(len, found)) <= limit
    assert sorted(names(found)) == sorted(
        p.name for p in YEARS.all if span.start and span.end and span.start <= p.stop and p.start <= span.end
    )


def test_a_page_makes_no_more_requests_than_it_may() -> None:
    service = Service(YEARS, order="oldest")
    drive(dialect(mapping(requests=3)).walk(Query()), service)
    assert len(service.asked) == 3


def test_what_one_answer_holds_takes_one_request() -> None:
    span = Interval(NOW - timedelta(days=12), NOW)
    service = Service(YEARS)
    page = drive(dialect().walk(Query(interval=span, count=True)), service)
    assert len(service.asked) == 1
    assert page.matched == len(page.records) > 10
    assert page.position is None


def test_matches_are_not_counted_before_all_are_known() -> None:
    page = drive(dialect().walk(Query(limit=10, count=True)), Service(YEARS))
    assert page.matched is None
    assert page.position


def test_matches_beyond_the_first_page_are_counted_where_one_answer_holds_them() -> None:
    span = Interval(NOW - timedelta(days=12), NOW)
    page = drive(dialect().walk(Query(interval=span, limit=2, count=True)), Service(YEARS))
    assert (len(page.records), page.matched) == (
        2,
        len(names(pages(dialect(), Query(interval=span), Service(YEARS)))),
    )


@pytest.mark.parametrize("overlap", [False, True], ids=["start in it", "overlap"])
def test_a_product_that_began_before_the_interval_and_reaches_into_it_is_found(overlap: bool) -> None:
    store = Products([product(1, 0, 10), product(2, 200, 10)])
    into = datetime(2020, 3, 1, 0, 0, 30, tzinfo=UTC)
    found = pages(dialect(), Query(interval=Interval(into, into)), Service(store, overlap=overlap))
    assert names(found) == ["N001"]


def test_an_area_finds_what_it_touches_and_nothing_else() -> None:
    area = (-3.0, 51.0, -2.5, 51.4)
    found = names(pages(dialect(), Query(bbox=area), Service(YEARS)))
    assert sorted(found) == sorted(p.name for p in YEARS.all if box(*p.box).intersects(box(*area)))


def test_an_area_over_the_antimeridian_is_asked_for_on_both_sides() -> None:
    store = Products([product(1, 0, 179), product(2, 0, -180), product(3, 0, 0)])
    service = Service(store)
    assert sorted(names(pages(dialect(), Query(bbox=(179.5, 50, -179.5, 51)), service))) == ["N001", "N002"]
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    "place",
    [
        {"type": "Point", "coordinates": [10.5, 50.5]},
        {"type": "LineString", "coordinates": [[10.2, 50.2], [10.8, 50.8]]},
        {"type": "MultiPoint", "coordinates": [[10.1, 50.1], [10.5, 50.5], [10.9, 50.9]]},
        {
            "type": "Polygon",
            "coordinates": [
                [[9, 49], [14, 49], [14, 53], [9, 53], [9, 49]],
                [[11.5, 49.5], [11.5, 52], [13.5, 52], [13.5, 49.5], [11.5, 49.5]],
            ],
        },
    ],
    ids=lambda place: place["type"],
)
def test_geometries_that_the_service_cannot_take_are_answered_exactly(place: dict[str, object]) -> None:
    store = Products([product(1, 0, 10), product(2, 0, 12)])
    assert names(pages(dialect(), Query(intersects=place), Service(store))) == ["N001"]


@pytest.mark.parametrize("sortby", [(), OLDEST_FIRST], ids=["newest first", "oldest first"])
def test_ids_are_looked_up_one_by_one_and_answered_in_order(sortby: tuple[SortKey, ...]) -> None:
    wanted = tuple([*list(YEARS.by_name)[:30], "no-such-product"])
    service = Service(YEARS)
    found = pages(dialect(), Query(ids=wanted, sortby=sortby, limit=20), service)
    starts = [YEARS.by_name[name].start for name in names(found)]
    assert sorted(names(found)) == sorted(wanted[:30])
    assert starts == sorted(starts, reverse=not sortby)
    assert [len(page) for page in found] == [20, 10]
    assert sorted(service.asked[: len(wanted)]) == sorted((("ids", id),) for id in wanted)


def test_an_id_of_another_collection_is_not_found() -> None:
    radar = next(p.name for p in YEARS.all if p.group.name == "S1")
    assert pages(dialect(), Query(ids=(radar,), collections=("sedas-sentinel-2",)), Service(YEARS)) == [[]]


@pytest.mark.parametrize(
    "token", [{}, {"t": "yesterday", "w": 3}, {"t": "2020-01-01T00:00:00Z", "w": -1}, {"t": 3, "w": 3}]
)
def test_a_position_that_is_none_is_refused(token: dict[str, object]) -> None:
    with pytest.raises(BadRequest) as failure:
        pages(dialect(), Query(position=token), Service(YEARS))
    assert failure.value.parameter == "token"


@pytest.mark.parametrize(
    "sortby", [(SortKey("eo:cloud_cover"),), (SortKey("datetime"), SortKey("id"))], ids=["cloud", "two keys"]
)
def test_an_order_that_is_not_by_time_is_refused(sortby: tuple[SortKey, ...]) -> None:
    with pytest.raises(BadRequest) as failure:
        pages(dialect(), Query(sortby=sortby), Service(YEARS))
    assert failure.value.parameter == "sortby"


def test_an_interval_at_the_edge_of_the_calendar_is_searched() -> None:
    ages = Interval(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert len(names(pages(dialect(), Query(interval=ages), Service(YEARS)))) == len(YEARS.all)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html><body>Sign in</body></html>", "not JSON"),
        (b'{"products": [{"supplierId": "S1', "not JSON"),
        (b'{"items": []}', "no list of products"),
        (b'{"products": null}', "no list of products"),
        (b'{"products": [], "errorCode": 7, "errorMessage": "aoiWKT is not valid"}', "aoiWKT is not valid"),
    ],
)
def test_an_answer_that_is_no_list_of_products_is_an_error(body: bytes, said: str) -> None:
    with pytest.raises(UpstreamError, match=said) as failure:
        drive(dialect().walk(Query()), lambda request: Reply(200, {}, body, request.url))
    assert failure.value.upstream == "sedas"


def test_products_that_cannot_be_placed_are_kept_to_be_reported() -> None:
    odd = [None, "text", {"supplierId": "X"}, {"downloadUrl": "https://x.example"}]
    page = drive(
        dialect().walk(Query(count=True)), lambda request: Reply(200, {}, orjson.dumps({"products": odd}))
    )
    _, skipped = SEDAS.items(page.records, "")
    assert (len(skipped), page.matched) == (4, 0)


def test_pages_do_not_depend_on_when_they_are_asked_for() -> None:
    query = Query(limit=50)
    service = Service(YEARS)
    page = drive(dialect().walk(query), service)
    following = replace(query, position=page.position)
    assert drive(dialect().walk(following), service) == drive(dialect().walk(following), service)
