"""Which files of an item to fetch, and where they go."""

from pathlib import Path
from urllib.parse import urlsplit

from stacbridge.commands.names import file_name, safe_name, without_query
from stacbridge.commands.transfer import Transfer
from stacbridge.errors import StacbridgeError
from stacbridge.model import Json


def transfers(item: Json, keys: tuple[str, ...], folder: Path) -> list[Transfer]:
    """Return the files of the named assets; without names, the whole product.

    A whole product of one file goes into `folder`, other files into a folder in it, named after the item.
    Raises `StacbridgeError` where an asset is not there or cannot be fetched over HTTP.
    """
    assets: dict[str, Json] = item.get("assets") or {}
    chosen = keys or default_keys(assets)
    missing = [key for key in chosen if key not in assets]
    if missing:
        raise StacbridgeError(f"{item['id']} has no asset {missing[0]!r}.", advice=_choice(assets))
    place = folder / safe_name(item["id"]) if keys or len(chosen) > 1 else folder
    return [_transfer(key, assets[key], place) for key in chosen]


def default_keys(assets: dict[str, Json]) -> list[str]:
    """Return the key of the whole product (role `archive`), else all keys of data files (role `data`)."""
    archives = [key for key, asset in assets.items() if "archive" in asset.get("roles", ())]
    data = [key for key, asset in assets.items() if "data" in asset.get("roles", ())]
    if not archives and not data:
        raise StacbridgeError("No asset has the role archive or data.", advice=_choice(assets))
    return archives[:1] or data


def _transfer(key: str, asset: Json, folder: Path) -> Transfer:
    href: str = asset["href"]
    if urlsplit(href).scheme not in ("http", "https"):
        raise StacbridgeError(f"Asset {key!r} is not on HTTP.", asked=without_query(href))
    return Transfer(href, folder / file_name(href), asset.get("file:size"), asset.get("file:checksum"))


def _choice(assets: dict[str, Json]) -> str:
    return f"Name one with --asset: {', '.join(assets)}." if assets else "The item has no assets."
