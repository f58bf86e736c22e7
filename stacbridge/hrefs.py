"""The URLs of the API's resources, made from its root URL and ids."""

import re
from urllib.parse import quote, unquote

SLASH = "\0"
"""What a slash inside of an id is in the decoded path of a request, where "/" ends the id."""
ASSETS = "/assets/{catalogue}/{collection}/{item}/{asset}/{file}"
_ASSET = re.compile(r"(?:/catalogues/(?P<catalogue>[^/]+))?/assets/(?(catalogue)(?P=catalogue)/)")

_CATALOGUE = re.compile(r"/(?:assets|catalogues|account)/([^/]+)")


def is_asset(path: str) -> bool:
    """Tell whether a path below the root is of the download proxy.

    In the STAC API of a catalogue only those of its own assets are.
    """
    return _ASSET.match(path) is not None


def catalogue_of(path: str) -> str | None:
    """Return the id of the catalogue that a path below the root names, if it names one."""
    found = _CATALOGUE.match(path)
    return None if found is None else unquote(found[1])


def catalogue_href(root: str, catalogue: str) -> str:
    """Return the URL of a catalogue's own STAC API, which ends with a slash more."""
    return f"{root}/catalogues/{quote(catalogue, safe='')}"


def collection_href(root: str, collection: str) -> str:
    """Return the URL of a Collection."""
    return f"{root}/collections/{quote(collection, safe='')}"


def item_href(root: str, collection: str, item: str) -> str:
    """Return the URL of an Item."""
    return f"{collection_href(root, collection)}/items/{quote(item, safe='')}"


def asset_href(root: str, catalogue: str, collection: str, item: str, asset: str, file: str) -> str:
    """Return the URL at which the download proxy serves an asset; `file` is the file's own name."""
    path = "/".join(quote(part, safe="") for part in (catalogue, collection, item, asset, file))
    return f"{root}/assets/{path}"
