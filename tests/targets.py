"""OData records made from STAC Items of CDSE's own catalogue, so that translating them back can be compared.

Written from the facts about OData, not from the catalogue's files: what an attribute is called, its type, how
its value is spelled. Attributes that OData does not have for a family are not made.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

Json = dict[str, Any]

_SUFFIXES = {"sentinel-1": ".SAFE", "sentinel-2": ".SAFE", "sentinel-3": ".SEN3", "sentinel-5p": ".nc"}


def record(item: Json) -> Json:
    """Return the OData product that an Item of CDSE's STAC was made from, as far as the Item tells."""
    properties, family = item["properties"], _family(item["collection"])
    name = item["id"] + _SUFFIXES.get(family, "")
    product = item["assets"].get("Product") or item["assets"].get("product") or item["assets"]["netcdf"]
    return {
        "Id": _uuid(product),
        "Name": name,
        "ContentLength": product.get("file:size", 0),
        "OriginDate": properties["created"],
        "PublicationDate": properties["published"],
        "ModificationDate": properties["updated"],
        "Online": True,
        "EvictionDate": "9999-12-31T23:59:59.999999Z",
        "S3Path": _s3_path(item, name),
        "Checksum": _checksums(product),
        "ContentDate": {"Start": properties["start_datetime"], "End": properties["end_datetime"]},
        "GeoFootprint": item["geometry"],
        "Attributes": {key: value for key, value in _FAMILIES[family](item).items() if value is not None},
        "Assets": _quicklooks(item),
    }


def _family(collection: str) -> str:
    if collection.endswith("-global-mosaics"):
        return "global-mosaics"
    return (
        "ccm" if collection.startswith("ccm-") else collection[:11] if "5p" in collection else collection[:10]
    )


def _uuid(product: Json) -> str:
    hrefs = [product["href"], *(other["href"] for other in product.get("alternate", {}).values())]
    found = re.search(r"Products\(([0-9a-f-]+)\)", " ".join(hrefs))
    assert found, hrefs
    return found[1]


def _s3_path(item: Json, name: str) -> str:
    for asset in item["assets"].values():
        hrefs = [asset["href"], *(other["href"] for other in asset.get("alternate", {}).values())]
        for href in hrefs:
            if href.startswith("s3://"):
                folder: str = href[4:].partition(name)[0]
                return folder + name
    raise AssertionError(item["id"])


def _checksums(product: Json) -> list[Json]:
    multihash = product.get("file:checksum", "")
    return [{"Algorithm": "MD5", "Value": multihash[6:]}] if multihash.startswith("d50110") else []


def _quicklooks(item: Json) -> list[Json]:
    href = item["assets"].get("thumbnail", {}).get("href")
    return [{"Type": "QUICKLOOK", "DownloadLink": href}] if href else []


def _common(item: Json) -> Json:
    properties = item["properties"]
    platform = properties.get("platform", "")
    return {
        "platformShortName": properties["constellation"].upper(),
        "platformSerialIdentifier": platform[-1].upper()
        if re.fullmatch(r"sentinel-\d[a-z]", platform)
        else None,
        "instrumentShortName": properties["instruments"][0].upper(),
        "productType": properties["product:type"],
        "processingDate": properties.get("processing:datetime"),
        "processorVersion": properties.get("processing:version"),
        "orbitNumber": properties.get("sat:absolute_orbit"),
        "relativeOrbitNumber": properties.get("sat:relative_orbit"),
        "beginningDateTime": properties["start_datetime"],
        "endingDateTime": properties["end_datetime"],
    }


