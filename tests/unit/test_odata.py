from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge import scalars
from stacbridge.dialects.odata import OData
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.model import Interval, Json, Query, Reply, Request, SortKey
from tests.unit.odata_oracle import compiled
from tests.unit.toy import NAME, grd, l1c, toy

MAPPING = toy()
DIALECT = OData(MAPPING)
START = datetime(2024, 1, 1, tzinfo=UTC)


def params(query: Query) -> dict[str, str]:
    request = DIALECT.ask(query)
    assert request is not None
    return dict(request.params)


def reply(records: list[Json], **members: Any) -> Reply:
    return Reply(200, {}, orjson.dumps({"value": [as_listed(record) for record in records], **members}))


def as_listed(record: Json) -> Json:
    """A record with its attributes as OData lists them."""
    return {
        **record,
        "Attributes": [{"Name": name, "Value": value} for name, value in record["Attributes"].items()],
    }


def family(record: Json) -> str:
    return "SENTINEL-1" if record["Attributes"]["platformShortName"] == "SENTINEL-1" else "SENTINEL-2"


def answer(request: Request, archive: list[Json]) -> Reply:
    """Answer as the upstream does: filter, sort by one path and then by id, skip, cut."""
    asked = dict(request.params)
    satisfied = compiled(asked["$filter"]) if "$filter" in asked else lambda record, family: True
    found = [record for record in archive if satisfied(record, family(record))]
    path, direction = asked["$orderby"].split()
    outer, inner = path.split("/")
    found.sort(key=lambda record: record["Id"])
    found.sort(key=lambda record: record[outer][inner], reverse=direction == "desc")
    count = {"@odata.count": len(found)} if asked.get("$count") == "true" else {}
    skip, top = int(asked.get("$skip", 0)), int(asked["$top"])
    return reply(found[skip : skip + top], **count)


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
    assert params(Query(collections=("slc",)))["$filter"] == (
        "Collection/Name eq 'SENTINEL-1' and Attributes/OData.CSC.StringAttribute/"
        "any(att:att/Name eq 'productType' and att/OData.CSC.StringAttribute/Value eq 'IW_SLC__1S')"
    )
    assert params(Query(collections=("grd", "slc")))["$filter"] == "Collection/Name eq 'SENTINEL-1'"
    assert params(Query(collections=("grd", "slc", "l1c", "l2a")))["$filter"] == (
        "((Collection/Name eq 'SENTINEL-1') or (Collection/Name eq 'SENTINEL-2'))"
    )
    assert DIALECT.ask(Query(collections=("nobody knows",))) is None


def test_a_filter_too_long_asks_for_families_and_the_answer_is_sorted_out_here() -> None:
    mapping = toy()
    mapping.limits["filter"] = 250
    dialect, query = OData(mapping), Query(collections=("grd",), count=True)
    request = dialect.ask(query)
    assert request is not None
    assert dict(request.params)["$filter"] == "Collection/Name eq 'SENTINEL-1'"
    assert "$count" not in dict(request.params)
    other, unknown = {"productType": "IW_SLC__1S"}, {"productType": "NEW"}
    page = dialect.read(reply([grd(), grd(attributes=other), grd(attributes=unknown)]), query)
    assert [record["Attributes"]["productType"] for record in page.records] == ["IW_GRDH_1S", "NEW"]
    assert page.matched is None


def test_a_search_that_cannot_be_shortened_says_what_to_simplify() -> None:
    ring = [[index / 7, index / 11] for index in range(400)]
    with pytest.raises(BadRequest) as failure:
        DIALECT.ask(Query(intersects={"type": "MultiPoint", "coordinates": ring}))
    assert failure.value.parameter == "intersects"


def test_the_upstreams_count_is_asked_once_and_carried_along() -> None:
    archive = [grd(Id=str(number)) for number in range(5)]
    first = Query(limit=2, count=True)
    request = DIALECT.ask(first)
    assert request is not None
    page = DIALECT.read(answer(request, archive), first)
    assert page.matched == 5
    second = Query(limit=2, count=True, position=page.position)
    assert "$count" not in params(second)
    request = DIALECT.ask(second)
    assert request is not None
    assert DIALECT.read(answer(request, archive), second).matched == 5


