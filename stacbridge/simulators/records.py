"""Products as CDSE prints them: the JSON of whole records, made from the fields of a view.

A few percent of the records show an oddity that real records have (`trap` of a view):
1 Checksum is [], 2 Checksum is [{}], 3 ContentLength is 0, 4 ContentLength is -1, 5 numbers are texts of
StringAttributes, 6 dates have three decimals, 7 dates in attributes end in +00:00, 8 EvictionDate is "",
9 the product is not online, 10 there is no quicklook asset.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import content, footprints, trees
from .hashing import fractions, integers
from .identifiers import digits
from .orbits import SECOND
from .swaths import TileView
from .views import DAY, View, salt

if TYPE_CHECKING:
    from .archive import Archive

Json = dict[str, Any]
NEVER = "9999-12-31T23:59:59.999999Z"
_CHECKSUM_SALT, _ZIP_SALT = 201, 221
_COMPRESSED = ("RAW", "GRD", "SLC")
_ONE_MONTH = 30 * DAY
_ARCHIVE_END = 1_782_777_600 * SECOND
"""2026-06-30: Sentinel-1 products of the month before it still have a compressed location."""


# Values -------------------------------------------------------------------------------------------
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


def ids(view: View, archive: "Archive") -> list[str]:
    """Id of each product."""
    return archive.ids.of(view.rows)


COLUMNS: dict[str, tuple[Callable[[View, "Archive"], list[Any]], type]] = {
    "Id": (ids, object),
    "Online": (online, bool),
    "ContentLength": (lengths, int),
    "S3Path": (s3_paths, object),
}
"""Plain properties that only records compute, with the type of their values."""


def attribute(view: View, name: str) -> tuple[NDArray[np.int64], NDArray[Any], str] | None:
    """Attribute `name`: positions of the products that have it, all values, OData type; None without it."""
    if name in ("beginningDateTime", "endingDateTime"):
        field = "start" if name == "beginningDateTime" else "end"
        return np.arange(len(view.rows)), view.field(field), "DateTimeOffset"
    spec = view.family.attributes.get(name)
    if spec is None:
        return None
    present = np.flatnonzero(fractions(view.rows, salt(f"has {name}")) >= spec.sparse)
    if spec.constant is None:
        return present, view.field(spec.field) if len(present) else np.empty(len(view.rows)), spec.type
    return present, np.full(len(view.rows), spec.constant, dtype=object), spec.type


# Records ------------------------------------------------------------------------------------------
def products(view: View, archive: "Archive", base_url: str) -> list[Json]:
    """The records of a view, with Attributes, Assets and Locations."""
    plain = _plain(view, archive)
    made = products_of(view)
    attributes = _attributes(view)
    asset_ids = archive.asset_ids.of(view.rows)
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
        archive.ids.of(view.rows),
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
            "Footprint": shape and footprints.ewkt(shape),
            "GeoFootprint": shape,
        }
        for (
            id_,
            name,
            length,
            origin,
            published,
            modified,
            here,
            path,
            checksum,
            start,
            end,
            shape,
            trap,
        ) in rows
    ]


def _footprints(view: View) -> list[Json | None]:
    if not view.has_footprint:
        return [None] * len(view.rows)
    forms = integers(view.rows, salt("form"), footprints.FORMS).tolist()
    return [footprints.geojson(ring, form) for ring, form in zip(view.rings(), forms, strict=True)]


def _checksums(view: View, archive: "Archive") -> list[list[Json]]:
    md5 = digits(view.rows, _CHECKSUM_SALT)
    if view.family.layout == "single":
        md5 = [single_md5(product) for product in products_of(view)]
    blake = [a + b for a, b in zip(*(digits(view.rows, _CHECKSUM_SALT + n) for n in (2, 4)), strict=True)]
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
    checksum = {"Value": digits(view.rows[n : n + 1], _ZIP_SALT)[0], "Algorithm": "MD5"}
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
    bounds = footprints.bounds(view.rings()) if view.has_footprint else [(0.0, 0.0, 0.0, 0.0)] * count
    if isinstance(view, TileView):
        granules = view.render("{short}_T{tile}_A{orbit:06d}_{seen:%Y%m%dT%H%M%S}").tolist()
        strips = view.render("DS_{station}_{made}_S{seen:%Y%m%dT%H%M%S}").tolist()
        shots = view.render("T{tile}_{start:%Y%m%dT%H%M%S}").tolist()
    else:
        granules = strips = shots = [""] * count
    rows = zip(view.name, view.ptype, polarisations, bounds, granules, strips, shots, strict=True)
    layout = view.family.layout
    return [trees.Product(name, layout, ptype, *others) for name, ptype, *others in rows]
