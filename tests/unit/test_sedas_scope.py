"""What is sent to SeDAS to narrow a search, and that what is not sent is decided here."""

from typing import Any

import cql2
import pytest

from stacbridge.access.flows import drive
from stacbridge.cql.matching import condition
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Query
from stacbridge.simulators.sedas_products import Products
from tests.unit.sedas_service import NOW, SEDAS, Service, dialect, mapping, pages

ARCHIVE = Products.made(600, NOW)


def asked(text: str | None = None, *collections: str) -> list[Json]:
    """What the first requests of a search say besides time and area."""
    service = Service(ARCHIVE, cap=10_000)
    filter = cql2.Expr(text).to_json() if text else None
    drive(dialect(mapping(page=10_000)).walk(Query(filter=filter, collections=collections)), service)
    shown = ("sensorFilters", "filters", "sourceGroup", "satelliteName")
    return [{name: body[name] for name in shown if name in body} for body in service.asked]


def body(sensor: str, filters: Json | None = None, **named: str) -> Json:
    return {"sensorFilters": {"type": sensor}, "filters": filters or {}, **named}


def test_a_request_has_the_form_of_the_published_client() -> None:
    service = Service(ARCHIVE)
    drive(dialect().walk(Query(bbox=(-1, 51, 0, 52), collections=("sedas-sentinel-1",))), service)
    assert {"sensorFilters", "filters", "aoiWKT", "start", "stop", "sourceGroup"} == set(service.asked[0])
    assert service.asked[0]["start"] == "1970-01-01T00:00:00Z"
    assert service.asked[0]["stop"] == "2021-07-02T00:00:00Z"
    assert service.asked[0]["aoiWKT"].startswith("POLYGON((")


@pytest.mark.parametrize(
    ("text", "collections", "expected"),
    [
        (None, (), [body("All")]),
        (None, ("sedas-sentinel-2",), [body("Optical", sourceGroup="S2")]),
        (
            None,
            ("sedas-sentinel-1", "sedas-novasar"),
            [body("SAR", sourceGroup="S1"), body("SAR", sourceGroup="NovaSAR")],
        ),
        (
            None,
            ("sedas-sentinel-1", "sedas-novasar", "sedas-airsar", "sedas-cosmo-skymed"),
            [body("SAR")],
        ),
        ('"eo:cloud_cover" < 10', (), [body("Optical", {"maxCloudPercent": 10})]),
        (
            '"eo:cloud_cover" BETWEEN 9.5 AND 20.5',
            ("sedas-sentinel-2",),
            [body("Optical", {"minCloudPercent": 9, "maxCloudPercent": 21}, sourceGroup="S2")],
        ),
        ("\"product:type\" = 'SLC'", (), [body("SAR", {"sarProductType": "SLC"})]),
        (
            "platform = 'sentinel-1a'",
            (),
            [body("SAR", sourceGroup="S1", satelliteName="Sentinel-1A")],
        ),
        ("platform LIKE 'sentinel-2%'", (), [body("Optical", sourceGroup="S2")]),
        ("constellation = 'sentinel-2'", (), [body("Optical", sourceGroup="S2")]),
        ("collection = 'sedas-spot'", (), [body("Optical", sourceGroup="SPOT")]),
        (
            "A_EQUALS(\"sar:polarizations\", ('HH'))",
            ("sedas-novasar",),
            [body("SAR", {"polarisation": "HH"}, sourceGroup="NovaSAR")],
        ),
        # Two channels could be written in many ways, and one of several could be meant as all there are.
        (
            "A_EQUALS(\"sar:polarizations\", ('VV', 'VH'))",
            ("sedas-sentinel-1",),
            [body("SAR", sourceGroup="S1")],
        ),
        (
            "A_CONTAINS(\"sar:polarizations\", ('VV'))",
            ("sedas-sentinel-1",),
            [body("SAR", sourceGroup="S1")],
        ),
        (
            '"eo:cloud_cover" < 10 OR "eo:cloud_cover" > 90',
            ("sedas-spot",),
            [body("Optical", sourceGroup="SPOT")],
        ),
        ("platform = 'envisat'", (), []),
        ("platform = 'sentinel-1a' AND \"eo:cloud_cover\" < 5", (), []),
        (None, ("nobody's",), []),
    ],
)  # fmt: skip
def test_only_what_narrows_for_certain_is_sent(
    text: str | None, collections: tuple[str, ...], expected: list[Json]
) -> None:
    assert asked(text, *collections) == expected


