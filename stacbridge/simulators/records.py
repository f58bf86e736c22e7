"""Products as CDSE prints them: the JSON of whole records, made from the fields of a view.

A few percent of the records show an oddity that real records have (`trap` of a view):
1 Checksum is [], 2 Checksum is [{}], 3 ContentLength is 0, 4 ContentLength is -1, 5 numbers are texts of
StringAttributes, 6 dates have three decimals, 7 dates in attributes end in +00:00, 8 EvictionDate is "",
9 the product is not online, 10 there is no quicklook asset.
"""

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from . import content, trees
from .hashing import Floats, fractions
from .orbits import SECOND
from .views import DAY, TileView, View, identifiers

if TYPE_CHECKING:
    from .archive import Archive

Json = dict[str, Any]
NEVER = "9999-12-31T23:59:59.999999Z"
_CHECKSUM_SALT, _FORM_SALT, _SPARSE_SALT, _ZIP_SALT = 201, 208, 1000, 220
_COMPRESSED = ("RAW", "GRD", "SLC")
_ONE_MONTH = 30 * DAY
_ARCHIVE_END = 1_782_777_600 * SECOND
"""2026-06-30: Sentinel-1 products of the month before it still have a compressed location."""


# Values -----------------------------------------------------------------------------------------------------------
def iso(times: NDArray[np.int64], decimals: int = 6) -> list[str]:
    """Print microseconds since 1970 with so many decimals and a Z."""
    printed = np.datetime_as_string(times.astype("datetime64[us]"), unit="us")
    return [text[: 20 + decimals] + "Z" for text in printed.tolist()]


def online(view: View, archive: "Archive") -> list[bool]:
    """Whether each product can be downloaded."""
    return [trap != 9 for trap in view.trap.tolist()]


def lengths(view: View, archive: "Archive") -> list[int]:
    """ContentLength of each product as its record gives it."""
    known = [trees.length(product) for product in products_of(view)]
    if archive.large_row is not None and archive.large_bytes is not None:
        known = [
            archive.large_bytes if row == archive.large_row else n
            for row, n in zip(view.rows, known, strict=True)
        ]
    return [{3: 0, 4: -1}.get(trap, n) for trap, n in zip(view.trap.tolist(), known, strict=True)]


def s3_paths(view: View, archive: "Archive") -> list[str]:
    """S3Path of each product."""
    suffix = view.family.path_suffix
    return [f"/eodata/{folder}/{name}{suffix}" for folder, name in zip(view.folder, view.name, strict=True)]


def attribute(view: View, name: str) -> tuple[NDArray[np.int64], NDArray[Any], str] | None:
    """Attribute `name`: positions of the products that have it, all values, and its OData type; None if none has it."""
    if name in ("beginningDateTime", "endingDateTime"):
        field = "start" if name == "beginningDateTime" else "end"
        return np.arange(len(view.rows)), view.field(field), "DateTimeOffset"
    spec = view.family.attributes.get(name)
    if spec is None:
        return None
    salt = _SPARSE_SALT + sorted(view.family.attributes).index(name)
    present = np.flatnonzero(fractions(view.rows, salt) >= spec.sparse)
    if spec.constant is None:
        return present, view.field(spec.field) if len(present) else np.empty(len(view.rows)), spec.type
    return present, np.full(len(view.rows), spec.constant, dtype=object), spec.type


# Footprints -------------------------------------------------------------------------------------------------------
def footprint(ring: Floats, form: int) -> Json:
    """GeoJSON of one ring. A ring over the antimeridian is printed in one of the forms real records have.

    `form` 0 leaves longitudes beyond +-180, 1 wraps them so that the ring jumps, 2 cuts it into a MultiPolygon.
    """
    points = ring.tolist()
    if ring[:, 0].min() >= -180.0 and ring[:, 0].max() <= 180.0 or form == 0:
        return {"type": "Polygon", "coordinates": [points]}
    if form == 1:
        wrapped = [[round((lon + 180.0) % 360.0 - 180.0, 6), lat] for lon, lat in points]
        return {"type": "Polygon", "coordinates": [wrapped]}
    parts = []
    whole = shapely.make_valid(shapely.Polygon(ring))
    for turn in (0.0, 360.0, -360.0):
        moved = shapely.transform(whole, lambda xy, turn=turn: xy + [turn, 0.0])  # type: ignore[misc]
        part = shapely.intersection(moved, shapely.box(-180.0, -90.0, 180.0, 90.0))
        parts += [p for p in shapely.get_parts(part) if p.geom_type == "Polygon" and not p.is_empty]
    return {"type": "MultiPolygon", "coordinates": [[_rounded(part)] for part in parts]}


