"""Items and Collections of another STAC API as ones of ours: links replaced, assets through the proxy.

What they say is kept, keys of assets and foreign members included, and so are the versions of the extensions
that they declare, by which they are valid; from core 1.0 to 1.1 nothing has to move. What the core demands and
an upstream forgets is added where the rest tells it: `datetime` from the interval, `type` of assets, the
schema of a prefix that none declares.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urljoin

from stacbridge import scalars
from stacbridge.errors import NotFound
from stacbridge.mapping import extensions
from stacbridge.mapping.footprints import Footprint, footprints
from stacbridge.mapping.products import NotAnItem, Place
from stacbridge.model import Json, Skipped

STAC_VERSION = "1.1.0"
KEPT_LINKS = frozenset(("about", "cite-as", "derived_from", "describedby", "license", "related", "via"))
"""Relations that stay true wherever the Item is shown; the others are of the upstream's own pages."""
TIMES = ("datetime", "start_datetime", "end_datetime", "created", "updated", "published", "expires")
UNTOLD = "application/octet-stream"
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f]+\.[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Frame:
    """What the Items of a catalogue share. `home` is the URL that relative ones without a base are of."""

    catalogue: str
    home: str
    schemes: Json
    """auth:schemes by name."""
    origin: Json
    """Members of the alternate "origin"."""
    readers: Mapping[str, Callable[[Any], Any]]
    """What turns an upstream's value of a property into the Item's."""
    known: Mapping[str, str]
    """Schema URI by prefix; see `extensions`."""


def items(records: list[Json], root: str, frame: Frame) -> tuple[list[Json], list[Skipped]]:
    """Return the Items of a page, and which records could not become one."""
    found: list[Json] = []
    skipped: list[Skipped] = []
    areas = footprints([{"GeoFootprint": record.get("geometry")} for record in records])
    for record, area in zip(records, areas, strict=True):
        try:
            found.append(_item(record, area, root, frame))
        except NotAnItem as reason:
            skipped.append(Skipped(str(record.get("id") or "an Item without an id"), str(reason)))
    return found, skipped


def _item(record: Json, area: Footprint, root: str, frame: Frame) -> Json:
    id, collection = _identity(record)
    geometry, bbox = area
    base = _own_url(record, frame)
    parent = f"{root}/collections/{quote(collection, safe='')}"
    files = f"{root}/assets/{frame.catalogue}/{quote(collection, safe='')}/{quote(id, safe='')}"
    assets = {
        key: _asset(key, asset, base, files, frame)
        for key, asset in _members(record, "assets").items()
        if isinstance(asset, dict) and isinstance(asset.get("href"), str)
    }
    item = {
        **record,
        "stac_version": STAC_VERSION,
        "geometry": geometry,
        "bbox": bbox,
        "properties": _properties(record, frame),
        "links": [*_links(parent, quote(id, safe=""), root), *_kept_links(record, base)],
        "assets": assets,
    }
    if bbox is None:
        del item["bbox"]
    return {**item, "stac_extensions": _extensions(item, frame)}


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
    """Return the properties with times as RFC 3339 in UTC; what is null or malformed is left out."""
    properties = {name: value for name, value in _members(record, "properties").items() if value is not None}
    for name, read in frame.readers.items():
        if name in properties and name not in TIMES:
            _put(properties, name, read(properties[name]))
    for name in TIMES:
        if name in properties:
            _put(properties, name, scalars.time(properties[name]))
    if ("start_datetime" in properties) != ("end_datetime" in properties):
        bound = properties.pop("start_datetime", None) or properties.pop("end_datetime", None)
        properties.setdefault("datetime", bound)
    if "datetime" not in properties and "start_datetime" in properties:
        properties["datetime"] = properties["start_datetime"]
    if "datetime" not in properties:
        raise NotAnItem("it has no time")
    if frame.schemes:
        properties["auth:schemes"] = {**_members(properties, "auth:schemes"), **frame.schemes}
    return properties


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


def _kept_links(record: Json, base: str) -> list[Json]:
    """Return the links that stay true, and one to the upstream's own page."""
    links = [link for link in _listed(record, "links") if isinstance(link.get("href"), str)]
    kept = [{**link, "href": urljoin(base, link["href"])} for link in links if link.get("rel") in KEPT_LINKS]
    own = [link for link in links if link.get("rel") == "self"]
    via = [{"rel": "via", "href": base, "type": own[0].get("type") or "application/json"}] if own else []
    return [*kept, *via]


def _own_url(record: Json, frame: Frame) -> str:
    """Return the URL of the upstream's own page, which relative hrefs are relative to."""
    for link in _listed(record, "links"):
        if link.get("rel") == "self" and isinstance(link.get("href"), str):
            return urljoin(frame.home, link["href"])
    return frame.home


def _asset(key: str, asset: Json, base: str, files: str, frame: Frame) -> Json:
    """Return an asset whose href is the proxy's, and "origin" the upstream's; hrefs other than HTTP stay."""
    href = urljoin(base, asset["href"])
    shown = {name: value for name, value in asset.items() if value is not None and name != "auth:refs"}
    shown = {**shown, "href": href, "type": media_type(asset)}
    if not href.startswith(("https://", "http://")):
        return {**shown, **{name: asset[name] for name in ("auth:refs",) if name in asset}}
    origin = {"href": href, **frame.origin}
    if "auth:refs" in asset:
        origin["auth:refs"] = asset["auth:refs"]
    shown["href"] = f"{files}/{quote(key, safe='')}/{quote(file_name(asset, href), safe='')}"
    shown["alternate"] = {**_members(asset, "alternate"), "origin": origin}
    return shown


def media_type(asset: Json) -> str:
    """Return an asset's media type; clients fetch those without one to find out."""
    told = asset.get("type")
    return told if isinstance(told, str) and told else UNTOLD


def file_name(asset: Json, href: str) -> str:
    """Return what a file is saved as: its `file:local_path`, a title that completes its URL, or its URL.

    At MAAP, URLs of whole products have no `.zip`, and those of EarthCARE lack the last letter of the name,
    which titles have.
    """
    last = unquote(href.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2])
    local, title = asset.get("file:local_path"), asset.get("title")
    if isinstance(local, str) and (name := local.replace("\\", "/").rstrip("/").rpartition("/")[2]):
        return name
    if isinstance(title, str) and title.startswith(last) and _FILE_NAME.fullmatch(title):
        return title
    return (
        f"{last}.zip"
        if media_type(asset) == "application/zip" and not last.lower().endswith(".zip")
        else last
    )


