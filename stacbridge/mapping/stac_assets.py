"""Assets of another STAC API's Items: how they are shown, what they are saved as, where their bytes are."""

import re
from urllib.parse import quote, unquote

from stacbridge.errors import NotFound
from stacbridge.mapping.products import Place
from stacbridge.mapping.stac_parts import HTTP, Frame, joined, members, own_url
from stacbridge.model import Json

UNTOLD = "application/octet-stream"
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f]+\.[A-Za-z0-9]+")


def shown(key: str, asset: Json, base: str, files: str, frame: Frame) -> Json:
    """Return an asset whose href is the proxy's, and "origin" the upstream's; hrefs other than HTTP stay."""
    href = joined(base, asset["href"])
    told = {name: value for name, value in asset.items() if value is not None}
    told |= {"href": href, "type": media_type(asset)}
    if not href.startswith(HTTP):
        return told
    needs = told.pop("auth:refs", frame.origin.get("auth:refs"))
    origin = {"href": href, **frame.origin, "auth:refs": needs}
    if needs is None or any(part in href for part in frame.public):
        del origin["auth:refs"]
    told["href"] = f"{files}/{quote(key, safe='')}/{quote(file_name(asset, href) or key, safe='')}"
    told["alternate"] = {**members(asset, "alternate"), "origin": origin}
    return told


def media_type(asset: Json) -> str:
    """Return an asset's media type; clients fetch those without one to find out."""
    told = asset.get("type")
    return told if isinstance(told, str) and told else UNTOLD


def file_name(asset: Json, href: str) -> str:
    """Return what a file is saved as: its `file:local_path`, a title that completes its URL, or its URL.

    At MAAP, URLs of whole products have no `.zip`, and those of EarthCARE lack the last letter of the name,
    which titles have.
    """
    local, title, last = asset.get("file:local_path"), asset.get("title"), _last(href)
    if isinstance(local, str) and (name := _last(local.replace("\\", "/"))) not in ("", ".", ".."):
        return name
    if isinstance(title, str) and title.startswith(last) and _FILE_NAME.fullmatch(title):
        return title
    return f"{last}.zip" if _is_made(asset, href) else last


def place(record: Json, key: str, frame: Frame) -> Place:
    """Return where an asset of an Item is. Raises `NotFound` for one it has not, or that is not on HTTP."""
    asset = members(record, "assets").get(key)
    href = asset.get("href") if isinstance(asset, dict) else None
    url = joined(own_url(record, frame), href) if isinstance(href, str) else ""
    if not isinstance(asset, dict) or not url.startswith(HTTP):
        raise NotFound(f"{record.get('id')!r} has no asset {key!r} that can be downloaded.")
    size, checksum = asset.get("file:size"), asset.get("file:checksum")
    stored = not _is_made(asset, url)
    return Place(
        kind="file",
        product=str(record.get("id")),
        product_name=str(record.get("id")),
        name=file_name(asset, url) or key,
        media_type=media_type(asset),
        url=url,
        size=size if stored and isinstance(size, int) and size > 0 else None,
        checksum=checksum if stored and isinstance(checksum, str) else None,
    )


def _is_made(asset: Json, href: str) -> bool:
    """Tell whether a zip is put together while it is sent: its URL names no file, so no size holds for it."""
    return media_type(asset) == "application/zip" and not _last(href).lower().endswith(".zip")


def _last(path: str) -> str:
    return unquote(path.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2])
