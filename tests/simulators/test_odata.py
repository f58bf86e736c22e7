import json
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from stacbridge.simulators import CdseSimulator
from stacbridge.simulators.answers import Options

from .conftest import attribute, find, products


def get(simulator: CdseSimulator, path: str, **params: Any) -> requests.Response:
    return requests.get(simulator.catalogue_url + path, params=params, timeout=30, allow_redirects=False)


def test_a_skip_beyond_ten_thousand_is_refused_in_the_services_words(simulator: CdseSimulator) -> None:
    answer = get(simulator, "/Products", **{"$skip": 10001})
    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [
            {
                "type": "less_than_equal",
                "loc": ["query", "$skip"],
                "msg": "Input should be less than or equal to 10000",
                "input": "10001",
                "ctx": {"le": 10000},
            }
        ]
    }


def test_the_first_page_has_twenty_products_and_links_to_the_next(simulator: CdseSimulator) -> None:
    page = products(simulator)
    assert len(page["value"]) == 20
    assert page["@odata.context"] == "$metadata#Products"
    assert page["@odata.nextLink"] == f"{simulator.catalogue_url}/Products?%24skip=20"


def test_following_next_links_gives_every_product_once_and_ends(simulator: CdseSimulator) -> None:
    page = products(simulator, filter="Collection/Name eq 'SENTINEL-2'", top=300, count="true")
    ids = [product["Id"] for product in page["value"]]
    while "@odata.nextLink" in page:
        page = requests.get(page["@odata.nextLink"], timeout=30).json()
        ids += [product["Id"] for product in page["value"]]
    assert page["@odata.count"] == len(ids) == len(set(ids))


def test_next_link_vanishes_where_the_skip_would_pass_ten_thousand() -> None:
    with CdseSimulator(12_000) as simulator:
        assert "@odata.nextLink" in products(simulator, top=1000, skip=9000)
        last = products(simulator, top=1000, skip=9001, count="true")
    assert "@odata.nextLink" not in last
    assert last["@odata.count"] == 12_000


def test_next_link_replaces_skip_in_its_place_and_keeps_the_order_of_options() -> None:
    link = Options("$skip=5&$top=5&$filter=Name%20eq%20'a b'&$count=true").next_link("http://x/Products")
    assert link == "http://x/Products?%24skip=10&%24top=5&%24filter=Name+eq+%27a+b%27&%24count=true"


@pytest.mark.skipif("STACBRIDGE_RECORDINGS" not in os.environ, reason="STACBRIDGE_RECORDINGS is not set")
@pytest.mark.parametrize(
    ("recording", "query"),
    [
        (
            "cdse-pages/odata_page_1.json",
            "$filter=Collection/Name%20eq%20%27SENTINEL-1%27%20and%20ContentDate/Start%20gt%20"
            "2014-04-05T00%3A00%3A00.000Z%20and%20ContentDate/Start%20lt%202014-04-14T00%3A00%3A00.000Z"
            "&$top=10&$count=true&$expand=Attributes&$orderby=ContentDate/Start%20asc",
        ),
        (
            "cdse-pages/odata_page_2.json",
            "$filter=Collection/Name%20eq%20%27SENTINEL-1%27%20and%20ContentDate/Start%20gt%20"
            "2014-04-05T00:00:00.000Z%20and%20ContentDate/Start%20lt%202014-04-14T00:00:00.000Z"
            "&$top=10&$skip=10&$expand=Attributes&$orderby=ContentDate/Start%20asc",
        ),
    ],
)
def test_next_links_are_those_that_the_service_gave(recording: str, query: str) -> None:
    page = json.loads((Path(os.environ["STACBRIDGE_RECORDINGS"]) / "odata" / recording).read_bytes())
    url = "https://catalogue.dataspace.copernicus.eu/odata/v1/Products"
    link = (
        Options(query)
        .next_link(url)
        .replace("%24count=true&", "" if "page_2" in recording else "%24count=true&")
    )
    assert link == page["@odata.nextLink"]


@pytest.mark.skipif("STACBRIDGE_RECORDINGS" not in os.environ, reason="STACBRIDGE_RECORDINGS is not set")
def test_records_have_the_fields_and_types_of_recorded_ones(simulator: CdseSimulator) -> None:
    path = Path(os.environ["STACBRIDGE_RECORDINGS"]) / "odata/cdse-sentinel-1-grd-all-expands.json"
    real = json.loads(path.read_bytes())["value"][0]
    condition = f"Collection/Name eq 'SENTINEL-1' and {attribute('productType', 'eq', 'IW_GRDH_1S')}"
    young = f"{condition} and PublicationDate gt 2026-06-10T00:00:00Z"
    ours = find(simulator, young, expand=["Assets", "Attributes", "Locations"])
    assert list(ours) == list(real)
    types = {entry["Name"]: entry["ValueType"] for entry in real["Attributes"]}
    assert {entry["Name"]: entry["ValueType"] for entry in ours["Attributes"]} == types
    assert [set(place) for place in ours["Locations"]] == [set(place) for place in real["Locations"]]
    assert set(ours["Assets"][0]) == set(real["Assets"][0])


def test_expansions_appear_in_the_record_and_in_the_context(simulator: CdseSimulator) -> None:
    plain = products(simulator, top=1)["value"][0]
    page = products(simulator, top=1, expand=["Assets", "Attributes"])
    assert page["@odata.context"] == "$metadata#Products(Assets(),Attributes())"
    assert set(page["value"][0]) - set(plain) == {"Assets", "Attributes"}


