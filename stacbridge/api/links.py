"""The links of the API's own documents. Each link states its media type; clients choose by it."""

from collections.abc import Iterable
from urllib.parse import urlencode

from stacbridge.hrefs import catalogue_href, collection_href
from stacbridge.model import Json

JSON = "application/json"
GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
HTML = "text/html"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SORTABLES = "http://www.opengis.net/def/rel/ogc/1.0/sortables"


def link(rel: str, href: str, media_type: str, title: str | None = None, **more: str) -> Json:
    """Return a link object."""
    titled = {} if title is None else {"title": title}
    return {"rel": rel, "href": href, "type": media_type, **titled, **more}


def landing(root: str, collections: Iterable[Json]) -> list[Json]:
    """Return the links of the landing page.

    Each Collection is a `child`: readers of static catalogues (`pystac.Catalog`, QGIS's plugin where it does
    not find OGC API - Features) see the Collections by these alone, and API clients pass over them.
    """
    search = f"{root}/search"
    return [
        link("self", f"{root}/", JSON, "This page"),
        link("root", f"{root}/", JSON, "This page"),
        link("data", f"{root}/collections", JSON, "Collections"),
        link("conformance", f"{root}/conformance", JSON, "Conformance classes"),
        link("search", search, GEOJSON, "Item search (GET)", method="GET"),
        link("search", search, GEOJSON, "Item search (POST)", method="POST"),
        link(QUERYABLES, f"{root}/queryables", SCHEMA, "Properties that a filter may name"),
        link(SORTABLES, f"{root}/sortables", SCHEMA, "Properties that sortby may name"),
        *aggregation(root),
        link("service-desc", f"{root}/api", OPENAPI, "OpenAPI description"),
        link("service-doc", f"{root}/api.html", HTML, "Documentation"),
        *(
            link("child", collection_href(root, collection["id"]), JSON, collection.get("title"))
            for collection in collections
        ),
    ]


def catalogue(root: str, id: str, title: str) -> Json:
    """Return the link to a catalogue's own STAC API."""
    return link("child", f"{catalogue_href(root, id)}/", JSON, title)


def above(root: str, id: str) -> Json:
    """Return the link from the STAC API of a catalogue to the one of all."""
    return link("parent", f"{root.removesuffix(catalogue_href('', id))}/", JSON, "All catalogues")


def aggregation(href: str) -> list[Json]:
    """Return the links to the numbers of Items under an URL, the API's or a Collection's."""
    return [
        link("aggregate", f"{href}/aggregate", JSON, "Numbers of items (GET)", method="GET"),
        link("aggregate", f"{href}/aggregate", JSON, "Numbers of items (POST)", method="POST"),
        link("aggregations", f"{href}/aggregations", JSON, "Numbers that aggregate tells"),
    ]


def collections(root: str) -> list[Json]:
    """Return the links of the list of Collections."""
    return [
        link("self", f"{root}/collections", JSON),
        link("root", f"{root}/", JSON),
        link(QUERYABLES, f"{root}/collections-queryables", SCHEMA, "Properties that a filter may name"),
        link(SORTABLES, f"{root}/collections-sortables", SCHEMA, "Properties that sortby may name"),
    ]


def collection(root: str, found: Json) -> Json:
    """Return a Collection with the API's links before its own."""
    href = collection_href(root, found["id"])
    api_links = [
        link("self", href, JSON, found.get("title")),
        link("root", f"{root}/", JSON, "All collections"),
        link("parent", f"{root}/", JSON, "All collections"),
        link("items", f"{href}/items", GEOJSON, "Items"),
        link(QUERYABLES, f"{href}/queryables", SCHEMA, "Properties that a filter may name"),
        link(SORTABLES, f"{href}/sortables", SCHEMA, "Properties that sortby may name"),
        *aggregation(href),
    ]
    return {**found, "links": [*api_links, *found.get("links", ())]}


def items(root: str, collection_id: str) -> list[Json]:
    """Return the links of a Collection's Items; `self` has no query, as stac-api-validator asks."""
    href = collection_href(root, collection_id)
    return [
        link("self", f"{href}/items", GEOJSON),
        link("root", f"{root}/", JSON),
        link("parent", href, JSON),
        link("collection", href, JSON),
    ]


def found(root: str) -> list[Json]:
    """Return the links of a search's answer."""
    return [link("self", f"{root}/search", GEOJSON), link("root", f"{root}/", JSON)]


def next_get(url: str, parameters: Iterable[tuple[str, str]], token: str) -> Json:
    """Return the link to the next page of a GET: the whole search and the token are in its URL."""
    kept = [(name, value) for name, value in parameters if name != "token"]
    return link("next", f"{url}?{urlencode([*kept, ('token', token)])}", GEOJSON, method="GET")


def next_post(url: str, body: Json, token: str) -> Json:
    """Return the link to the next page of a POST, with the whole body: few clients can merge one."""
    return {**link("next", url, GEOJSON, method="POST"), "body": {**body, "token": token}}