@pytest.mark.parametrize(
    "text",
    [
        '"eo:cloud_cover" < 10',
        '"eo:cloud_cover" >= 33.3 AND "eo:cloud_cover" < 50.1',
        'NOT ("eo:cloud_cover" < 10)',
        '"eo:cloud_cover" IS NULL',
        "platform = 'sentinel-1a'",
        "platform <> 'sentinel-1a'",
        "platform IN ('sentinel-1b', 'spot-6')",
        "\"product:type\" = 'SLC'",
        "\"product:type\" LIKE 'S%'",
        "\"product:type\" <> 'SLC'",
        "\"sat:orbit_state\" = 'ascending'",
        "A_CONTAINS(\"sar:polarizations\", ('VH'))",
        "A_EQUALS(\"sar:polarizations\", ('HH'))",
        "datetime >= TIMESTAMP('2020-01-01T00:00:00Z')",
        "\"order:status\" = 'succeeded'",
        "collection = 'sedas-airsar' OR \"grid:code\" = 'MGRS-30UXC'",
        "S_INTERSECTS(geometry, POLYGON((-3 51, -2 51, -2 52, -3 51)))",
    ],
)
def test_a_filter_finds_exactly_the_items_that_match_it(text: str) -> None:
    filter = cql2.Expr(text).to_json()
    whole = [record for page in pages(dialect(), Query(limit=1000), Service(ARCHIVE)) for record in page]
    matches = condition(filter)
    expected = [record["Id"] for record in whole if matches(SEDAS.item(record, ""))]
    query = Query(limit=1000, filter=filter, count=True)
    found = [record for page in pages(dialect(), query, Service(ARCHIVE)) for record in page]
    assert [record["Id"] for record in found if matches(SEDAS.item(record, ""))] == expected
    assert expected
    page = drive(dialect().walk(query), Service(ARCHIVE))
    assert page.checked
    assert page.matched is None


def test_a_filter_that_its_collection_decides_need_not_be_checked() -> None:
    text = (
        "collection = 'sedas-airsar' AND \"sar:instrument_mode\" IS NOT NULL OR constellation = 'sentinel-2'"
    )
    query = Query(filter=cql2.Expr(text).to_json(), collections=("sedas-sentinel-2",), limit=1000, count=True)
    page = drive(dialect(mapping(page=1000)).walk(query), Service(ARCHIVE, cap=1000))
    assert page.checked == ()
    assert page.matched == len(page.records) > 10


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("datetime >= TIMESTAMP('2020-01-01T00:00:00Z')", "2020-01-01T00:00:00Z", "2021-07-02T00:00:00Z"),
        ("start_datetime < DATE('2020-01-01')", "1970-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        (
            "datetime > DATE('2019-12-31') AND datetime <= TIMESTAMP('2020-02-01T00:00:00Z')",
            "2020-01-01T00:00:00Z",
            "2020-02-01T00:00:00Z",
        ),
        # Of an alternative nothing is known beforehand.
        (
            "datetime < DATE('2019-01-01') OR platform = 'spot-6'",
            "1970-01-01T00:00:00Z",
            "2021-07-02T00:00:00Z",
        ),
    ],
)
def test_times_in_a_filter_narrow_the_search(text: str, start: str, stop: str) -> None:
    service = Service(ARCHIVE)
    drive(dialect().walk(Query(filter=cql2.Expr(text).to_json())), service)
    assert (service.asked[0]["start"], service.asked[0]["stop"]) == (start, stop)


def test_a_geometry_in_a_filter_narrows_the_search() -> None:
    service = Service(ARCHIVE)
    text = "S_INTERSECTS(geometry, POLYGON((-3 51, -2 51, -2 52, -3 51)))"
    drive(dialect().walk(Query(filter=cql2.Expr(text).to_json())), service)
    assert service.asked[0]["aoiWKT"] == "POLYGON((-3 51,-3 52,-2 52,-2 51,-3 51))"


def test_nothing_is_asked_for_a_property_that_no_collection_has() -> None:
    assert asked('"moon:phase" = 3') == []
    assert asked('"moon:phase" IS NULL') == [body("All")]


def test_the_products_of_two_groups_are_searched_together_and_each_is_found_once() -> None:
    query = Query(collections=("sedas-novasar", "sedas-spot"), limit=20)
    found = [record["Id"] for page in pages(dialect(), query, Service(ARCHIVE)) for record in page]
    assert sorted(found) == sorted(
        product.name for product in ARCHIVE.all if product.group.name in ("NovaSAR", "SPOT")
    )


def test_groups_that_a_service_filters_wrongly_are_sorted_out() -> None:
    class Deaf(Service):
        def __call__(self, request: Any) -> Any:
            plain = request.body.replace(b'"sourceGroup"', b'"ignored"')
            return super().__call__(type(request)(request.method, request.url, body=plain))

    query = Query(collections=("sedas-spot",), limit=1000)
    found = [record for page in pages(dialect(), query, Deaf(ARCHIVE)) for record in page]
    assert {SEDAS.classify(record) for record in found} == {"sedas-spot"}


@pytest.mark.parametrize("catalogue", [SEDAS], ids=["shipped"])
def test_every_queryable_can_be_filtered_by(catalogue: Mapping) -> None:
    for name in catalogue.queryables()["properties"]:
        assert isinstance(asked(f'"{name}" IS NULL'), list)
