"""The files of simulated products have the names that files of real ones have."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from stacbridge.simulators.trees import Product, members

RECORDINGS = Path(os.environ["STACBRIDGE_RECORDINGS"]) if "STACBRIDGE_RECORDINGS" in os.environ else None
# How products of the recorded items of CDSE's STAC catalogue are laid out, by the start of their names.
RECORDED = {
    "S1A_EW_SLC": "s1",
    "S1A_IW_SLC": "s1",
    "S1A_IW_GRDH": "s1",
    "S1C_IW_GRDH": "s1",
    "S2A_MSIL1C": "s2",
    "S2A_MSIL2A": "s2",
    "S3A_SL_2_FRP": "s3",
    "S3A_SR_2_LAN_HY": "s3",
    "S3B_OL_1_EFR": "s3",
    "S6A_P4_2__LR": "s6",
    "Sentinel-1_IW_mosaic": "mosaic",
    "Sentinel-2_mosaic": "mosaic",
}
S3_TIMES = "S3A_{ptype}_20190704T121532_20190704T121832_20190704T140934_0180_046_294_0000_PS2_O_NR_003.SEN3"
S6_TIMES = "S6A_{ptype}_20250220T090208_20250220T095821_20250312T230313_3373_157_228_114_EUM__OPE_NT_F09.SEN6"


def paths(product: Product) -> set[str]:
    return {member.path for member in members(product)}


def recorded(start: str) -> tuple[str, dict[str, Any], set[str]]:
    """Return a recorded item's product name and properties, and the paths of the files inside the product."""
    assert RECORDINGS is not None
    (file,) = (RECORDINGS / "stac-targets" / "items").glob(f"{start}*.json")
    item = json.loads(file.read_text(encoding="utf-8"))
    local = [asset["file:local_path"] for asset in item["assets"].values()]
    inside = [path.split("/", 1) for path in local if "/" in path]
    return inside[0][0], item["properties"], {path for _, path in inside}


def without_times_of_swaths(path: str) -> str:
    return re.sub(r"(-slc-..)-\d{8}t\d{6}-\d{8}t\d{6}-", r"\1-", path)


def part(pattern: str, files: set[str]) -> str:
    """Return what a pattern finds first in the recorded paths."""
    return next((found[1] for found in (re.search(pattern, file) for file in sorted(files)) if found), "")


@pytest.mark.skipif(RECORDINGS is None, reason="STACBRIDGE_RECORDINGS is not set")
@pytest.mark.parametrize("start", RECORDED)
def test_a_product_holds_the_files_that_recorded_items_name(start: str) -> None:
    name, properties, files = recorded(start)
    product = Product(
        name,
        RECORDED[start],
        properties["product:type"].removesuffix("_C"),  # which one of the recorded items adds
        tuple(properties.get("sar:polarizations", ())),
        granule=part(r"^GRANULE/([^/]+)/", files),
        datastrip=part(r"^DATASTRIP/([^/]+)/", files),
        shot=part(r"/IMG_DATA/(?:R10m/)?(T\w{5}_\w{15})_", files),
    )
    made = {without_times_of_swaths(path) for path in paths(product)}
    assert {without_times_of_swaths(path) for path in files} - made == set()


def test_raw_data_names_its_source_packets() -> None:
    name = "S1A_IW_RAW__0SDV_20240607T000653_20240607T000725_054210_0697DA_6EE4.SAFE"
    assert paths(Product(name, "s1", "IW_RAW__0S", ("VV", "VH"))) == {
        "manifest.safe",
        "s1a-iw-raw-s-vv-20240607t000653-20240607t000725-054210-0697da.dat",
        "s1a-iw-raw-s-vh-20240607t000653-20240607t000725-054210-0697da.dat",
    }


def test_a_sea_surface_temperature_is_named_as_the_ghrsst_group_asks() -> None:
    made = paths(Product(S3_TIMES.format(ptype="SL_2_WST___"), "s3", "SL_2_WST___"))
    assert "20190704121532-MAR-L2P_GHRSST-SSTskin-SLSTRA-20190704140934-v02.0-fv01.0.nc" in made


def test_radiances_come_with_every_view_and_stripe() -> None:
    made = paths(Product(S3_TIMES.format(ptype="SL_1_RBT___"), "s3", "SL_1_RBT___"))
    assert {"S1_radiance_ao.nc", "S4_quality_bn.nc", "S9_BT_io.nc", "F1_BT_fo.nc", "flags_bo.nc"} <= made
    assert "S1_radiance_bn.nc" not in made


@pytest.mark.parametrize(
    ("ptype", "files"),
    [
        ("P4_1B_LR_____", ["S6A_P4_1B_LR______NT_157_228_20250220T090208_20250220T095821_F09.nc"]),
        ("MW_2__AMR____", ["S6A_MW_2__AMR_____NT_157_228_20250220T090208_20250220T095821_F09.nc"]),
        (
            "P4_2__HR_____",
            [
                "S6A_P4_2__HR_RED__NT_157_228_20250220T090208_20250220T095821_F09.nc",
                "S6A_P4_2__HR_STD__NT_157_228_20250220T090208_20250220T095821_F09.nc",
            ],
        ),
    ],
)
def test_only_level_2_of_the_altimeter_has_two_measurements(ptype: str, files: list[str]) -> None:
    made = paths(Product(S6_TIMES.format(ptype=ptype), "s6", ptype))
    assert sorted(path for path in made if path.endswith(".nc")) == files


def test_a_delivered_elevation_tile_is_named_after_its_corner() -> None:
    name = "DEM1_SAR_DTE_30_20101212T174409_20121121T173606_ADS_000000_Cv7e.DEM"
    tile = Product(name, "dem-product", "SAR_DTE_30_28C6", bounds=(-7.0, -3.0, -6.0, -2.0))
    folder = "Copernicus_DSM_10_S03_00_W007_00"
    assert f"{folder}/DEM/{folder}_DEM.dt2" in paths(tile)