def _sentinel_1(item: Json) -> Json:
    properties = item["properties"]
    software = {**properties["processing:software"]}
    software.pop("eometadatatool")
    processor, version = next(iter(software.items()), (None, properties["processing:version"]))
    mode = properties["sar:instrument_mode"]
    return {
        **_common(item),
        "productType": item["id"][4:14] + ("-COG" if item["id"].endswith("_COG") else ""),
        "processingCenter": properties["processing:facility"],
        "processingLevel": "LEVEL1",
        "processorName": processor,
        "processorVersion": version,
        "timeliness": properties["product:timeliness_category"],
        "orbitDirection": properties["sat:orbit_state"].upper(),
        "cycleNumber": properties["sat:orbit_cycle"],
        "operationalMode": mode,
        "swathIdentifier": " ".join(properties.get("sar:beam_ids", [mode])).upper(),
        "polarisationChannels": "&".join(properties["sar:polarizations"]),
        "datatakeID": int(properties["eopf:datatake_id"]),
        "instrumentConfigurationID": properties["eopf:instrument_configuration_id"],
        "startTimeFromAscendingNode": _since_anx(properties),
    }


def _since_anx(properties: Json) -> int | None:
    if "sat:anx_datetime" not in properties:
        return None
    start, anx = (datetime.fromisoformat(properties[name]) for name in ("start_datetime", "sat:anx_datetime"))
    return round((start - anx).total_seconds() * 1000)


def _sentinel_2(item: Json) -> Json:
    properties = item["properties"]
    return {
        **_common(item),
        "origin": properties["processing:facility"],
        "processingLevel": properties["product:type"],
        "operationalMode": properties["eopf:instrument_mode"],
        "cloudCover": properties["eo:cloud_cover"],
        "tileId": properties["grid:code"].removeprefix("MGRS-"),
        "datastripId": properties["eopf:datastrip_id"],
        "productGroupId": properties["eopf:datatake_id"],
    }


def _sentinel_3(item: Json) -> Json:
    properties = item["properties"]
    covers = {
        "saline_water": "salineWaterCover",
        "coastal": "coastalCover",
        "fresh_inland_water": "freshInlandWaterCover",
        "tidal_region": "tidalRegionCover",
        "land": "landCover",
        "bright": "brightCover",
        "closed_sea": "closedSeaCover",
        "continental_ice": "continentalIceCover",
        "open_ocean": "openOceanCover",
    }
    statistics = properties["statistics"]
    return {
        **_common(item),
        **{name: statistics.get(member) for member, name in covers.items()},
        "instrumentShortName": _instrument(properties["instruments"]),
        "processingLevel": properties["processing:level"].removeprefix("L"),
        "timeliness": properties["product:timeliness_category"],
        "orbitDirection": properties["sat:orbit_state"].upper(),
        "cycleNumber": properties["sat:orbit_cycle"],
        "cloudCover": properties.get("eo:cloud_cover"),
    }


def _instrument(instruments: list[str]) -> str:
    """Return OData's word; products of two instruments at once are called SYNERGY there."""
    return "SYNERGY" if len(instruments) > 1 else instruments[0].upper()


def _sentinel_5p(item: Json) -> Json:
    properties = item["properties"]
    return {
        **_common(item),
        "processingCenter": properties["processing:facility"],
        "processingMode": properties["product:timeliness_category"],
        "processingLevel": properties["processing:level"],
    }


def _sentinel_6(item: Json) -> Json:
    properties = item["properties"]
    return {**_common(item), "timeliness": properties["product:timeliness_category"], "processingLevel": "2"}


def _ccm(item: Json) -> Json:
    properties = item["properties"]
    return {
        **_common(item),
        "datasetFull": _s3_path(item, item["id"]).split("/")[3],
        "acquisitionType": properties["product:acquisition_type"].upper(),
    }


def _global_mosaics(item: Json) -> Json:
    return {**_common(item), "processingCenter": item["properties"]["processing:facility"]}


_FAMILIES: dict[str, Callable[[Json], Json]] = {
    "sentinel-1": _sentinel_1,
    "sentinel-2": _sentinel_2,
    "sentinel-3": _sentinel_3,
    "sentinel-5p": _sentinel_5p,
    "sentinel-6": _sentinel_6,
    "ccm": _ccm,
    "global-mosaics": _global_mosaics,
}