def _rounded(part: Any) -> list[list[float]]:
    return [[round(lon, 6), round(lat, 6)] for lon, lat in part.exterior.coords]


def ewkt(shape: Json) -> str:
    """The Footprint text of a GeoFootprint."""

    def rings(polygon: list[list[list[float]]]) -> str:
        return ", ".join("(" + ", ".join(f"{lon} {lat}" for lon, lat in ring) + ")" for ring in polygon)

    if shape["type"] == "Polygon":
        return f"geography'SRID=4326;POLYGON ({rings(shape['coordinates'])})'"
    parts = ", ".join(f"({rings(polygon)})" for polygon in shape["coordinates"])
    return f"geography'SRID=4326;MULTIPOLYGON ({parts})'"


# Records ----------------------------------------------------------------------------------------------------------
def products(view: View, archive: "Archive", base_url: str) -> list[Json]:
    """The records of a view, with Attributes, Assets and Locations."""
    plain = _plain(view, archive)
    made = products_of(view)
    attributes = _attributes(view)
    asset_ids = archive.asset_ids(view.rows)
    for n, record in enumerate(plain):
        trap = int(view.trap[n])
        record["Attributes"] = attributes[n]
        record["Assets"] = _assets(record, made[n], asset_ids[n], trap, base_url)
        record["Locations"] = _locations(record, view, n, base_url)
        if trap == 6:
            _shorten(record)
    return plain


def _plain(view: View, archive: "Archive") -> list[Json]:
    rows = zip(
        archive.ids(view.rows),
        view.name.tolist(),
        lengths(view, archive),
        iso(view.origin_date),
        iso(view.published),
        iso(view.modified),
        online(view, archive),
        s3_paths(view, archive),
        _checksums(view, archive),
        iso(view.start),
        iso(view.end),
        _footprints(view),
        view.trap.tolist(),
        strict=True,
    )
    return [
        {
            "@odata.mediaContentType": "application/octet-stream",
            "Id": id_,
            "Name": name,
            "ContentType": "application/octet-stream",
            "ContentLength": length,
            "OriginDate": origin,
            "PublicationDate": published,
            "ModificationDate": modified,
            "Online": here,
            "EvictionDate": "" if trap == 8 else NEVER,
            "S3Path": path,
            "Checksum": checksum,
            "ContentDate": {"Start": start, "End": end},
            "Footprint": shape and ewkt(shape),
            "GeoFootprint": shape,
        }
        for id_, name, length, origin, published, modified, here, path, checksum, start, end, shape, trap in rows
    ]


def _footprints(view: View) -> list[Json | None]:
    if not view.has_footprint:
        return [None] * len(view.rows)
    forms = (fractions(view.rows, _FORM_SALT) * 3).astype(int).tolist()
    return [footprint(ring, form) for ring, form in zip(view.rings(), forms, strict=True)]


def _checksums(view: View, archive: "Archive") -> list[list[Json]]:
    md5 = identifiers(view.rows, _CHECKSUM_SALT).tolist()
    if view.family.layout == "single":
        md5 = [single_md5(product) for product in products_of(view)]
    blake = identifiers(view.rows, _CHECKSUM_SALT + 2) + identifiers(view.rows, _CHECKSUM_SALT + 4)
    out: list[list[Json]] = []
    for row, a, b, date, trap in zip(
        view.rows, md5, blake, iso(view.published), view.trap.tolist(), strict=True
    ):
        pair = [
            {"Value": a, "Algorithm": "MD5", "ChecksumDate": date},
            {"Value": b, "Algorithm": "BLAKE3", "ChecksumDate": date},
        ]
        out.append([] if trap == 1 or row == archive.large_row else [{}] if trap == 2 else pair)
    return out


@lru_cache(maxsize=4096)
def single_md5(product: trees.Product) -> str:
    """MD5 of the one file of a single-file product."""
    (member,) = trees.members(product)
    return hashlib.md5(
        content.make(member.kind, member.path, product.bounds), usedforsecurity=False
    ).hexdigest()


