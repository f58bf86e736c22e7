"""Atom feeds as collections of features in the shape of OGC 17-047r1, so that one translation serves all.

title, updated, published, identifier, date …    from elements with text, by local name
cloudCover, orbitNumber …    from the EO extension (either namespace) as elements of an entry; as categories
                             `eo:name:value` (pycsw); and from metadata that an entry embeds (EOP, ISO …)
links                        enclosure -> data, icon -> previews, others by their own relation;
                             media:content by its category QUICKLOOK, THUMBNAIL or CLOUD
"""

from collections.abc import Iterator
from typing import Any

from stacbridge.dialects.opensearch import gml
from stacbridge.dialects.opensearch.template import short
from stacbridge.model import Json
from stacbridge.scalars import integer
from stacbridge.wire import xml
from stacbridge.wire.xml import Element

ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "http://search.yahoo.com/mrss/"
RELATIONS = {"enclosure": "data", "icon": "previews"}
MAX_LEAVES = 1000
"""Elements with text that are read of one entry at most."""
_APART = frozenset({"link", "category", "summary", "content", "author", "contributor", "group", "where"})


def collection(feed: Element, axes: str) -> Json:
    """Return a feed as a FeatureCollection; `axes` is the order of coordinates."""
    entries = [entry for entry in feed if xml.name(entry) == (ATOM, "entry")]
    totals = [xml.text(each) for each in feed if xml.name(each)[1] == "totalResults"]
    paging = [link for link in feed if xml.name(link) == (ATOM, "link")]
    return {
        "features": [_feature(entry, axes) for entry in entries],
        "totalResults": totals[0] if totals else None,
        "links": [{"rel": link.get("rel", "alternate"), "href": link.get("href")} for link in paging],
    }


def _feature(entry: Element, axes: str) -> Json:
    properties: Json = {}
    for name, value in (*_extension(entry), *_categories(entry), *_texts(entry)):
        properties.setdefault(name, value)
    for child in entry:
        if xml.name(child) == (ATOM, "summary") and xml.text(child):
            properties["abstract"] = xml.text(child)
    identifier = properties.get("identifier") or properties.get("id")
    return {
        "type": "Feature",
        "id": identifier,
        "geometry": gml.footprint(entry, axes),
        "properties": {**properties, "links": _links(entry, properties)},
    }


def _extension(entry: Element) -> Iterator[tuple[str, str]]:
    for child in entry:
        namespace, local = xml.name(child)
        if short(namespace) == "eo" and xml.text(child):
            yield local, xml.text(child)


def _categories(entry: Element) -> Iterator[tuple[str, str]]:
    for child in entry:
        term = child.get("term", "") if xml.name(child) == (ATOM, "category") else ""
        prefix, _, rest = term.partition(":")
        name, _, value = rest.partition(":")
        if prefix == "eo" and name and value:
            yield name, value


def _texts(entry: Element) -> Iterator[tuple[str, str]]:
    """Iterate over the texts of an entry and of metadata that it embeds, those nearest first."""
    direct = [child for child in entry if xml.name(child)[1] not in _APART]
    leaves = [leaf for child in direct if len(child) for leaf in child.iter() if not len(leaf)]
    for element in (*(child for child in direct if not len(child)), *leaves[:MAX_LEAVES]):
        namespace, local = xml.name(element)
        if local and namespace != gml.GEORSS and xml.text(element):
            yield local, xml.text(element)


def _links(entry: Element, properties: Json) -> list[Json]:
    found = [_link(child) for child in entry if xml.name(child) == (ATOM, "link")]
    found += [_media(each) for each in entry.iter() if xml.name(each) == (MEDIA, "content")]
    data = [link for link in found if link["rel"] == "data"]
    if len(data) == 1 and isinstance(properties.get("checksum"), str):  # Mundi's, of the one product
        data[0]["checksum"] = properties["checksum"]
    return found


def _link(element: Element) -> Json:
    rel = element.get("rel", "alternate")
    return _plain(
        rel=RELATIONS.get(rel, rel),
        href=element.get("href"),
        type=element.get("type"),
        title=element.get("title"),
        length=integer(element.get("length")),
    )


def _media(element: Element) -> Json:
    categories = [xml.text(each) for each in element if xml.name(each) == (MEDIA, "category")]
    category = categories[0] if categories else None
    rel = "related" if category == "CLOUD" else "previews"
    return _plain(rel=rel, href=element.get("url"), type=element.get("type"), category=category)


def _plain(**members: Any) -> Json:
    """Return the members that are there; pycsw writes "None" for some that are not."""
    return {name: value for name, value in members.items() if value not in (None, "", "None")}
