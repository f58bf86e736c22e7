import copy
from typing import Any

import orjson
import pytest

from stacbridge.errors import NotFound
from stacbridge.mapping.products import NotAnItem, Place
from stacbridge.model import Json, Skipped
from tests.unit.toy import NAME, ROOT, grd, l1c, toy

MAPPING = toy()
ID = NAME.removesuffix(".SAFE")
PRODUCT = "https://download.example/odata/v1/Products(4747490c-a78f-4d0e-8080-5f74297409a3)"
FILE = "s1a-iw-grd-vv-20240607t000653-20240607t000718-054210-0697da-001.tiff"


def item(record: Json) -> Json:
    return MAPPING.item(record, ROOT)


def properties(record: Json) -> Json:
    found: Json = item(record)["properties"]
    return found


def test_an_item_says_what_the_record_says() -> None:
    found = item(grd())
    assert {name: found[name] for name in ("type", "stac_version", "id", "collection", "bbox")} == {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": ID,
        "collection": "grd",
        "bbox": [10.0, 50.0, 11.0, 51.0],
    }
    schemes = found["properties"].pop("auth:schemes")
    assert schemes["oidc"]["type"] == "openIdConnect"
    assert found["properties"] == {
        "constellation": "sentinel-1",
        "sar:frequency_band": "C",
        "sar:center_frequency": 5.405,
        "datetime": "2024-06-07T00:06:53.074000Z",
        "start_datetime": "2024-06-07T00:06:53.074000Z",
        "end_datetime": "2024-06-07T00:07:18.073000Z",
        "published": "2024-06-07T04:41:45.809636Z",
        "order:status": "succeeded",
        "product:type": "IW_GRDH_1S",
        "processing:datetime": "2024-06-07T03:00:00.000000Z",
        "processing:level": "L1",
        "sat:absolute_orbit": 54210,
        "platform": "sentinel-1a",
        "instruments": ["sar"],
        "sat:orbit_state": "ascending",
        "sar:polarizations": ["VV", "VH"],
        "sar:instrument_mode": "IW",
        "sat:anx_datetime": "2024-06-06T22:43:36.110000Z",
    }


def test_an_item_declares_the_extensions_that_it_uses_and_no_others() -> None:
    def prefixes(record: Json) -> set[str]:
        return {uri.split("/")[3] for uri in item(record)["stac_extensions"]}

    assert prefixes(grd()) == {
        "alternate-assets",
        "authentication",
        "file",
        "order",
        "processing",
        "product",
        "sar",
        "sat",
        "timestamps",
    }
    assert "timestamps" not in prefixes(grd(PublicationDate=None))
    assert "eo" not in prefixes(l1c(attributes={"cloudCover": None}))
    assert {"eo", "grid"} <= prefixes(l1c())


def test_links_lead_through_the_api_and_to_the_archive() -> None:
    home = f"{ROOT}/collections/grd"
    assert {link["rel"]: link["href"] for link in item(grd())["links"]} == {
        "self": f"{home}/items/{ID}",
        "root": f"{ROOT}/",
        "parent": home,
        "collection": home,
        "version-history": f"https://trace.example/name/{NAME}.zip",
        "enclosure": f"s3://eodata/Sentinel-1/SAR/IW_GRDH_1S/2024/06/07/{NAME}/",
    }
    assert "enclosure" not in {link["rel"] for link in item(grd(S3Path=None))["links"]}


def test_an_asset_is_downloaded_through_the_bridge_and_names_its_origin() -> None:
    assert item(grd())["assets"]["vv"] == {
        "href": f"{ROOT}/assets/toy/grd/{ID}/vv/{FILE}",
        "type": "image/tiff; application=geotiff",
        "roles": ["data"],
        "gsd": 10,
        "file:local_path": f"{NAME}/measurement/{FILE}",
        "alternate": {
            "origin": {
                "href": f"{PRODUCT}/Nodes({NAME})/Nodes(measurement)/Nodes({FILE})/$value",
                "alternate:name": "Origin",
                "auth:refs": ["oidc"],
            },
            "s3": {
                "href": f"s3://eodata/Sentinel-1/SAR/IW_GRDH_1S/2024/06/07/{NAME}/measurement/{FILE}",
                "alternate:name": "S3",
            },
        },
    }


def test_a_place_that_is_not_known_exactly_is_not_stated() -> None:
    assert item(grd())["assets"]["vh"] == {
        "href": f"{ROOT}/assets/toy/grd/{ID}/vh/vh.tiff",
        "type": "image/tiff; application=geotiff",
        "roles": ["data"],
    }


def test_size_and_checksum_are_stated_for_exactly_these_bytes_only() -> None:
    assets = item(grd())["assets"]
    assert "file:size" not in assets["product"]
    assert (assets["compressed"]["file:size"], assets["compressed"]["file:checksum"]) == (
        949326634,
        "d501107499a2adb117acd67e93c44ce3683046",
    )
    assert item(l1c())["assets"]["Product"]["file:size"] == 1736766040


@pytest.mark.parametrize("size", [0, -1, None, "many"])
@pytest.mark.parametrize("checksum", [[], [{}], None, [{"Algorithm": "MD5"}]])
def test_an_unknown_size_or_checksum_is_absent(size: Any, checksum: Any) -> None:
    product = item(l1c(ContentLength=size, Checksum=checksum))["assets"]["Product"]
    assert not {"file:size", "file:checksum"} & product.keys()


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"Locations": []}, {"compressed"}),
        ({"Locations": None}, {"compressed"}),
        ({"Locations": [None, {"FormatType": "Extracted"}]}, {"compressed"}),
        ({"Assets": []}, {"thumbnail"}),
        ({"Assets": [{"Type": "QUICKLOOK"}]}, {"thumbnail"}),
        ({"attributes": {"polarisationChannels": "VV"}}, {"vh"}),
        ({"attributes": {"polarisationChannels": None}}, {"vv", "vh"}),
        ({"Name": "unlike any convention.SAFE"}, {"vv", "vh"}),
    ],
)
def test_an_item_has_the_assets_that_its_record_has(changes: Json, missing: set[str]) -> None:
    every = {"product", "compressed", "thumbnail", "safe_manifest", "vv", "vh"}
    assert item(grd(**changes))["assets"].keys() == every - missing


