"""Documents of the simulated MAAP: landing page, collections, queryables, items. `root` is its URL."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from .answers import Refused
from .maap_filters import refused
from .maap_holdings import NAMES, Holding, Item, Json

OSDD = "application/opensearchdescription+xml"
GEOJSON = "application/geo+json"
AS_GEOJSON = "application/geo+json;profile=https://stacspec.org"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
CONFORMANCE = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/simple-query",
    "https://api.stacspec.org/v1.0.0-rc.2/core",
    "https://api.stacspec.org/v1.0.0-rc.2/item-search",
    "https://api.stacspec.org/v1.0.0-rc.2/item-search#filter",
    "https://api.stacspec.org/v1.0.0-rc.2/collections",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search#free-text",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search#filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
]
_TIMES = ("processingDate", "creationDate", "modificationDate")
_UNLISTED = ("uid", "frame", "track", "doi")


def landing(root: str) -> Json:
    """The landing page; its first link to a search is to an OpenSearch description."""
    return {
        "type": "Catalog",
        "stac_version": "1.1.0",
        "id": "fedeo",
        "title": "MAAP Catalogue",
        "description": "A simulation of the MAAP Catalogue.",
        "conformsTo": CONFORMANCE,
        "links": [
            {"rel": "self", "href": f"{root}/", "type": "application/json"},
            {"rel": "search", "href": f"{root}/api?httpAccept={quote(OSDD)}", "type": OSDD},
            {"rel": "root", "href": f"{root}/", "type": "application/json"},
            {"rel": "data", "href": f"{root}/collections", "type": "application/json"},
            {"rel": "data", "href": f"{root}/collections", "type": "application/ld+json"},
            {"rel": "conformance", "href": f"{root}/conformance", "type": "application/json"},
            {"rel": "search", "href": f"{root}/search", "type": GEOJSON, "method": "GET"},
            {"rel": "search", "href": f"{root}/search", "type": GEOJSON, "method": "POST"},
            {"rel": "child", "href": f"{root}/series", "type": "application/json"},
        ],
    }


def collection(holding: Holding, root: str) -> Json:
    """A Collection as this software writes them: STAC 1.0, and links to renditions of all kinds."""
    about = holding.about
    own = f"{root}/collections/{quote(holding.id, safe=':')}"
    links = [
        {"rel": "self", "href": own, "type": "application/json"},
        {"rel": "root", "href": f"{root}/", "type": "application/json"},
        {"rel": "parent", "href": f"{root}/", "type": "application/json"},
        {"rel": "describedby", "href": f"https://example.com/{holding.id}", "title": about["title"]},
        {
            "rel": "alternate",
            "href": f"{own}?httpAccept=application/atom%2Bxml",
            "type": "application/atom+xml",
        },
        {"rel": "search", "href": f"{own}/api", "type": OSDD},
    ]
    if holding.items:
        named = f"{root}/collections/{quote(about.get('queryables', holding.id), safe=':')}"
        links += [
            {"rel": "items", "href": f"{own}/items?httpAccept={quote(AS_GEOJSON)}", "type": GEOJSON},
            {"rel": QUERYABLES, "href": f"{named}/queryables", "type": "application/schema+json"},
        ]
    start, end = (iso(holding.items[end].start) if holding.items else None for end in (0, -1))
    metadata = {"href": f"{own}?httpAccept=text/html", "type": "text/html", "roles": ["metadata"]}
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": holding.id,
        "title": about["title"],
        "description": about["description"],
        "license": "various",
        "collection": "EOP:ESA:MAAP",
        "keywords": ["ESA", about["platform"], about.get("right", "PUBLIC")],
        "providers": [{"name": "ESA/ESRIN", "roles": ["producer"]}],
        "summaries": {"platform": [about["platform"]], "instruments": [about["instrument"]]},
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [[start, end]]},
        },
        "assets": {"metadata_html": metadata},
        "links": links,
    }


def schema(holding: Holding, root: str, names: Mapping[str, str]) -> Json:
    """The queryables of a collection; `names` is what the catalogue calls them at present."""
    facts = [item.facts for item in holding.items]
    common = [name for name in facts[0] if all(name in fact for fact in facts)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{root}/collections/{holding.id}/queryables",
        "type": "object",
        "title": f"Queryables for {holding.id} collection",
        "properties": {names.get(name, name): _described(name, facts) for name in common},
    }


def _described(name: str, facts: list[Json]) -> Json:
    if name in _TIMES:
        return {"title": name, "type": "string", "format": "date-time"}
    if isinstance(facts[0][name], int):
        return {"title": name, "type": "integer"}
    listed = {} if name in _UNLISTED else {"enum": sorted({fact[name] for fact in facts})}
    return {"title": name, "type": "string", **listed}


def vocabulary(namespaced: bool) -> dict[str, str]:
    """What queryables are called: `{own name: name in use}`, empty where they keep their own."""
    return {plain: stac for stac, plain in NAMES.items()} if namespaced else {}


def cut(found: list[Any], asked: Mapping[str, Any], start: int, default: int = 10) -> tuple[list[Any], int]:
    """One page of what was found from `start`, and where it ends."""
    try:
        limit = min(int(asked.get("limit", default)), 1000)
    except (TypeError, ValueError):
        raise refused("limit: a number is expected") from None
    return found[start : start + limit], start + limit


def features(page: Iterable[Item], root: str, data: str, matched: int) -> Json:
    """A page of items, without its links."""
    found = [_shown(item, root, data) for item in page]
    return {
        "type": "FeatureCollection",
        "features": found,
        "numberMatched": matched,
        "numberReturned": len(found),
    }


def _shown(item: Item, root: str, data: str) -> Json:
    own = f"{root}/collections/{quote(item.collection, safe=':')}"
    assets = {
        key: {**asset, "href": asset["href"].replace("{data}", data, 1)}
        for key, asset in item.stac["assets"].items()
    }
    links = [
        {"rel": "self", "href": f"{own}/items/{item.id}", "type": GEOJSON},
        {"rel": "root", "href": f"{root}/", "type": "application/json"},
        {"rel": "parent", "href": own, "type": "application/json"},
        {"rel": "collection", "href": own, "type": "application/json"},
        {"rel": "alternate", "href": f"{own}/items/{item.id}?httpAccept=text/html", "type": "text/html"},
    ]
    return {**item.stac, "assets": assets, "links": links}


def next_link(url: str, asked: Mapping[str, str], **more: str) -> Json:
    """The link to the next page. Of items it forgets `httpAccept`, so that who follows it gets Atom."""
    kept = {name: value for name, value in asked.items() if name not in (*more, "httpAccept")}
    return {"rel": "next", "href": f"{url}?{urlencode({**kept, **more})}", "type": GEOJSON, "method": "GET"}


def marker(offset: int) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(f"m{offset}".encode()).decode()


def offset(asked: Mapping[str, Any]) -> int:
    """Where the page that a cursor names starts."""
    given = asked.get("marker")
    if given is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(str(given)).decode().removeprefix("m"))
    except ValueError:
        raise Refused(400, {"code": "InvalidParameterValue", "description": "marker"}) from None


def iso(moment: Any) -> str:
    """A time as this software writes it."""
    return str(moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
