"""What Items and Collections of another STAC API have in common: the frame, their links, their extensions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

from stacbridge.model import Json

STAC_VERSION = "1.1.0"
_ABOUT = ("about", "cite-as", "derived_from", "describedby", "license", "related", "via")
_MAPS = ("3d-tiles", "pmtiles", "tilejson", "wms", "wmts", "xyz")
KEPT_LINKS = frozenset((*_ABOUT, *_MAPS))
"""Relations that stay true wherever the Item is shown; the others are of the upstream's own pages."""
_RESOLVER = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)(?=10\.)", re.IGNORECASE)
HTTP = ("https://", "http://")
ADDED = ("alternate", "auth:")
"""Prefixes of the members that are added."""


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
    public: tuple[str, ...] = ()
    """Parts of the paths of assets that want no credential."""


def kept_links(record: Json, base: str) -> list[Json]:
    """Return the links that stay true, and one to the upstream's own page."""
    links = [link for link in listed(record, "links") if isinstance(link.get("href"), str)]
    kept = [{**link, "href": joined(base, link["href"])} for link in links if link.get("rel") in KEPT_LINKS]
    own = [link for link in links if link.get("rel") == "self"]
    kind = (
        {"type": own[0].get("type") or "application/json", "title": "The upstream's own page"} if own else {}
    )
    via = [{"rel": "via", "href": base, **kind}] if own else []
    return [*kept, *via]


def own_url(record: Json, frame: Frame) -> str:
    """Return the URL of the upstream's own page, which relative hrefs are relative to."""
    for link in listed(record, "links"):
        if link.get("rel") == "self" and isinstance(link.get("href"), str):
            return joined(frame.home, link["href"])
    return frame.home


def with_bare_doi(given: Json) -> Json:
    """Return members with `sci:doi` as its extension wants it, without the resolver that some write."""
    doi = given.get("sci:doi")
    return {**given, "sci:doi": _RESOLVER.sub("", doi, count=1)} if isinstance(doi, str) else given


def joined(base: str, href: str) -> str:
    """Return a relative URL made absolute; one that makes no sense as it is."""
    if href.startswith(HTTP):
        return href
    try:
        return str(urljoin(base, href))
    except ValueError:
        return href


def schemas(stac: Json, frame: Frame) -> list[str]:
    """Return the schemas that are declared, and those of what is added, unless one of any version is.

    One that is declared while nothing of it is there is left out: some schemas demand that something is.
    """
    names = {name[: name.find(":") + 1] or name for name in _names(stac)}
    used = {_home(uri): uri for key, uri in frame.known.items() if key in names}
    unused = {_home(uri) for uri in frame.known.values()} - used.keys()
    told = stac.get("stac_extensions")
    declared = [uri for uri in told if isinstance(uri, str)] if isinstance(told, list) else []
    kept = [uri for uri in dict.fromkeys(declared) if _home(uri) not in unused]
    homes = set(map(_home, kept))
    added = [
        uri for key in ADDED if (uri := frame.known.get(key)) and key in names and _home(uri) not in homes
    ]
    return [*kept, *added]


def _names(stac: Json) -> set[str]:
    """Return the names of members at all levels where extensions define some."""
    names = {*stac, *members(stac, "properties"), *members(stac, "summaries")}
    files = [*members(stac, "assets").values(), *members(stac, "item_assets").values()]
    parts = [*files, *stac.get("links", ())]
    for part in (stac.get("properties"), *files):
        bands = part.get("bands") if isinstance(part, dict) else None
        parts += bands if isinstance(bands, list) else ()
    return names.union(*[part for part in parts if isinstance(part, dict)])


@lru_cache(maxsize=1024)
def _home(uri: str) -> str:
    """Return an extension's schema URI without its version."""
    return re.sub(r"/v\d[^/]*/", "/", uri)


def members(value: Json, name: str) -> Json:
    """Return an object within another; an empty one where it is missing or something else."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def listed(value: Json, name: str) -> list[Json]:
    """Return the objects of a list within an object; none where it is missing or something else."""
    found = value.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