def place(record: Json, key: str, frame: Frame) -> Place:
    """Return where an asset of an Item is. Raises `NotFound` for one it has not, or that is not on HTTP."""
    asset = _members(record, "assets").get(key)
    href = asset.get("href") if isinstance(asset, dict) else None
    url = urljoin(_own_url(record, frame), href) if isinstance(href, str) else ""
    if not isinstance(asset, dict) or not url.startswith(("https://", "http://")):
        raise NotFound(f"{record.get('id')!r} has no asset {key!r} that can be downloaded.")
    size, checksum = asset.get("file:size"), asset.get("file:checksum")
    return Place(
        kind="file",
        product=str(record.get("id")),
        product_name=str(record.get("id")),
        name=file_name(asset, url),
        media_type=media_type(asset),
        url=url,
        size=size if isinstance(size, int) and size > 0 else None,
        checksum=checksum if isinstance(checksum, str) else None,
    )


def collection(entry: Json, frame: Frame) -> Json | None:
    """Return a Collection without API links; `None` where it has no id, or no page of items to search."""
    links = _listed(entry, "links")
    if not isinstance(entry.get("id"), str) or not any(link.get("rel") == "items" for link in links):
        return None
    shown = {name: value for name, value in entry.items() if value is not None and name != "collection"}
    title = shown.get("title") or entry["id"]
    licence = shown.get("license")
    stac = {
        **shown,
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "title": title,
        "description": shown.get("description") or title,
        "license": "other" if licence in (None, "", "various", "proprietary") else licence,
        "extent": _extent(_members(entry, "extent")),
        "links": _kept_links(entry, _own_url(entry, frame)),
    }
    if frame.schemes:
        stac["auth:schemes"] = {**_members(entry, "auth:schemes"), **frame.schemes}
    return {**stac, "stac_extensions": _extensions(stac, frame)}


def _extent(told: Json) -> Json:
    boxes = [box for box in _lists(_members(told, "spatial").get("bbox")) if _is_box(box)]
    spans = [
        [_bound(span, 0), _bound(span, 1)] for span in _lists(_members(told, "temporal").get("interval"))
    ]
    return {
        "spatial": {"bbox": boxes or [[-180, -90, 180, 90]]},
        "temporal": {"interval": spans or [[None, None]]},
    }


def _bound(span: list[Any], end: int) -> str | None:
    return scalars.time(span[end]) if len(span) == 2 else None


def _is_box(box: list[Any]) -> bool:
    return len(box) in (4, 6) and all(isinstance(number, int | float) for number in box)


def _extensions(stac: Json, frame: Frame) -> list[str]:
    """Return the schemas that are declared, and those of prefixes in use that none of them is of."""
    declared = [uri for uri in stac.get("stac_extensions") or () if isinstance(uri, str)]
    used = extensions.of(_names(stac), frame.known)
    homes = {_home(uri) for uri in declared}
    return [*dict.fromkeys(declared), *(uri for uri in used if _home(uri) not in homes)]


def _names(stac: Json) -> Iterable[str]:
    """Return the names that extensions may define, at the levels where they do."""
    yield from stac
    yield from stac.get("properties", ())
    for asset in _members(stac, "assets").values():
        yield from asset if isinstance(asset, dict) else ()
    for link in stac["links"]:
        yield from link


def _home(uri: str) -> str:
    """Return an extension's schema URI without its version."""
    return re.sub(r"/v\d[^/]*/", "/", uri)


def _members(value: Json, name: str) -> Json:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _listed(value: Json, name: str) -> list[Json]:
    found = value.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _lists(value: Any) -> list[list[Any]]:
    return [entry for entry in value if isinstance(entry, list)] if isinstance(value, list) else []
