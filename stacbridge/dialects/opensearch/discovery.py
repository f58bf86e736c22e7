"""Collections that a service describes, in STAC's words: OGC 17-084r1's properties as 17-047r1 services give
them, and Dublin Core's of Atom.
"""

import re
from collections.abc import Iterator
from typing import Any

from stacbridge import scalars
from stacbridge.dialects.opensearch import answers
from stacbridge.dialects.opensearch.records import flat
from stacbridge.mapping import extents
from stacbridge.mapping.footprints import footprints
from stacbridge.model import Json

DESCRIPTION = "application/opensearchdescription+xml"
LINKS = {"describedby": "about", "via": "via"}
"""STAC's relations of links that a Collection keeps, by the service's."""
_URL = re.compile(r"https?://[^\s<>\"']+")
_SUMMARIES = {"instruments": "instrumentShortName", "platform": "platformSerialIdentifier"}


def key(feature: Json) -> str | None:
    """Return what the service calls a collection."""
    properties = feature.get("properties")
    told = feature.get("id") or (properties.get("identifier") if isinstance(properties, dict) else None)
    return told if isinstance(told, str) else None


def short(told: str) -> str:
    """Shorten "urn:eop:VITO:TERRASCOPE_S2_TOC_V2" to "terrascope-s2-toc-v2", as Terrascope's STAC API does
    (docs.terrascope.be, STAC API)."""
    return told.rpartition(":")[2].lower().replace("_", "-")


def description(feature: Json) -> str | None:
    """Return the URL of a collection's own description document, where it links one."""
    for rel, link in answers.entries(_properties(feature).get("links")):
        if rel == "search" and link.get("type") == DESCRIPTION and isinstance(link.get("href"), str):
            return str(link["href"])
    return None


def collection(feature: Json, id: str) -> Json:
    """Return the STAC Collection of a feature under an id of ours."""
    properties = _properties(feature)
    title = _text(properties, "title") or id
    found = {
        "id": id,
        "title": title,
        "description": _text(properties, "abstract") or _text(properties, "description") or title,
        "keywords": _keywords(properties),
        "providers": list(_providers(properties)),
        "extent": {
            "spatial": {"bbox": _bbox(feature)},
            "temporal": {"interval": [_interval(properties)]},
        },
        "summaries": dict(_summaries(properties)),
        "links": list(_links(properties)),
    }
    return {name: value for name, value in found.items() if value}


def _properties(feature: Json) -> Json:
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else {}


def _text(members: Json, name: str) -> str | None:
    value = members.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _dicts(value: Any) -> list[Json]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]


def _keywords(properties: Json) -> list[str]:
    given = properties.get("keyword")
    words = given if isinstance(given, list) else [given]
    return list(dict.fromkeys(word for word in words if isinstance(word, str) and word))


def _providers(properties: Json) -> Iterator[Json]:
    """Iterate over who publishes it, and who else signs as its author."""
    authors = [(_text(each, "name"), _text(each, "uri")) for each in _dicts(properties.get("authors"))]
    publisher = _text(properties, "publisher") or _text(properties, "organisationName")
    seen: set[str] = set()
    for name, url in ((publisher, None), *authors):
        if name and name not in seen:
            seen.add(name)
            roles = ["host"] if name == publisher else ["producer"]
            yield {"name": name, "roles": roles, **({"url": url} if url and _URL.fullmatch(url) else {})}


def _bbox(feature: Json) -> list[list[float]]:
    """Return the extent: the feature's own bbox, else that of its footprint, else the world."""
    footprint = footprints([{"GeoFootprint": feature.get("geometry")}])[0][1]
    return extents.boxes([feature.get("bbox"), footprint])[:1]


def _interval(properties: Json) -> list[str | None]:
    """Return start and end of `date` ("a/b", open where empty), else of the acquisitions."""
    given = _text(properties, "date")
    if given is not None:
        start, _, end = given.partition("/")
        return [scalars.time(start), scalars.time(end)]
    known = flat(properties)
    return [scalars.time(known.get("beginningDateTime")), scalars.time(known.get("endingDateTime"))]


def _summaries(properties: Json) -> Iterator[tuple[str, list[Any]]]:
    groups = _dicts(properties.get("acquisitionInformation"))
    parts = [
        part for group in groups for name in ("platform", "instrument") for part in _dicts(group.get(name))
    ]
    for name, member in _SUMMARIES.items():
        values = [_text(part, member) for part in parts]
        lowered = dict.fromkeys(value.lower() for value in values if value)
        if lowered:
            yield name, list(lowered)
    resolutions = [scalars.double(band.get("resolution")) for band in _dicts(properties.get("bands"))]
    gsd = sorted({number for number in resolutions if number})
    if gsd:
        yield "gsd", list(gsd)


def _links(properties: Json) -> Iterator[Json]:
    for rel, link in answers.entries(properties.get("links")):
        if rel in LINKS and isinstance(link.get("href"), str) and _URL.match(link["href"]):
            told = {name: _text(link, name) for name in ("type", "title")}
            yield {
                "rel": LINKS[rel],
                "href": link["href"],
                **{name: text for name, text in told.items() if text},
            }
    for label in _licences(properties):
        yield {"rel": "license", "href": label, "title": "Licence"}


def _licences(properties: Json) -> Iterator[str]:
    distribution = properties.get("distribution")
    for licence in _dicts(distribution.get("license")) if isinstance(distribution, dict) else ():
        label = _text(licence, "label")
        if label and _URL.fullmatch(label):
            yield label
