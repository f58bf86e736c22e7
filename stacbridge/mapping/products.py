"""The product record of the Copernicus Space Component, as OData gives it, and what its files are called.

Members used: `Id`, `Name`, `S3Path`, `ContentLength`, `Checksum`, `Assets`, `Locations`, `Attributes` (here a
dict of name to value). A missing or malformed one is simply not there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Any
from urllib.parse import quote

from stacbridge.convert import CONVERTERS
from stacbridge.mapping import listed
from stacbridge.mapping.assets import Asset, fill
from stacbridge.mapping.names import Convention
from stacbridge.mapping.templates import escaped
from stacbridge.model import Json
from stacbridge.scalars import integer

Slots = dict[str, str]
Detail = Callable[[Json, Slots], None]

_multihash = CONVERTERS["checksum"].read
_PLAIN = f"{ascii_letters}{digits}_.~-".encode()
"""Bytes of texts that stand in JSON and in a URL as they are."""


class NotAnItem(Exception):
    """A record that cannot become an Item; says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of an asset are, as far as the record says.

    `kind` is the asset's `of`, or "file" for one that the record lists; `path` are the segments inside the
    product (`*` stands for any text); `url` is the upstream's own where the record gives one; `size` in bytes
    and `checksum` (multihash, hex) only where stated for exactly these bytes.
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


def details(wanted: frozenset[str]) -> list[Detail]:
    """Return what adds those slots that are wanted and depend on more than a product's name.

    `s3`, `quicklook` (URLs), `compressed` ("") with `zip_size` and `zip_checksum`, `size` with `checksum`.
    """
    return [add for slot, add in _DETAILS.items() if slot in wanted]


def slots(
    record: Json, endings: tuple[str, ...], convention: Convention | None, further: list[Detail]
) -> Slots:
    """Return what a template may need of a record, escaped for JSON; what the record does not say is not
    there.

    Always `id`, `name` and their `…_url` forms, `uuid`, and the parts of the name; then the `further` ones.
    """
    uuid, name = identity(record)
    item = item_id(name, endings)
    found: Slots = {} if convention is None else convention.read(name) or {}
    if _is_plain(name):
        found["id"] = found["id_url"] = item
        found["name"] = found["name_url"] = name
    else:
        found["id"], found["id_url"] = escaped(item), quote(item, safe="")
        found["name"], found["name_url"] = escaped(name), quote(name, safe="")
    found["uuid"] = uuid if _is_plain(uuid) else quote(uuid, safe="")
    for add in further:
        add(record, found)
    return found


def _is_plain(text: str) -> bool:
    return not text.encode().translate(None, _PLAIN)


def _add_s3(record: Json, found: Slots) -> None:
    path = record.get("S3Path")
    if isinstance(path, str) and path:
        found["s3"] = f"s3://{escaped(path.strip('/'))}"


def _add_quicklook(record: Json, found: Slots) -> None:
    url = quicklook(record)
    if url:
        found["quicklook"] = escaped(url)


def _add_archive(record: Json, found: Slots) -> None:
    archive = compressed(record)
    if archive is not None:
        found["compressed"] = ""
        _add_stated(archive, found, "zip_")


def _add_stated(place: Json, found: Slots, prefix: str = "") -> None:
    size, checksum = stated(place)
    if size is not None:
        found[f"{prefix}size"] = str(size)
    if checksum is not None:
        found[f"{prefix}checksum"] = checksum


_DETAILS: dict[str, Detail] = {
    "s3": _add_s3,
    "quicklook": _add_quicklook,
    "compressed": _add_archive,
    "size": _add_stated,
}


def stated(place: Json) -> tuple[int | None, str | None]:
    """Return size and checksum that a record or one of its Locations states; CDSE says 0 or -1 for
    unknown."""
    size = integer(place.get("ContentLength"))
    return (size if size is not None and size > 0 else None), _multihash(place.get("Checksum"))


def compressed(record: Json) -> Json | None:
    """Return the Location of the stored archive."""
    for location in _list(record.get("Locations")):
        if isinstance(location, dict) and location.get("FormatType") == "Compressed":
            return location
    return None


def quicklook(record: Json) -> str | None:
    """Return the URL of the quicklook."""
    for asset in _list(record.get("Assets")):
        if isinstance(asset, dict) and asset.get("Type") == "QUICKLOOK":
            url = asset.get("DownloadLink")
            return url if isinstance(url, str) and url else None
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


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


def listed_place(record: Json, key: str) -> Place | None:
    """Return where a file is that a record lists; `None` where it lists no such file, or one that the bridge
    does not carry."""
    uuid, name = identity(record)
    file = listed.files(record).get(key)
    if file is None or not file.carried:
        return None
    return Place(
        kind="file",
        product=uuid,
        product_name=name,
        name=file.name,
        media_type=file.media_type,
        url=file.href,
        size=file.size,
        checksum=file.checksum,
    )
