"""Items of another STAC API as ones of ours: links replaced, assets through the proxy.

What they say is kept, keys of assets and foreign members included, and so are the versions of the extensions
that they declare, by which they are valid; from core 1.0 to 1.1 nothing has to move. What the core demands
and an upstream forgets is added where the rest tells it: `datetime` from the interval, `type` of assets.
"""

from typing import Any
from urllib.parse import quote

from stacbridge import scalars
from stacbridge.mapping import stac_assets
from stacbridge.mapping.areas import Footprint
from stacbridge.mapping.footprints import footprints
from stacbridge.mapping.products import NotAnItem
from stacbridge.mapping.stac_parts import (
    STAC_VERSION,
    Frame,
    kept_links,
    members,
    own_url,
    schemas,
    with_bare_doi,
)
from stacbridge.model import Json, Skipped

TIMES = ("datetime", "start_datetime", "end_datetime", "created", "updated", "published", "expires")


def items(records: list[Json], root: str, frame: Frame) -> tuple[list[Json], list[Skipped]]:
    """Return the Items of a page, and which records could not become one."""
    found: list[Json] = []
    skipped: list[Skipped] = []
    areas = footprints([{"GeoFootprint": record.get("geometry")} for record in records])
    for number, (record, area) in enumerate(zip(records, areas, strict=True)):
        try:
            found.append(_item(record, area, root, frame))
        except NotAnItem as reason:
            name = str(record.get("id") or "an Item without an id")
            skipped.append(Skipped(name, str(reason), number))
    return found, skipped


def _item(record: Json, area: Footprint, root: str, frame: Frame) -> Json:
    id, collection = _identity(record)
    geometry, bbox = area
    base = own_url(record, frame)
    parent = f"{root}/collections/{quote(collection, safe='')}"
    files = f"{root}/assets/{frame.catalogue}/{quote(collection, safe='')}/{quote(id, safe='')}"
    assets = {
        key: stac_assets.shown(key, asset, base, files, frame)
        for key, asset in members(record, "assets").items()
        if isinstance(asset, dict) and isinstance(asset.get("href"), str)
    }
    item = {
        **record,
        "stac_version": STAC_VERSION,
        "geometry": geometry,
        "bbox": bbox,
        "properties": _properties(record, frame),
        "links": [*_links(parent, quote(id, safe=""), root), *kept_links(record, base)],
        "assets": assets,
    }
    if bbox is None:
        del item["bbox"]
    return {**item, "stac_extensions": schemas(item, frame)}


def _identity(record: Json) -> tuple[str, str]:
    id, collection = record.get("id"), record.get("collection")
    if record.get("type") != "Feature" or not isinstance(id, str) or not id:
        raise NotAnItem("it is no Feature with an id")
    if not isinstance(collection, str) or not collection:
        raise NotAnItem("it names no collection")
    version = record.get("stac_version")
    if not isinstance(version, str) or not version.startswith("1."):
        raise NotAnItem(f"it is of STAC version {version!r}, not 1")
    return id, collection


def _properties(record: Json, frame: Frame) -> Json:
    """Return the properties; what is null or malformed is left out."""
    given = members(record, "properties").items()
    properties = with_bare_doi({name: value for name, value in given if value is not None})
    for name in properties.keys() & {*frame.readers, *TIMES}:
        read = scalars.time if name in TIMES else frame.readers[name]
        _put(properties, name, read(properties[name]))
    _complete_time(properties)
    if frame.schemes:
        properties["auth:schemes"] = {**members(properties, "auth:schemes"), **frame.schemes}
    return properties


def _complete_time(properties: Json) -> None:
    """See to it that there is a `datetime`, and of `start_datetime` and `end_datetime` both or none."""
    start, end = properties.get("start_datetime"), properties.get("end_datetime")
    moment = properties.get("datetime") or start or end
    if moment is None:
        raise NotAnItem("it has no time")
    properties["datetime"] = moment
    if start is None or end is None:
        properties.pop("start_datetime", None)
        properties.pop("end_datetime", None)


def _put(properties: Json, name: str, value: Any) -> None:
    if value is None:
        del properties[name]
    else:
        properties[name] = value


def _links(parent: str, id_url: str, root: str) -> list[Json]:
    return [
        {"rel": "self", "type": "application/geo+json", "href": f"{parent}/items/{id_url}"},
        {"rel": "root", "type": "application/json", "href": f"{root}/"},
        {"rel": "parent", "type": "application/json", "href": parent},
        {"rel": "collection", "type": "application/json", "href": parent},
    ]