def test_select_keeps_what_is_named_and_the_identifier(simulator: CdseSimulator) -> None:
    (product,) = products(simulator, top=1, select="Name,Geofootprint")["value"]
    assert set(product) == {"@odata.mediaContentType", "Id", "Name", "GeoFootprint"}
    assert get(simulator, "/Products", **{"$select": "OrbitNumber"}).status_code == 400


def test_a_product_is_found_by_its_identifier_and_by_its_name(simulator: CdseSimulator) -> None:
    known = products(simulator, top=3)["value"][2]
    by_id = get(simulator, f"/Products({known['Id']})", **{"$expand": "Attributes"}).json()
    assert by_id["@odata.context"] == "$metadata#Products(Attributes())/$entity"
    assert by_id["Name"] == known["Name"]
    assert products(simulator, filter=f"Name eq '{known['Name']}'")["value"] == [known]


def test_unknown_identifiers_are_not_found(simulator: CdseSimulator) -> None:
    assert get(simulator, "/Products(00000000-0000-4000-8000-000000000000)").status_code == 404
    assert get(simulator, "/Products(nonsense)").status_code == 404


def test_filter_list_gives_the_known_names_and_is_silent_on_others(simulator: CdseSimulator) -> None:
    names = [product["Name"] for product in products(simulator, top=3)["value"]]
    body = {"FilterProducts": [{"Name": name} for name in [*names, "unknown.SAFE"]]}
    answer = requests.post(f"{simulator.catalogue_url}/Products/OData.CSC.FilterList", json=body, timeout=10)
    assert [product["Name"] for product in answer.json()["value"]] == names


def test_attributes_of_a_collection_are_a_plain_list(simulator: CdseSimulator) -> None:
    listed = get(simulator, "/Attributes(SENTINEL-1)").json()
    assert {"Name": "orbitNumber", "ValueType": "Integer"} in listed
    assert len(listed) == 32
    assert get(simulator, "/Attributes(Sentinel1)").status_code == 404


@pytest.mark.parametrize(
    "condition",
    [
        "Collection/Name eq 'Sentinel2'",
        "ContentDate/Start gt datetime'2020-01-01T00:00:00Z'",
        "OrbitNumber eq 5",
        "ContentDate/Start gt 'yesterday'",
        "Name eq 'a",
        "OData.CSC.Intersects(area=geography'SRID=4326;POLYGON((0 0,1 1,0 1))')",
        "OData.CSC.Intersects(area=geography'SRID=3857;POINT(0 0)')",
        attribute("productType", "gt", "A"),
        "not " * 5000 + "Online eq true",
    ],
)
def test_a_filter_that_cannot_be_answered_is_a_bad_request(simulator: CdseSimulator, condition: str) -> None:
    answer = get(simulator, "/Products", **{"$filter": condition})
    assert answer.status_code == 400
    assert "Invalid" in answer.json()["detail"]["message"]


def test_ordered_pages_break_ties_by_identifier(simulator: CdseSimulator) -> None:
    for direction, sign in (("asc", 1), ("desc", -1)):
        page = products(
            simulator,
            filter="Collection/Name eq 'SENTINEL-2'",
            orderby=f"ContentDate/Start {direction}",
            top=1000,
        )
        starts = [product["ContentDate"]["Start"].ljust(27, "0")[:23] for product in page["value"]]
        assert starts == sorted(starts)[::sign]
        keys = [(start, product["Id"]) for start, product in zip(starts, page["value"], strict=True)]
        for (start, id_), (after, next_id) in pairwise(keys):
            assert start != after or id_ < next_id
        assert len(set(starts)) < len(starts)


def test_without_order_the_same_page_comes_again(simulator: CdseSimulator) -> None:
    assert products(simulator, top=5, skip=7) == products(simulator, top=5, skip=7)


def test_a_download_is_redirected_to_the_other_host(simulator: CdseSimulator) -> None:
    product = products(simulator, top=1)["value"][0]
    answer = get(simulator, f"/Products({product['Id']})/$value")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{simulator.download_url}/Products({product['Id']})/$value"
    assert urlsplit(simulator.download_url).port != urlsplit(simulator.catalogue_url).port


def test_a_quicklook_is_public(simulator: CdseSimulator) -> None:
    product = find(simulator, "Collection/Name eq 'SENTINEL-2'", expand="Assets")
    answer = requests.get(product["Assets"][0]["DownloadLink"], timeout=10)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")


def test_the_log_holds_requests_and_no_credential(simulator: CdseSimulator) -> None:
    requests.get(
        f"{simulator.download_url}/Products(x)/$value?token=secret-one",
        headers={"Authorization": "Bearer secret-two"},
        timeout=10,
    )
    entry = simulator.log[-1]
    assert (entry.method, entry.role, entry.has_authorization) == ("GET", "download", True)
    assert "secret" not in repr(simulator.log)


def test_a_hundred_thousand_products_are_served_within_two_seconds() -> None:
    began = time.perf_counter()
    with CdseSimulator(100_000) as simulator:
        products(simulator, top=1)
        elapsed = time.perf_counter() - began
    assert elapsed < 2.0


def test_options_of_a_link_are_those_of_the_request(simulator: CdseSimulator) -> None:
    condition = "contains(Name,'S1A') and ContentDate/Start ge 2019-01-01"
    page = products(simulator, filter=condition, top=1, expand=["Attributes", "Assets"], count="1")
    pairs = parse_qsl(urlsplit(page["@odata.nextLink"]).query)
    asked = [
        ("$filter", condition),
        ("$top", "1"),
        ("$expand", "Attributes"),
        ("$expand", "Assets"),
        ("$count", "1"),
    ]
    assert pairs == [*asked, ("$skip", "1")]
