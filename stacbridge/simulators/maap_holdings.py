"""What the simulated MAAP holds: collections from `data/maap.toml`, and items, each a function of its number.

`Item.facts` are the values that filters test, by the names of its queryables; `Item.stac` is what searches
answer, but for its links and the addresses of its assets, which begin with `{data}`.
"""

import tomllib
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

Json = dict[str, Any]

EXTENSIONS = (
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/product/v1.0.0/schema.json",
    "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "https://stac-extensions.github.io/sat/v1.2.0/schema.json",
    "https://stac-extensions.github.io/timestamps/v1.1.0/schema.json",
    "https://stac-extensions.github.io/version/v1.2.0/schema.json",
)
MEDIA = {
    "tiff": "image/tiff; application=geotiff",
    "png": "image/png",
    "nc": "application/x-netcdf",
    "h5": "application/x-hdf5",
    "hdr": "application/xml",
    "xml": "application/xml",
    "ZIP": "application/zip",
}
NAMES = {
    "product:type": "productType",
    "version": "productVersion",
    "sat:absolute_orbit": "orbitNumber",
    "sat:orbit_state": "orbitDirection",
    "sar:instrument_mode": "sensorMode",
    "processing:level": "processingLevel",
    "updated": "modificationDate",
    "published": "creationDate",
    "processing:datetime": "processingDate",
    "eofeos:mission_phase": "missionPhase",
}
"""STAC's name of a property, where it has one: the name of the queryable."""


@dataclass(frozen=True, slots=True)
class Item:
    """One granule. `start` and `end` are UTC."""

    id: str
    collection: str
    start: datetime
    end: datetime
    geometry: Json
    facts: Json
    stac: Json


@dataclass(frozen=True, slots=True)
class Holding:
    """One collection and its items."""

    about: Json
    items: tuple[Item, ...]

    @property
    def id(self) -> str:
        """The id of the collection."""
        return str(self.about["id"])


@cache
def holdings() -> dict[str, Holding]:
    """All collections, in the order of the file."""
    text = files(__package__).joinpath("data", "maap.toml").read_text(encoding="utf-8")
    found = [
        Holding(about, tuple(_item(about, number) for number in range(about["count"])))
        for about in tomllib.loads(text)["collection"]
    ]
    return {holding.id: holding for holding in found}


def _item(about: Json, number: int) -> Item:
    start = datetime.fromisoformat(about["start"]) + timedelta(seconds=about["step"] * number)
    end = start + timedelta(seconds=about["duration"])
    kind = about["types"][number % len(about["types"])]
    orbit, track, frame = 7000 + number // 8, 1 + number * 7 % 150, 1 + number * 13 % 300
    letter = "ABCDEFGH"[number % 8]
    parts = {
        "type": kind,
        "start": _compact(start),
        "stop": _compact(end),
        "orbit": orbit,
        "track": track,
        "frame": frame,
        "letter": letter,
        "code": f"{zlib.crc32((about['id'] + str(number)).encode()):08X}"[:6],
    }
    id = about["name"].format(**parts)
    facts = _facts(about, number, id, kind, start)
    if about["shape"] != "globe":
        facts |= {"orbitNumber": orbit, "orbitDirection": ("ASCENDING", "DESCENDING")[number % 2]}
        facts |= {"track": str(track), "frame": letter if about["shape"] == "track" else str(frame)}
    geometry, bbox = _place(about["shape"], number)
    stac = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": list(EXTENSIONS),
        "id": id,
        "collection": about["id"],
        "geometry": geometry,
        "bbox": bbox,
        "properties": _properties(facts, id, start, end),
        "assets": _assets(about, id, kind, start),
    }
    return Item(id, about["id"], start, end, geometry, facts, stac)


def _facts(about: Json, number: int, id: str, kind: str, start: datetime) -> Json:
    made = start + timedelta(days=2)
    told = {
        "uid": id,
        "platform": about["platform"],
        "instrument": about["instrument"],
        "sensorType": about.get("sensor_type"),
        "sensorMode": about.get("mode"),
        "productType": kind,
        "productVersion": about["versions"][number % len(about["versions"])],
        "processingLevel": about.get("level"),
        "processingCenter": about.get("center"),
        "processingDate": _iso(made),
        "creationDate": _iso(made + timedelta(hours=6)),
        "modificationDate": _iso(made + timedelta(hours=6, minutes=number)),
        "missionPhase": "Routine",
        "acquisitionType": "NOMINAL",
        "productionStatus": "ARCHIVED",
    }
    return {name: value for name, value in told.items() if value is not None}


def _properties(facts: Json, id: str, start: datetime, end: datetime) -> Json:
    shown = {stac: facts[plain] for stac, plain in NAMES.items() if plain in facts}
    if "sat:orbit_state" in shown:
        shown["sat:orbit_state"] = shown["sat:orbit_state"].lower()
    times = {"datetime": _iso(start), "start_datetime": _iso(start), "end_datetime": _iso(end)}
    given = {"title": id, "platform": facts["platform"], "instruments": [facts["instrument"]]}
    return {**given, **times, **shown}


def _place(shape: str, number: int) -> tuple[Json, list[float]]:
    west, south = -170.0 + number * 17 % 330, -60.0 + number * 11 % 110
    if shape == "globe":
        west, south, width, height = -180.0, -90.0, 360.0, 180.0
    else:
        width, height = (0.6, 8.0) if shape in ("line", "track") else (0.5, 0.5)
    east, north = west + width, south + height
    if shape == "line":
        return {"type": "LineString", "coordinates": [[west, south], [east, north]]}, [
            west,
            south,
            east,
            north,
        ]
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}, [west, south, east, north]


def _assets(about: Json, id: str, kind: str, start: datetime) -> Json:
    """Single files, then the whole product and its pictures; `{data}` begins every address."""
    day = start.strftime("%Y/%m/%d")
    path = "/".join(filter(None, (about["bucket"], about["id"], day, id)))
    assets: Json = {}
    for suffix in about["files"]:
        key = "enclosure" if suffix == "ZIP" else f"enclosure_{suffix}"
        assets[key] = _file(f"{{data}}/{path}", id, suffix)
    if about["zipped"]:
        zipper = f"{{data}}/zipper/{path.removesuffix(id)}{id}/{id}"
        product = {"href": zipper, "type": "application/zip", "roles": ["data", "archive"]}
        assets["product"] = {**product, "title": id, "file:local_path": f"{id}.zip"}
    picture = f"{{data}}/{path}/public/{id}.jpeg"
    assets["thumbnail"] = {"href": picture, "type": "image/jpeg", "roles": ["thumbnail"]}
    return assets


def _file(folder: str, id: str, suffix: str) -> Json:
    stem, _, extension = suffix.rpartition("_")
    name = f"{id}{f'_{stem}' if stem else ''}.{extension}"
    # In the addresses of EarthCARE's files the last letter of the name is missing.
    shown = name[:-1] if extension in ("h5", "hdr") else name
    asset = {"href": f"{folder}/{shown}", "title": name, "roles": ["metadata" if "xml" in suffix else "data"]}
    media = MEDIA.get(extension)
    return {**asset, "type": media} if media else asset


def _compact(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
