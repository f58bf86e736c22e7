from collections import Counter
from datetime import datetime
from typing import Any

import pytest
import requests

from stacbridge.simulators import CdseSimulator
from stacbridge.simulators.burst_cycle import burst_number

from .conftest import products


def bursts(simulator: CdseSimulator, **options: Any) -> Any:
    named = {f"${name}": value for name, value in options.items()}
    return requests.get(f"{simulator.catalogue_url}/Bursts", params=named, timeout=30).json()


def test_the_formula_numbers_the_burst_of_the_documentation() -> None:
    start = 2120.883319884 + 1.137605
    assert burst_number(start, 8, "IW1") == 15805
    assert burst_number(start, 55030, "IW1") == 118199091


def test_bursts_are_numbered_by_the_formula(simulator: CdseSimulator) -> None:
    page = bursts(simulator, top=200)["value"]
    assert len(page) == 200
    for burst in page:
        lead = datetime.fromisoformat(burst["BeginningDateTime"]) - datetime.fromisoformat(
            burst["AzimuthTime"]
        )
        start = burst["AzimuthAnxTime"] + lead.total_seconds()
        swath = burst["SwathIdentifier"]
        assert burst_number(start, burst["RelativeOrbitNumber"], swath) == burst["BurstId"]


def test_a_parent_has_nine_bursts_a_swath_and_polarisation_within_its_time(simulator: CdseSimulator) -> None:
    name = bursts(simulator, top=1)["value"][0]["ParentProductName"]
    page = bursts(simulator, filter=f"ParentProductName eq '{name}'", top=100)["value"]
    assert set(Counter((b["SwathIdentifier"], b["PolarisationChannels"]) for b in page).values()) == {9}
    (parent,) = products(simulator, filter=f"Name eq '{name}'")["value"]
    assert {b["ParentProductId"] for b in page} == {parent["Id"]}
    begin, end = (datetime.fromisoformat(parent["ContentDate"][key]) for key in ("Start", "End"))
    assert all(begin <= datetime.fromisoformat(b["ContentDate"]["Start"]) <= end for b in page)


def test_bursts_of_one_place_in_the_orbit_share_their_number_over_swaths(simulator: CdseSimulator) -> None:
    burst = bursts(simulator, top=1)["value"][0]
    same = bursts(simulator, filter=f"BurstId eq {burst['BurstId']}", top=100)["value"]
    keys = [
        (b["SwathIdentifier"], b["PolarisationChannels"], b["AbsoluteBurstId"], b["ParentProductId"])
        for b in same
    ]
    assert len(keys) == len(set(keys)) > 1


def test_bursts_filter_by_plain_properties_and_place(simulator: CdseSimulator) -> None:
    burst = bursts(simulator, top=1)["value"][0]
    lon, lat = burst["GeoFootprint"]["coordinates"][0][1]
    here = f"OData.CSC.Intersects(area=geography'SRID=4326;POINT({lon} {lat})')"
    page = bursts(simulator, filter=f"SwathIdentifier eq '{burst['SwathIdentifier']}' and {here}", top=100)
    assert burst["Id"] in {b["Id"] for b in page["value"]}


def test_bursts_are_ordered_and_counted(simulator: CdseSimulator) -> None:
    page = bursts(simulator, orderby="ContentDate/Start desc", top=50, count="true")
    starts = [b["ContentDate"]["Start"] for b in page["value"]]
    assert starts == sorted(starts, reverse=True)
    assert page["@odata.count"] > 50


def test_bursts_take_no_expansion_and_no_attributes(simulator: CdseSimulator) -> None:
    assert "detail" in bursts(simulator, expand="Attributes")
    assert "detail" in bursts(simulator, filter="Online eq true")


def test_one_burst_is_an_entity(simulator: CdseSimulator) -> None:
    burst = bursts(simulator, top=1)["value"][0]
    answer = requests.get(f"{simulator.catalogue_url}/Bursts({burst['Id']})", timeout=10)
    assert answer.json() == {"@odata.context": "$metadata#Bursts/$entity"} | burst


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_burst_is_not_found(simulator: CdseSimulator, method: str) -> None:
    path = "" if method == "get" else "/$value"
    url = f"{simulator.catalogue_url}/Bursts(00000000-0000-4000-8000-000000000000){path}"
    assert requests.request(method, url, timeout=10).status_code == 404
