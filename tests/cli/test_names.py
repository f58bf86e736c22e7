from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.commands.assets import transfers
from stacbridge.commands.names import file_name, safe_name
from stacbridge.errors import StacbridgeError
from stacbridge.model import Json

ROOT = "http://127.0.0.1/assets/cdse/c/i"


def asset(name: str, *roles: str) -> Json:
    return {"href": f"{ROOT}/{name}", "roles": list(roles)}


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("http://h/assets/S1A_X.zip", "S1A_X.zip"),
        ("http://h/a/B02%20(1).jp2?signature=x/y#z", "B02 (1).jp2"),
        ("http://h/a/con%3Atrol%07.nc", "con_trol_.nc"),
    ],
)
def test_a_file_is_named_after_the_last_segment_of_its_href(href: str, name: str) -> None:
    assert file_name(href) == name


@pytest.mark.parametrize(
    "segment", ["..", ".", "", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "..%5C..%5Cx", "%2E%2E", "%20"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(segment: str) -> None:
    with pytest.raises(StacbridgeError, match="not a usable file name"):
        file_name(f"http://h/assets/{segment}")


@given(st.text())
def test_a_name_never_leads_out_of_its_folder(text: str) -> None:
    folder = Path("/data")
    try:
        name = safe_name(text)
    except StacbridgeError:
        return
    assert (folder / name).parent == folder
    assert (folder / name).name == name != ".."


def test_the_whole_product_is_fetched_into_the_folder_itself() -> None:
    item = {
        "id": "i",
        "assets": {"vv": asset("vv.tiff", "data"), "Product": asset("i.zip", "archive", "data")},
    }
    (chosen,) = transfers(item, (), Path("/data"))
    assert chosen.path == Path("/data/i.zip")


def test_a_product_of_one_data_file_is_fetched_into_the_folder_itself() -> None:
    item = {"id": "i", "assets": {"netcdf": asset("i.nc", "data"), "thumbnail": asset("q.png", "thumbnail")}}
    assert [transfer.path for transfer in transfers(item, (), Path("/data"))] == [Path("/data/i.nc")]


def test_several_data_files_are_fetched_into_a_folder_of_the_item() -> None:
    item = {"id": "i", "assets": {"vv": asset("vv.tiff", "data"), "vh": asset("vh.tiff", "data")}}
    paths = [transfer.path for transfer in transfers(item, (), Path("/data"))]
    assert paths == [Path("/data/i/vv.tiff"), Path("/data/i/vh.tiff")]


def test_a_named_asset_is_fetched_into_a_folder_of_the_item() -> None:
    item = {"id": "i", "assets": {"Product": asset("i.zip", "archive")}}
    assert transfers(item, ("Product",), Path("/data"))[0].path == Path("/data/i/i.zip")


def test_size_and_checksum_come_from_the_file_extension() -> None:
    vv = {**asset("vv.tiff", "data"), "file:size": 7, "file:checksum": "d50110" + "0" * 32}
    (chosen,) = transfers({"id": "i", "assets": {"vv": vv}}, ("vv",), Path())
    assert (chosen.size, chosen.checksum) == (7, "d50110" + "0" * 32)


def test_a_missing_asset_is_answered_with_those_that_are_there() -> None:
    item = {"id": "i", "assets": {"vv": asset("vv.tiff"), "vh": asset("vh.tiff")}}
    with pytest.raises(StacbridgeError, match=r"no asset 'B02'.* vv, vh"):
        transfers(item, ("B02",), Path())


def test_an_item_without_data_asks_to_name_an_asset() -> None:
    with pytest.raises(StacbridgeError, match="Name one with --asset: thumbnail"):
        transfers({"id": "i", "assets": {"thumbnail": asset("q.png", "thumbnail")}}, (), Path())


def test_an_asset_that_is_not_on_http_is_refused() -> None:
    with pytest.raises(StacbridgeError, match="not on HTTP"):
        transfers({"id": "i", "assets": {"b": {"href": "s3://eodata/x", "roles": ["data"]}}}, (), Path())


def test_an_item_id_cannot_lead_out_of_the_folder() -> None:
    with pytest.raises(StacbridgeError, match="not a usable file name"):
        transfers({"id": "../../x", "assets": {"vv": asset("vv.tiff", "data")}}, ("vv",), Path("/data"))
