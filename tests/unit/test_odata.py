from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from stacbridge.dialects.odata import OData
from stacbridge.dialects.odata_scope import Scope
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.model import Interval, Json, Query, Reply, SortKey
from tests.unit.toy import NAME, grd, l1c, toy

MAPPING = toy()
DIALECT = OData(MAPPING)
START = datetime(2024, 1, 1, tzinfo=UTC)


def params(query: Query) -> dict[str, str]:
    request = DIALECT.ask(query)
    assert request is not None
    return dict(request.params)


def of_type(value: str) -> str:
    """The test of a product's type."""
    path = "OData.CSC.StringAttribute"
    return f"Attributes/{path}/any(att:att/Name eq 'productType' and att/{path}/Value eq '{value}')"


def reply(records: list[Json], **members: Any) -> Reply:
    return Reply(200, {}, orjson.dumps({"value": [as_listed(record) for record in records], **members}))


def as_listed(record: Json) -> Json:
    """A record with its attributes as OData lists them."""
    return {
        **record,
        "Attributes": [{"Name": name, "Value": value} for name, value in record["Attributes"].items()],
    }


def test_a_search_asks_for_one_page_with_everything_an_item_needs() -> None:
    request = DIALECT.ask(Query(limit=7))
    assert request is not None
    assert (request.method, request.url) == ("GET", "https://catalogue.example/odata/v1/Products")
    assert request.params == (
        ("$orderby", "ContentDate/Start desc"),
        ("$top", "7"),
        ("$expand", "Attributes"),
        ("$expand", "Assets"),
        ("$expand", "Locations"),
    )


def test_times_are_inclusive_and_meet_the_products_interval() -> None:
    interval = Interval(START, START + timedelta(microseconds=1))
    assert params(Query(interval=interval))["$filter"] == (
        "ContentDate/Start le 2024-01-01T00:00:00.000001Z and ContentDate/End ge 2024-01-01T00:00:00.000000Z"
    )
    assert "$filter" not in params(Query(interval=Interval(None, None)))


def test_a_box_across_the_antimeridian_is_two_areas() -> None:
    text = params(Query(bbox=(170.1, -10, -170, 10)))["$filter"]
    assert text == (
        "(OData.CSC.Intersects(area=geography'SRID=4326;"
        "POLYGON((170.1 -10,180 -10,180 10,170.1 10,170.1 -10))') or "
        "OData.CSC.Intersects(area=geography'SRID=4326;"
        "POLYGON((-180 -10,-170 -10,-170 10,-180 10,-180 -10))'))"
    )


def test_collections_become_families_and_attributes() -> None:
    one, two = "Collection/Name eq 'SENTINEL-1' and ", "Collection/Name eq 'SENTINEL-2' and "
    assert params(Query(collections=("slc",)))["$filter"] == one + of_type("IW_SLC__1S")
    grd = f"({of_type('EW_GRDM_1S')} or {of_type('IW_GRDH_1S')})"
    both = f"{one}({grd} or {of_type('IW_SLC__1S')})"
    assert params(Query(collections=("grd", "slc")))["$filter"] == both
    assert params(Query(collections=("grd", "slc", "l1c", "l2a")))["$filter"] == (
        f"(({both}) or ({two}({of_type('S2MSI1C')} or {of_type('S2MSI2A')})))"
    )
    assert DIALECT.ask(Query(collections=("nobody knows",))) is None


def test_a_filter_too_long_asks_for_families_and_the_answer_is_sorted_out_here() -> None:
    mapping = toy()
    mapping.limits["filter"] = 300
    dialect, query = OData(mapping), Query(collections=("grd",), count=True)
    request = dialect.ask(query)
    assert request is not None
    assert dict(request.params)["$filter"] == "Collection/Name eq 'SENTINEL-1'"
    assert "$count" not in dict(request.params)
    other, unknown = {"productType": "IW_SLC__1S"}, {"productType": "NEW"}
    records = dialect.read(reply([grd(), grd(attributes=other), grd(attributes=unknown)])).records
    assert dialect.wanted(dialect.find(query), records) == [True, False, True]


def test_a_search_that_cannot_be_shortened_says_what_to_simplify() -> None:
    ring = [[index / 7, index / 11] for index in range(400)]
    with pytest.raises(BadRequest) as failure:
        DIALECT.ask(Query(intersects={"type": "MultiPoint", "coordinates": ring}))
    assert failure.value.parameter == "intersects"


def test_the_upstream_counts_on_the_first_page_only() -> None:
    query = Query(collections=("grd",), count=True)
    assert params(query)["$count"] == "true"
    assert "$count" not in params(replace(query, position={"t": "2024-01-01T00:00:00.000000Z", "n": 1}))
    assert "$count" not in params(replace(query, count=False))


def test_what_is_checked_elsewhere_is_not_counted() -> None:
    request = DIALECT.ask(Query(count=True), Scope(True, None, checked=("'eo:cloud_cover' isnull",)))
    assert request is not None
    assert "$count" not in dict(request.params)


@pytest.mark.parametrize(
    "position", [{"t": "2024-01-01 or true"}, {"w": [["x", 0]]}, {"t": None}, {"n": -1}, {"w": 5}]
)
def test_a_position_that_is_none_never_reaches_the_upstream(position: Json) -> None:
    with pytest.raises(BadRequest) as failure:
        DIALECT.ask(Query(position=position))
    assert failure.value.parameter == "token"


def test_ids_are_exact_names_and_many_are_asked_in_searches_that_each_fit() -> None:
    ids = tuple(f"{NAME.removesuffix('.SAFE')}{number}" for number in range(200))
    query = Query(ids=(*ids, *ids[:3]))
    searches = DIALECT.split(query, DIALECT.find(query))
    texts = [params(search)["$filter"] for search in searches]
    assert "contains" not in texts[0]
    assert max(map(len, texts)) <= MAPPING.limits["filter"]
    assert len(searches) > 1
    assert tuple(id for search in searches for id in search.ids) == ids


@pytest.mark.parametrize("keys", [("eo:cloud_cover",), ("nothing",), ("datetime", "published")])
def test_an_order_that_the_upstream_does_not_have_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(BadRequest) as failure:
        DIALECT.ask(Query(sortby=tuple(map(SortKey, keys))))
    assert failure.value.parameter == "sortby"


def test_attributes_become_a_dict_and_malformed_ones_are_left_out() -> None:
    listed = {
        **grd(),
        "Attributes": [{"Name": "a", "Value": 1}, {"Value": 2}, None, {"Name": "b", "Value": 3}],
    }
    body = orjson.dumps({"value": [listed, {**l1c(), "Attributes": None}]})
    first, second = DIALECT.read(Reply(200, {}, body)).records
    assert (first["Attributes"], second["Attributes"]) == ({"a": 1, "b": 3}, {})


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"value": 5}', b'{"value": [5]}', b'{"detail": {}}']
)
def test_an_answer_that_is_no_list_of_products_is_the_upstreams_failure(body: bytes) -> None:
    with pytest.raises(UpstreamError) as failure:
        DIALECT.read(Reply(200, {}, body, "https://catalogue.example/"))
    assert failure.value.upstream == "toy"