def walk(query: Query, archive: list[Json]) -> list[str]:
    found: list[str] = []
    position: Json | None = None
    for _ in range(200):
        step = Query(ids=query.ids, sortby=query.sortby, limit=query.limit, position=position)
        request = DIALECT.ask(step)
        if request is None:
            return found
        page = DIALECT.read(answer(request, archive), step)
        found += [record["Id"] for record in page.records]
        position = orjson.loads(orjson.dumps(page.position))
        if position is None:
            return found
    raise AssertionError("the walk does not end")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 4), max_size=14),
    st.integers(1, 5),
    st.sampled_from(["datetime", "start_datetime"]),
    st.booleans(),
)
def test_a_walk_gives_every_product_once_and_in_order_however_many_share_a_time(
    seconds: list[int], limit: int, name: str, descending: bool
) -> None:
    archive = [at(number, second) for number, second in enumerate(seconds)]
    found = walk(Query(limit=limit, sortby=(SortKey(name, descending),)), archive)
    starts = {record["Id"]: record["ContentDate"]["Start"] for record in archive}
    assert sorted(found) == sorted(starts)
    assert [starts[id] for id in found] == sorted(starts.values(), reverse=descending)


def at(number: int, second: int) -> Json:
    time = scalars.rfc3339(START + timedelta(seconds=second))
    return grd(
        Id=f"{number:04}", Name=f"{NAME[:-9]}{number:04}.SAFE", ContentDate={"Start": time, "End": time}
    )


def test_a_walk_deeper_than_the_upstream_skips_says_what_to_narrow() -> None:
    with pytest.raises(BadRequest, match="10000 items have the same ContentDate/Start") as failure:
        DIALECT.ask(Query(position={"t": "2024-01-01T00:00:00.000000Z", "n": 10_001}))
    assert failure.value.parameter == "token"


def test_a_position_that_is_no_time_never_reaches_the_upstream() -> None:
    with pytest.raises(BadRequest):
        DIALECT.ask(Query(position={"t": "2024-01-01 or true", "n": 0}))


def test_ids_are_exact_names_and_many_are_asked_in_runs() -> None:
    archive = [at(number, number) for number in range(60)]
    ids = tuple(record["Name"].removesuffix(".SAFE") for record in archive)
    assert "contains" not in params(Query(ids=ids[:1]))["$filter"]
    assert len(params(Query(ids=ids))["$filter"]) <= MAPPING.limits["filter"]
    assert sorted(walk(Query(ids=(*ids, *ids[:3]), limit=7), archive)) == [record["Id"] for record in archive]


def test_more_ids_than_one_run_cannot_be_sorted_as_a_whole() -> None:
    with pytest.raises(BadRequest) as failure:
        DIALECT.ask(
            Query(ids=tuple(f"{NAME}{number}" for number in range(60)), sortby=(SortKey("datetime"),))
        )
    assert failure.value.parameter == "sortby"


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
    first, second = DIALECT.read(Reply(200, {}, body), Query()).records
    assert (first["Attributes"], second["Attributes"]) == ({"a": 1, "b": 3}, {})


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"value": 5}', b'{"value": [5]}', b'{"detail": {}}']
)
def test_an_answer_that_is_no_list_of_products_is_the_upstreams_failure(body: bytes) -> None:
    with pytest.raises(UpstreamError) as failure:
        DIALECT.read(Reply(200, {}, body, "https://catalogue.example/"), Query())
    assert failure.value.upstream == "toy"


def test_a_short_page_that_names_a_next_one_is_not_the_end() -> None:
    link = {"@odata.nextLink": "https://catalogue.example/next"}
    assert DIALECT.read(reply([grd()], **link), Query(limit=5)).position is not None
    assert DIALECT.read(reply([grd()]), Query(limit=5)).position is None
    assert DIALECT.read(reply([], **link), Query(limit=5)).position is None
