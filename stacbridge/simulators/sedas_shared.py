"""Products that the simulated SeDAS and the simulated CDSE both hold: those of Sentinel-1 and Sentinel-2 over
the UK, under the names that their missions gave them."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from .archive import Archive
from .sedas_products import GROUPS, SIDE, SOUTH, WEST, Group, Product

_NAMES = {
    "SENTINEL-1": re.compile(r"S1[AB]_IW_(?:SLC_|GRDH)_1S\w{2}(?:_\w+){5}(?<!_COG)\.SAFE"),
    "SENTINEL-2": re.compile(r"S2[AB]_MSIL1C_\w+\.SAFE"),
}
"""What SeDAS has of either, as CDSE names it."""
_GROUPS = {"SENTINEL-1": "S1", "SENTINEL-2": "S2"}


def shared(size: int) -> list[Product]:
    """The products that lie in SeDAS's region, of CDSE's archive of that size."""
    archive, found = Archive(size), list[Product]()
    region = shapely.box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)
    for collection, name in _NAMES.items():
        group = next(group for group in GROUPS if group.name == _GROUPS[collection])
        rows = archive.all_rows[archive.collection_mask(collection, archive.all_rows)]
        near = rows[archive.intersects(region, rows)]
        wanted = [name.fullmatch(text) is not None for text in archive.column("Name", near)]
        found += _products(archive.records(near[np.array(wanted, dtype=bool)]), group)
    return found


def _products(records: list[dict[str, Any]], group: Group) -> Iterator[Product]:
    for record in records:
        stated = {attribute["Name"]: attribute["Value"] for attribute in record["Attributes"]}
        name = record["Name"].removesuffix(".SAFE")
        start, stop = (
            datetime.fromisoformat(record["ContentDate"][end]).replace(microsecond=0)
            for end in ("Start", "End")
        )
        west, south, east, north = shape(record["GeoFootprint"]).bounds
        yield Product(
            name,
            group,
            next(satellite for satellite in group.satellites if satellite[-1] == name[2]),
            "SAR-C" if group.sensor == "SAR" else "MSI",
            start,
            stop,
            (west, south, east, north),
            _radar(name, stated) if group.sensor == "SAR" else _optical(stated),
        )


def _radar(name: str, stated: dict[str, Any]) -> dict[str, Any]:
    return {
        "sarProductType": name[7:10],
        "polarisation": stated["polarisationChannels"].replace("&", " "),
        "orbitDirection": stated["orbitDirection"],
        "orbit": stated["orbitNumber"],
    }


def _optical(stated: dict[str, Any]) -> dict[str, Any]:
    return {"cloudCoveragePercent": stated["cloudCover"]} if "cloudCover" in stated else {}
