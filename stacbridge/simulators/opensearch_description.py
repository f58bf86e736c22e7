"""The description documents of the simulated service, in either variant of the extensions' namespaces."""

from xml.sax.saxutils import escape, quoteattr

from .opensearch_answers import GEOJSON, ORIGINS
from .opensearch_products import Holding

CORE = "http://a9.com/-/spec/opensearch/1.1/"
VITO = "http://www.vito.be/opensearch/extensions/eop/1.0/"
REFERRER = "http://www.opensearch.org/Specifications/OpenSearch/Extensions/Referrer/1.0"
PAGING = {"startIndex": "startIndex", "count": "count", "sortKeys": "sru:sortKeys"}
SPACE = {"start": "time:start", "end": "time:end", "bbox": "geo:box", "geometry": "geo:geometry"}
PRODUCTS = {
    **SPACE,
    "uid": "geo:uid",
    "title": "vito:title",
    "productType": "eo:productType",
    "relativeOrbitNumber": "eo:relativeOrbitNumber",
    "orbitDirection": "eo:orbitDirection",
    "cloudCover": "eo:cloudCover",
    "tileId": "vito:tileId",
    "productGroupId": "eo:productGroupId",
    "resolution": "eo:resolution",
    "productVersion": "eo:productVersion",
    "publicationDate": "eo:publicationDate",
    "modificationDate": "eo:modificationDate",
    "accessedFrom": "referrer:accessedFrom",
    "clientId": "referrer:clientId",
    **PAGING,
}
"""Parameters by key."""
COLLECTIONS = {**SPACE, "platform": "eo:platform", **PAGING}


def document(base: str, holding: Holding | None, *, spec: bool) -> str:
    """Return the description of the service, or of the search in one collection.

    `spec` writes the variant of the extensions' namespaces that has `/spec/` in it.
    """
    path, keys = ("collections", COLLECTIONS) if holding is None else ("products", PRODUCTS)
    fixed = f"collection={holding.id}&" if holding else ""
    query = "&".join(f"{key}={{{name}?}}" for key, name in keys.items())
    template = f"{base}/catalogue/{path}?{fixed}{query}"
    name = "Terrascope" if holding is None else holding.id.rpartition(":")[2][:16]
    rel = "collection" if holding is None else "results"
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<OpenSearchDescription xmlns="{CORE}"{_namespaces(spec)}>\n',
            f"  <ShortName>{escape(name)}</ShortName>\n",
            f"  <Description>Simulated catalogue of {escape(name)}</Description>\n",
            f'  <Url type="{GEOJSON}" rel="{rel}" indexOffset="1" template={quoteattr(template)}>\n',
            *_parameters(holding),
            "  </Url>\n",
            "</OpenSearchDescription>\n",
        )
    )


def _namespaces(spec: bool) -> str:
    stem = f"http://a9.com/-/{'spec/' if spec else ''}opensearch/extensions"
    known = {name: f"{stem}/{name}/1.0/" for name in ("geo", "time", "eo")}
    known |= {"sru": f"{stem}/sru/2.0/", "vito": VITO, "referrer": REFERRER}
    known["param"] = "http://a9.com/-/spec/opensearch/extensions/parameters/1.0/"
    return "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in known.items())


def _parameters(holding: Holding | None) -> list[str]:
    found = ['    <param:Parameter name="count" value="{count}" minInclusive="0" maxInclusive="500"/>\n']
    if holding is not None:
        options = {
            ("productType", "eo:productType"): [holding.product_type],
            ("orbitDirection", "eo:orbitDirection"): ["ASCENDING", "DESCENDING"],
            ("accessedFrom", "referrer:accessedFrom"): list(ORIGINS),
        }
        for (key, name), values in options.items():
            listed = "".join(f"<param:Option label={quoteattr(v)} value={quoteattr(v)}/>" for v in values)
            found.append(f'    <param:Parameter name="{key}" value="{{{name}}}">{listed}</param:Parameter>\n')
    return found
