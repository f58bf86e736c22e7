"""Products as CDSE prints them: the JSON of whole records, made from the fields of a view.

A few percent of the records show an oddity that real records have (`trap` of a view):
1 Checksum is [], 2 Checksum is [{}], 3 ContentLength is 0, 4 ContentLength is -1, 5 numbers are texts of
StringAttributes, 6 dates have three decimals, 7 dates in attributes end in +00:00, 8 EvictionDate is "",
9 the product is not online, 10 there is no quicklook asset.
"""

import hashlib
from functools import lru_cache
from typing import Any

from . import content, footprints, packages, trees
from .hashing import integers
from .identifiers import digits
from .values import (
    ONE_MONTH,
    Holdings,
    attribute,
    compressed,
    ids,
    iso,
    lengths,
    online,
    products_of,
    s3_paths,
)
from .views import View, salt

Json = dict[str, Any]
NEVER = "9999-12-31T23:59:59.999999Z"
_CHECKSUM_SALT = 201


def products(view: View, holdings: Holdings, base_url: str) -> list[Json]:
    """The records of a view, with Attributes, Assets and Locations."""
    plain = _plain(view, holdings)
    made = products_of(view)
    attributes = _attributes(view)
    asset_ids = holdings.asset_ids.of(view.rows)
    for n, record in enumerate(plain):
        trap = int(view.trap[n])
        record["Attributes"] = attributes[n]
        record["Assets"] = _assets(record, made[n], asset_ids[n], trap, base_url)
        record["Locations"] = _locations(record, view, n, made[n], base_url)
        if trap == 6:
            _shorten(record)
    return plain


def _plain(view: View, holdings: Holdings) -> list[Json]:
    """The records without what is shown only on request, field by field in the service's order."""
    shapes = _footprints(view)
    dates = zip(iso(view.start), iso(view.end), strict=True)
    same = ["application/octet-stream"] * len(view.rows)
    columns: dict[str, list[Any]] = {
        "@odata.mediaContentType": same,
        "Id": ids(view, holdings),
        "Name": view.name.tolist(),
        "ContentType": same,
        "ContentLength": lengths(view, holdings),
        "OriginDate": iso(view.origin_date),
        "PublicationDate": iso(view.published),
        "ModificationDate": iso(view.modified),
        "Online": online(view, holdings),
        "EvictionDate": ["" if trap == 8 else NEVER for trap in view.trap.tolist()],
        "S3Path": s3_paths(view, holdings),
        "Checksum": _checksums(view, holdings),
        "ContentDate": [{"Start": start, "End": end} for start, end in dates],
        "Footprint": [shape and footprints.ewkt(shape) for shape in shapes],
        "GeoFootprint": shapes,
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _footprints(view: View) -> list[Json | None]:
    if not view.has_footprint:
        return [None] * len(view.rows)
    forms = integers(view.rows, salt("form"), footprints.FORMS).tolist()
    return [footprints.geojson(ring, form) for ring, form in zip(view.rings(), forms, strict=True)]


def _checksums(view: View, holdings: Holdings) -> list[list[Json]]:
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
        out.append([] if trap == 1 or row == holdings.large_row else [{}] if trap == 2 else pair)
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


def _locations(record: Json, view: View, n: int, product: trees.Product, base_url: str) -> list[Json]:
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
    length, md5 = packages.stored(product)
    zipped = {
        "FormatType": "Compressed",
        "DownloadLink": f"{link}/$zip",
        "ContentLength": length,
        "Checksum": [{"Value": md5, "Algorithm": "MD5", "ChecksumDate": record["OriginDate"]}],
        "EvictionDate": iso(view.origin_date[n : n + 1] + ONE_MONTH)[0],
    }
    return [zipped, extracted]


def _shorten(record: Json) -> None:
    for key in ("OriginDate", "PublicationDate", "ModificationDate"):
        record[key] = record[key][:23] + "Z"
    record["ContentDate"] = {key: value[:23] + "Z" for key, value in record["ContentDate"].items()}
