"""Products of SeDAS are read tolerantly, completed from their names, and nothing is made up."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.dialects.sedas_names import stated
from stacbridge.dialects.sedas_products import Products, instant
from stacbridge.model import Json
from tests.unit.sedas_service import SEDAS

PRODUCTS = Products(SEDAS.specs.values())
GRD = "S1B_IW_GRDH_1SDV_20190528T105030_20190528T105055_016443_01EF3E_5E4F"
L1C = "S2A_MSIL1C_20190430T110621_N0207_R137_T30UXC_20190430T131154"

FIELDS = (
    *("supplierId", "start", "stop", "coordinatesWKT", "orbit", "polarisation", "thumbnail", "sza"),
    *("satelliteName", "sourceGroup", "downloadUrl", "cloudCoveragePercent", "vendorAttributes"),
)


def record(group: str | None = None, **fields: Any) -> Json:
    return PRODUCTS.record({"supplierId": GRD, **fields}, group)


@pytest.mark.parametrize(
    "value",
    [
        "2019-05-28T10:50:30Z",
        "2019-05-28T11:50:30+01:00",
        "2019-05-28T10:50:30.000",
        "20190528T105030",
        1559040630,
        1559040630000,
        "1559040630000",
        1559040630.0,
    ],
)
def test_times_are_read_in_every_form_that_is_known_of(value: object) -> None:
    assert instant(value) == "2019-05-28T10:50:30.000000Z"


@given(st.integers(-(10**9), 4 * 10**9))
def test_seconds_and_milliseconds_are_told_apart(seconds: int) -> None:
    if seconds * 1000 >= 10**11 or seconds * 1000 <= -(10**11):
        assert instant(seconds) == instant(seconds * 1000)


@pytest.mark.parametrize("value", [None, "", "soon", True, float("inf"), 10**30, [], {}])
def test_what_is_no_time_is_none(value: object) -> None:
    assert instant(value) is None


def test_eight_digits_are_a_date() -> None:
    assert instant("20190528") == "2019-05-28T00:00:00.000000Z"


def test_a_radar_name_states_what_the_product_does_not() -> None:
    told = record()["Attributes"]
    assert {name: told[name] for name in ("satelliteName", "modeName", "sarProductType", "polarisation")} == {
        "satelliteName": "Sentinel-1B",
        "modeName": "IW",
        "sarProductType": "GRD",
        "polarisation": "VV VH",
    }
    assert (told["orbit"], told["sourceGroup"]) == (16443, "S1")


def test_an_optical_name_states_tile_orbit_and_baseline() -> None:
    told = stated(L1C)
    assert (told["tileId"], told["relativeOrbit"], told["processingBaseline"]) == ("T30UXC", 137, "02.07")


def test_a_name_of_another_form_states_nothing() -> None:
    assert stated("DS_SPOT6_201406151048275_FR1_FR1_SE1_SE1_W001N51_01709") == {}


def test_what_the_product_tells_goes_before_its_name() -> None:
    assert record(polarisation="VV")["Attributes"]["polarisation"] == "VV"


def test_an_unreadable_time_is_as_good_as_none() -> None:
    assert record(start="soon")["ContentDate"]["Start"] == "2019-05-28T10:50:30.000000Z"


def test_of_a_product_with_a_start_only_the_start_is_the_end() -> None:
    span = record(supplierId="X", start="2020-01-01T00:00:00Z")["ContentDate"]
    assert span == {"Start": "2020-01-01T00:00:00.000000Z", "End": "2020-01-01T00:00:00.000000Z"}


@pytest.mark.parametrize("url", [None, ""])
def test_without_a_download_url_a_product_is_not_online(url: str | None) -> None:
    assert (record(downloadUrl=url)["Online"], record()["Online"]) == (False, False)
    assert record(downloadUrl="https://x.example/1")["Online"] is True


def test_vendor_attributes_are_read_after_the_products_own() -> None:
    told = record(vendorAttributes=orjson.dumps({"orbit": 1, "passNumber": 7}).decode(), orbit=2)
    assert (told["Attributes"]["orbit"], told["Attributes"]["passNumber"]) == (2, 7)


@pytest.mark.parametrize("vendor", ["{", "[]", 3, None])
def test_vendor_attributes_that_are_no_object_are_left_out(vendor: object) -> None:
    assert record(vendorAttributes=vendor)["Attributes"]["orbit"] == 16443


def test_coverage_of_the_searched_area_is_no_attribute() -> None:
    assert "aoiCoveragePercent" not in record(aoiCoveragePercent=99)["Attributes"]


@pytest.mark.parametrize(
    ("fields", "asked", "group"),
    [
        ({"sourceGroup": "novasar"}, "S1", "NovaSAR"),
        ({"supplierId": "X", "satelliteName": "COSMO SKYMED 2"}, None, "Cosmo-SkyMed"),
        ({"supplierId": "X"}, "AIRSAR", "AIRSAR"),
        ({"supplierId": L1C}, "S1", "S2"),
        ({"supplierId": "X"}, None, None),
        ({"sourceGroup": "Landsat"}, "S1", "Landsat"),
    ],
)
def test_a_product_belongs_to_the_group_it_tells_else_that_of_its_satellite_else_the_one_asked_for(
    fields: Json, asked: str | None, group: str | None
) -> None:
    assert record(asked, **fields)["Attributes"]["sourceGroup"] == group


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(FIELDS),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
    )
)
def test_no_product_whatever_it_holds_breaks_a_page(fields: Json) -> None:
    items, skipped = SEDAS.items([PRODUCTS.record(fields, "S1")], "https://bridge.example")
    assert len(items) + len(skipped) == 1