def test_the_thumbnail_is_public() -> None:
    origin = item(grd())["assets"]["thumbnail"]["alternate"]["origin"]
    assert origin == {
        "href": "https://catalogue.example/odata/v1/Assets(7)/$value",
        "alternate:name": "Origin",
    }


def test_names_are_escaped_wherever_they_stand() -> None:
    name = 'odd "näme"/100% {id}.SAFE'
    found = item(grd(Name=name, S3Path=f"/eodata/{name}"))
    quoted = "odd%20%22n%C3%A4me%22%2F100%25%20%7Bid%7D"
    assert found["id"] == name.removesuffix(".SAFE")
    assert found["links"][0]["href"] == f"{ROOT}/collections/grd/items/{quoted}"
    manifest = found["assets"]["safe_manifest"]
    assert manifest["href"] == f"{ROOT}/assets/toy/grd/{quoted}/safe_manifest/manifest.safe"
    assert manifest["file:local_path"] == f"{name}/manifest.safe"
    assert f"/Nodes({quoted}.SAFE)/" in manifest["alternate"]["origin"]["href"]


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"processingLevel": "LEVEL9"}, "processing:level"),
        ({"platformSerialIdentifier": None}, "platform"),
        ({"orbitNumber": "2.3"}, "sat:absolute_orbit"),
        ({"orbitDirection": ""}, "sat:orbit_state"),
        ({"orbitDirection": ["ASCENDING"]}, "sat:orbit_state"),
        ({"platformSerialIdentifier": {}}, "platform"),
        ({"processingDate": "soon"}, "processing:datetime"),
        ({"polarisationChannels": "circular"}, "sar:polarizations"),
        ({"startTimeFromAscendingNode": "?"}, "sat:anx_datetime"),
    ],
)
def test_a_malformed_or_missing_value_is_absent(attributes: Json, name: str) -> None:
    assert name in properties(grd())
    assert name not in properties(grd(attributes=attributes))


def test_old_date_formats_are_read() -> None:
    found = properties(
        grd(
            PublicationDate="2020-01-01T00:00:00.123Z",
            attributes={"processingDate": "2020-01-01T01:00:00+00:00"},
        )
    )
    assert found["published"] == "2020-01-01T00:00:00.123000Z"
    assert found["processing:datetime"] == "2020-01-01T01:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("9999-12-31T23:59:59.999999Z", None), ("", None), ("2030-01-01", "2030-01-01T00:00:00.000000Z")],
)
def test_never_is_no_date(text: str, shown: str | None) -> None:
    assert properties(grd(EvictionDate=text)).get("expires") == shown


def test_an_offline_product_says_so() -> None:
    assert properties(grd(Online=False))["order:status"] == "canceled"


def test_an_item_without_footprint_has_no_box() -> None:
    found = item(grd(GeoFootprint=None))
    assert found["geometry"] is None
    assert "bbox" not in found


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (grd(Name=None), "no Id or no Name"),
        (grd(Id=""), "no Id or no Name"),
        (grd(ContentDate=None), "no time"),
        (grd(ContentDate={"Start": "some day"}), "no time"),
        (grd(attributes={"productType": "NEW"}), "no collection"),
        (grd(attributes={"platformShortName": "SENTINEL-9"}), "no collection"),
        (grd(attributes={"productType": ["IW_GRDH_1S"]}), "no collection"),
        (grd(attributes={"platformShortName": {}}), "no collection"),
    ],
)
def test_a_record_that_cannot_be_an_item_is_reported_and_the_others_go_on(record: Json, reason: str) -> None:
    with pytest.raises(NotAnItem, match=reason):
        item(record)
    items, skipped = MAPPING.items([grd(), record, l1c()], ROOT)
    assert [found["collection"] for found in items] == ["grd", "l1c"]
    (told,) = skipped
    assert isinstance(told, Skipped) and reason in told.reason


def test_a_page_made_ready_is_the_same_page() -> None:
    records = [grd(), l1c(), grd(attributes={"polarisationChannels": "VV"})]
    plain, _ = MAPPING.items(records, ROOT)
    ready, _ = MAPPING.items(records, ROOT, ready=True)
    assert orjson.loads(orjson.dumps(ready)) == plain


def test_translating_leaves_the_record_as_it_was() -> None:
    record = grd()
    before = copy.deepcopy(record)
    item(record)
    assert record == before


def test_where_an_asset_is() -> None:
    assert MAPPING.place(grd(), "vh") == Place(
        kind="node",
        product=grd()["Id"],
        product_name=NAME,
        name="vh.tiff",
        media_type="image/tiff; application=geotiff",
        path=("measurement", "s1a-iw-grd-vh-20240607t000653-20240607t000718-*.tiff"),
    )
    assert MAPPING.place(grd(), "compressed").size == 949326634
    assert MAPPING.place(grd(), "product").size is None
    assert MAPPING.place(grd(), "thumbnail").url == "https://catalogue.example/odata/v1/Assets(7)/$value"
    for record, key in (
        (grd(), "nothing"),
        (grd(Locations=[]), "compressed"),
        (grd(Assets=[]), "thumbnail"),
        (grd(Name="x"), "vv"),
    ):
        with pytest.raises(NotFound, match=key):
            MAPPING.place(record, key)
