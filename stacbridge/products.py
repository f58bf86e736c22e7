"""The product record of the Copernicus Space Component, as OData gives it, and what its files are called.

Members used: `Id`, `Name`, `S3Path`, `ContentLength`, `Checksum`, `Assets`, `Locations`, `Attributes` (here a dict of
name to value). A missing or malformed one is simply not there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from stacbridge.assets import Asset, fill
from stacbridge.convert import CONVERTERS, integer
from stacbridge.model import Json
from stacbridge.names import Convention
from stacbridge.templates import escaped

_multihash = CONVERTERS["checksum"].read


class NotAnItem(Exception):
    """A record that cannot become an Item; says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of an asset are, as far as the record says.

    `kind` is the asset's `of`; `path` are the segments inside the product (`*` stands for any text); `url` is the
    upstream's own where the record gives one; `size` in bytes and `checksum` (multihash, hex) only where stated for
    exactly these bytes.
    """

    kind: str
    product: str
    product_name: str
    name: str
    media_type: str
    path: tuple[str, ...] = ()
    url: str | None = None
    size: int | None = None
    checksum: str | None = None


def identity(record: Json) -> tuple[str, str]:
    """Return a product's Id and Name. Raises `NotAnItem` where one is missing."""
    uuid, name = record.get("Id"), record.get("Name")
    if not isinstance(uuid, str) or not isinstance(name, str) or not uuid or not name:
        raise NotAnItem("it has no Id or no Name")
    return uuid, name


def label(record: Json) -> str:
    """Return what a record is called in reports."""
    return str(record.get("Name") or record.get("Id") or "a record without a name")


def item_id(name: str, endings: tuple[str, ...]) -> str:
    """Return the item id of a product's name: the name without its ending."""
    for ending in endings:
        if name.endswith(ending):
            return name[: -len(ending)]
    return name


def slots(
    record: Json, endings: tuple[str, ...], convention: Convention | None, download: str
) -> dict[str, str]:
    """Return what a template may need of a record, escaped for JSON; what the record does not say is not there.

    `id`, `name` and their `…_url` forms, `product` (its URL), the parts of its name, `s3`, `quicklook`, `compressed`
    (URLs), `size`, `checksum`, `zip_size`, `zip_checksum`.
    """
    uuid, name = identity(record)
    item = item_id(name, endings)
    found: dict[str, str | None] = {
        "id": escaped(item),
        "id_url": quote(item, safe=""),
        "name": escaped(name),
        "name_url": quote(name, safe=""),
        "product": f"{download}/Products({quote(uuid, safe='')})",
        **((convention and convention.read(name)) or {}),
    }
    path = record.get("S3Path")
    if isinstance(path, str) and path:
        found["s3"] = escaped(f"s3://{path.strip('/')}")
    found["size"], found["checksum"] = map(_shown, stated(record))
    archive = compressed(record)
    if archive:
        found["compressed"] = f"{found['product']}/$zip"
        found["zip_size"], found["zip_checksum"] = map(_shown, stated(archive))
    url = quicklook(record)
    found["quicklook"] = url and escaped(url)
    return {slot: value for slot, value in found.items() if value is not None}


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)


def stated(place: Json) -> tuple[int | None, str | None]:
    """Return size and checksum that a record or one of its Locations states; CDSE says 0 or -1 for unknown."""
    size = integer(place.get("ContentLength"))
    return (size if size is not None and size > 0 else None), _multihash(place.get("Checksum"))


def compressed(record: Json) -> Json | None:
    """Return the Location of the stored archive."""
    return next(
        (place for place in _dicts(record.get("Locations")) if place.get("FormatType") == "Compressed"), None
    )


def quicklook(record: Json) -> str | None:
    """Return the URL of the quicklook."""
    for asset in _dicts(record.get("Assets")):
        url = asset.get("DownloadLink")
        if asset.get("Type") == "QUICKLOOK" and isinstance(url, str) and url:
            return url
    return None


def _dicts(value: Any) -> Iterator[Json]:
    return (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else iter(())


def place(
    record: Json, asset: Asset, endings: tuple[str, ...], convention: Convention | None
) -> Place | None:
    """Return where an asset of a record is; `None` where the record has no such file."""
    uuid, name = identity(record)
    parts = {"id": item_id(name, endings), "name": name, **((convention and convention.read(name)) or {})}
    if not asset.parts <= parts.keys():
        return None
    source = {"compressed": compressed(record), "quicklook": {}}.get(
        asset.kind, record if asset.stated else {}
    )
    url = quicklook(record) if asset.kind == "quicklook" else None
    if source is None or (asset.kind == "quicklook" and url is None):
        return None
    size, checksum = stated(source)
    return Place(
        kind=asset.kind,
        product=uuid,
        product_name=name,
        name=fill(asset.name, parts),
        media_type=asset.members["type"],
        path=tuple(fill(asset.path, parts).split("/")) if asset.path else (),
        url=url,
        size=size,
        checksum=checksum,
    )
