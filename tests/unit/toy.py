"""The toy catalogue of `catalogues/toy.toml`, and products as its upstream would answer them."""

import copy
from pathlib import Path
from typing import Any

from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Json
from stacbridge.settings import Settings

FOLDER = Path(__file__).parent / "catalogues"
SETTINGS = Settings(catalogue_folder=FOLDER)
ROOT = "https://bridge.example"
SQUARE = [[10.0, 50.0], [11.0, 50.0], [11.0, 51.0], [10.0, 51.0], [10.0, 50.0]]
NAME = "S1A_IW_GRDH_1SDV_20240607T000653_20240607T000718_054210_0697DA_6EE4.SAFE"

_GRD: Json = {
    "Id": "4747490c-a78f-4d0e-8080-5f74297409a3",
    "Name": NAME,
    "ContentLength": 1736766040,
    "PublicationDate": "2024-06-07T04:41:45.809636Z",
    "Online": True,
    "EvictionDate": "9999-12-31T23:59:59.999999Z",
    "S3Path": f"/eodata/Sentinel-1/SAR/IW_GRDH_1S/2024/06/07/{NAME}",
    "Checksum": [{"Value": "016a174ed963dff9398f9081fd68ab19", "Algorithm": "MD5"}],
    "ContentDate": {"Start": "2024-06-07T00:06:53.074000Z", "End": "2024-06-07T00:07:18.073000Z"},
    "GeoFootprint": {"type": "Polygon", "coordinates": [SQUARE]},
    "Assets": [{"Type": "QUICKLOOK", "DownloadLink": "https://catalogue.example/odata/v1/Assets(7)/$value"}],
    "Locations": [
        {
            "FormatType": "Compressed",
            "ContentLength": 949326634,
            "Checksum": [{"Value": "7499a2adb117acd67e93c44ce3683046", "Algorithm": "MD5"}],
        }
    ],
    "Attributes": {
        "productType": "IW_GRDH_1S",
        "platformShortName": "SENTINEL-1",
        "platformSerialIdentifier": "A",
        "instrumentShortName": "SAR",
        "processingLevel": "LEVEL1",
        "processingDate": "2024-06-07T03:00:00.000000Z",
        "orbitNumber": 54210,
        "orbitDirection": "ASCENDING",
        "polarisationChannels": "VV&VH",
        "operationalMode": "IW",
        "startTimeFromAscendingNode": 4996964,
    },
}


def toy() -> Mapping:
    return load("toy", SETTINGS)


def grd(**members: Any) -> Json:
    """A Sentinel-1 product; `attributes` changes some of its attributes, `None` takes one away."""
    record = copy.deepcopy(_GRD)
    attributes = {**record["Attributes"], **members.pop("attributes", {})}
    record.update(
        members, Attributes={name: value for name, value in attributes.items() if value is not None}
    )
    return record


def l1c(**members: Any) -> Json:
    """A Sentinel-2 product."""
    name = "S2A_MSIL1C_20200808T010311_N0500_R045_T54PXA_20230413T212505.SAFE"
    attributes = {
        "productType": "S2MSI1C",
        "platformShortName": "SENTINEL-2",
        "instrumentShortName": "MSI",
        "processingLevel": "S2MSI1C",
        "orbitDirection": None,
        "polarisationChannels": None,
        "operationalMode": None,
        "startTimeFromAscendingNode": None,
        "cloudCover": 95.136736479015,
        "tileId": "54PXA",
        **members.pop("attributes", {}),
    }
    return grd(**{"Name": name, "attributes": attributes, **members})