def _attributes(view: View) -> list[list[Json]]:
    out: list[list[Json]] = [[] for _ in view.rows]
    for name in [*view.family.attributes, "beginningDateTime", "endingDateTime"]:
        found = attribute(view, name)
        if found is None or not len(found[0]):
            continue
        present, values, type_ = found
        listed = iso(values) if type_ == "DateTimeOffset" else values.tolist()
        for n in present.tolist():
            out[n].append(_entry(name, listed[n], type_, int(view.trap[n])))
    return out


def _entry(name: str, value: Any, type_: str, trap: int) -> Json:
    if trap == 5 and type_ in ("Integer", "Double"):
        type_, value = "String", str(value)
    if trap == 7 and type_ == "DateTimeOffset":
        value = value.replace("Z", "+00:00")
    return {"@odata.type": f"#OData.CSC.{type_}Attribute", "Name": name, "Value": value, "ValueType": type_}


def _assets(record: Json, product: trees.Product, asset_id: str, trap: int, base_url: str) -> list[Json]:
    if trap == 10 or trees.quicklook(product) is None:
        return []
    link = f"{base_url}/Assets({asset_id})/$value"
    return [{"Type": "QUICKLOOK", "Id": asset_id, "DownloadLink": link, "S3Path": record["S3Path"]}]


def _locations(record: Json, view: View, n: int, base_url: str) -> list[Json]:
    link = f"{base_url}/Products({record['Id']})"
    extracted = {
        "FormatType": "Extracted",
        "DownloadLink": f"{link}/$value",
        "ContentLength": record["ContentLength"],
        "Checksum": record["Checksum"],
        "S3Path": record["S3Path"],
    }
    if not compressed(view, n):
        return [extracted]
    checksum = {"Value": str(identifiers(view.rows[n : n + 1], _ZIP_SALT)[0]), "Algorithm": "MD5"}
    zipped = {
        "FormatType": "Compressed",
        "DownloadLink": f"{link}/$zip",
        "ContentLength": max(0, record["ContentLength"] * 6 // 10),
        "Checksum": [checksum | {"ChecksumDate": record["OriginDate"]}],
        "EvictionDate": iso(view.origin_date[n : n + 1] + _ONE_MONTH)[0],
    }
    return [zipped, extracted]


def compressed(view: View, n: int) -> bool:
    """Whether product `n` of a view also has a stored archive: young Sentinel-1 RAW, GRD and SLC."""
    kind = view.family.collection == "SENTINEL-1" and str(view.ptype[n])[3:6] in _COMPRESSED
    return bool(kind and view.origin_date[n] > _ARCHIVE_END - _ONE_MONTH)


def _shorten(record: Json) -> None:
    for key in ("OriginDate", "PublicationDate", "ModificationDate"):
        record[key] = record[key][:23] + "Z"
    record["ContentDate"] = {key: value[:23] + "Z" for key, value in record["ContentDate"].items()}


def products_of(view: View) -> list[trees.Product]:
    """What the files of each product are named after."""
    count = len(view.rows)
    sentinel1 = view.family.layout in ("s1", "rtc")
    polarisations = (
        [tuple(text.split("&")) for text in view.field("polarisations")] if sentinel1 else [()] * count
    )
    bounds = _bounds(view)
    if isinstance(view, TileView):
        granules = view.render("{short}_T{tile}_A{orbit:06d}_{seen}").tolist()
        strips = view.render("DS_{station}_{made}_S{seen}").tolist()
        shots = view.render("T{tile}_{start:%Y%m%dT%H%M%S}").tolist()
    else:
        granules = strips = shots = [""] * count
    rows = zip(view.name, view.ptype, polarisations, bounds, granules, strips, shots, strict=True)
    layout = view.family.layout
    return [trees.Product(name, layout, ptype, *others) for name, ptype, *others in rows]


def _bounds(view: View) -> list[tuple[float, float, float, float]]:
    if not view.has_footprint:
        return [(0.0, 0.0, 0.0, 0.0)] * len(view.rows)
    rings = view.rings()
    low, high = rings.min(axis=1), rings.max(axis=1)
    return [tuple(b) for b in np.concatenate([low, high], axis=1).tolist()]
