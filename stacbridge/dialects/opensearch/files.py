"""The files of a feature, as the mapping takes them: see `mapping.listed`.

    data         the product itself                     roles data
    related      masks, classifications, auxiliary data quality, cloud: its category; else auxiliary
    previews     quicklooks and map images              overview, and thumbnail where its category says so
    alternates   metadata documents                     metadata

resto names its one product, quicklook and thumbnail among the properties instead.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from stacbridge.dialects.opensearch import answers
from stacbridge.model import Json
from stacbridge.scalars import integer

GROUPS = {
    "data": ("data",),
    "related": ("auxiliary",),
    "previews": ("overview",),
    "alternates": ("metadata",),
    "via": ("metadata",),
}
CATEGORIES = {
    "QUALITY": ("quality",),
    "CLOUD": ("cloud",),
    "THUMBNAIL": ("thumbnail",),
}
"""Roles by the category of a link, in place of those of its group."""
PAGES = ("text/html", "application/atom+xml", "application/geo+json", "application/opensearchdescription+xml")
"""Types of links that lead to pages about a product, not to its files."""
_EXTENSIONS = {
    "application/json": ".json",
    "application/xml": ".xml",
    "application/zip": ".zip",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "text/xml": ".xml",
}
_EPSG = re.compile(r"https?://www\.opengis\.net/def/crs/EPSG/[\d.]+/(\d+)")
_MD5 = re.compile(r"[0-9a-f]{32}")


def files(properties: Json) -> list[Json]:
    """Return the files that the properties of a feature list, each with a key of its own.

    A key is the link's title, else its category, else its group; the second of the same gets `-2`.
    """
    found: list[Json] = []
    seen: dict[str, int] = {}
    hrefs: set[str] = set()
    for group, link in (*answers.entries(properties.get("links")), *_resto(properties)):
        href = link.get("href")
        if group not in GROUPS or not isinstance(href, str) or not href or href in hrefs:
            continue
        if group != "data" and link.get("type") in PAGES:
            continue
        hrefs.add(href)
        key = _text(link, "title") or _text(link, "category") or group
        seen[key] = seen.get(key, 0) + 1
        found.append(_file(key if seen[key] == 1 else f"{key}-{seen[key]}", group, link))
    return found


def _file(key: str, group: str, link: Json) -> Json:
    media_type = _text(link, "type")
    file: Json = {
        "key": key,
        "href": link["href"],
        "name": _name(key, link["href"], media_type),
        "type": media_type,
        "title": _text(link, "title"),
        "roles": list(CATEGORIES.get(_text(link, "category") or "", GROUPS[group])),
        "size": integer(link.get("length")),
        "checksum": _checksum(link),
        "fields": dict(_fields(link)),
    }
    return {name: value for name, value in file.items() if value not in (None, {})}


def _name(key: str, href: str, media_type: str | None) -> str:
    last = unquote(urlsplit(href).path.rpartition("/")[2])
    return last if "." in last else f"{last or key}{_EXTENSIONS.get(media_type or '', '')}"


def _checksum(link: Json) -> str | None:
    value = str(link.get("checksum", "")).lower().removeprefix("md5=")
    return f"d50110{value}" if _MD5.fullmatch(value) else None


def _fields(link: Json) -> Iterator[tuple[str, Any]]:
    system = _EPSG.fullmatch(_text(link, "conformsTo") or "")
    if system:
        yield "proj:code", f"EPSG:{system[1]}"
    bands = link.get("bandNames")
    if isinstance(bands, list) and bands and all(isinstance(band, str) for band in bands):
        yield "bands", [{"name": band} for band in bands]


def _text(link: Json, name: str) -> str | None:
    value = link.get(name)
    return value if isinstance(value, str) and value else None


def _resto(properties: Json) -> Iterator[tuple[str, Json]]:
    """Iterate over the links that resto has in properties of their own."""
    services = properties.get("services")
    download = services.get("download") if isinstance(services, dict) else None
    if isinstance(download, dict):
        told = {"type": download.get("mimeType"), "length": download.get("size")}
        yield "data", {"href": download.get("url"), "title": "product", **told, **_only(download, "checksum")}
    for name, category in (("thumbnail", "THUMBNAIL"), ("quicklook", "QUICKLOOK")):
        yield "previews", {"href": properties.get(name), "title": name, "category": category}


def _only(members: Json, name: str) -> Json:
    return {name: members[name]} if name in members else {}
