"""Numbers of matches that an OData archive is asked for: only of products that become Items."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.dialects.odata import OData
from stacbridge.dialects.odata_scope import ENTITY_SETS
from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.loading import load as load_catalogue
from stacbridge.mapping.mapping import load
from stacbridge.model import Json, Query, Request
from stacbridge.settings import Settings
from tests.servers import Answer, Seen, serving
from tests.unit.odata_archive import Archive
from tests.unit.toy import NAME, grd, toy

SHIPPED = load("cdse", Settings())
SENTINEL_1 = tuple(id for id, spec in SHIPPED.specs.items() if spec.family == "SENTINEL-1")


def product(number: int, kind: str) -> Json:
    return grd(Id=f"{number:05}", Name=f"{NAME[:-9]}{number:04}.SAFE", attributes={"productType": kind})


def known_and_unknown() -> Archive:
    kinds = ["IW_GRDH_1S", "IW_SLC__1S", "IW_GRDH_1S", "IW_NEW__1S", "NEWER", "NEWEST"]
    return Archive([product(number, kind) for number, kind in enumerate(kinds)])


@pytest.mark.parametrize(
    ("collections", "number"), [(("grd",), 2), (("slc",), 1), (("grd", "slc"), 3), (("grd", "slc", "l1c"), 3)]
)
def test_products_of_no_collection_are_not_counted(collections: tuple[str, ...], number: int) -> None:
    page = known_and_unknown().page(ODataSets(toy()), Query(collections=collections, count=True))
    assert page.matched == len(page.records) == number


@pytest.mark.parametrize("ids", [(), (f"{NAME[:-9]}0001", f"{NAME[:-9]}0004")])
def test_a_search_of_everything_is_not_counted_where_there_may_be_products_of_no_collection(
    ids: tuple[str, ...],
) -> None:
    upstream = known_and_unknown()
    page = upstream.page(ODataSets(toy()), Query(ids=ids, count=True))
    assert page.matched is None
    assert len(page.records) == (len(ids) or 6)
    assert [asked.get("$count") for asked in upstream.asked] == [None]


def test_what_is_too_long_to_be_spelt_out_is_asked_shorter_and_not_counted() -> None:
    mapping = toy()
    mapping.limits["filter"] = 500
    upstream = known_and_unknown()
    page = upstream.page(ODataSets(mapping), Query(collections=("grd", "slc"), count=True))
    assert [asked.get("$filter") for asked in upstream.asked] == ["Collection/Name eq 'SENTINEL-1'"]
    assert page.matched is None


@pytest.mark.parametrize("collection", SHIPPED.specs)
def test_every_shipped_collection_is_counted(collection: str) -> None:
    family = SHIPPED.specs[collection].family
    one = OData(SHIPPED, family) if family in ENTITY_SETS else OData(SHIPPED)
    request = one.ask(Query(collections=(collection,), count=True))
    assert request is not None
    assert ("$count", "true") in request.params
    assert "ParentProductType" not in str(request.params), "entity sets have no Attributes"


def test_numbers_of_searches_and_aggregations_are_those_of_the_items_that_there_are() -> None:
    upstream = known_and_unknown()

    def answer(seen: Seen) -> Answer:
        asked = urlsplit(seen.path)
        found = upstream(Request("GET", asked.path, tuple(parse_qsl(asked.query))))
        return Answer(200, found.body, {"Content-Type": "application/json"})

    asked: Json = {"collections": list(SENTINEL_1)}
    with serving(answer) as server:
        settings = Settings(catalogues=["cdse"], endpoints={"cdse": {"catalogue": server.url}})
        with TestClient(create_app(settings, [load_catalogue("cdse", settings)])) as client:
            found = client.post("/search", json=asked | {"count": True}).json()
            counted = client.post("/aggregate", json=asked | {"aggregations": ["total_count"]}).json()
    assert len(found["features"]) == counted["aggregations"][0]["value"] == 3
    assert "numberMatched" not in found
