"""What the simulated service answers: OGC 17-047r1 collections of features, with the members, the order and
the oddities of recorded answers.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from .content import SIZES
from .opensearch_parameters import Paging
from .opensearch_products import Holding, Product

GEOJSON = "application/geo+json"
CONTEXT = "http://schemas.opengis.net/os-geojson/1.0/os-geojson.jsonld"
PROFILES = [
    {"href": "http://www.opengis.net/spec/owc-geojson/1.0/req/core"},
    {"href": "http://www.opengis.net/spec/os-geojson/1.0/req/core"},
]
ECHOED = {"start": "time:start", "end": "time:end", "bbox": "geo:box", "startIndex": "startIndex"}
ORIGINS = {
    "HTTP": "{base}/download/{path}",
    "MEP": "file:///data/MTDA/{path}",
    "S3": "s3://terrascope-products/{path}",
    "S3-private": "s3://0a1b2c3d:terrascope-products/{path}",
}
"""Where files are, by `accessedFrom`."""
TYPES = {"tif": "image/tiff", "xml": "application/vnd.iso.19139+xml", "png": "image/png"}

Json = dict[str, Any]


def stamp(moment: datetime) -> str:
    """Return a time as the service writes it, with milliseconds only where there are any."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond // 1000:03}Z" if moment.microsecond else f"{text}Z"


class Answers:
    """Answers of a service at `base`, that of its catalogue without a trailing slash."""

    def __init__(self, base: str, depth: int) -> None:
        self._base, self._depth = base, depth

    def page(
        self, path: str, given: dict[str, str], features: list[Json], total: int, paging: Paging
    ) -> Json:
        """Return a page of a result of `total` features."""
        url = f"{self._base}/catalogue/{path}"
        echo = {ECHOED[key]: value for key, value in given.items() if key in ECHOED}
        return {
            "@context": CONTEXT,
            "type": "FeatureCollection",
            "id": f"{url}?{urlencode(given)}",
            "totalResults": total,
            "startIndex": paging.start,
            "itemsPerPage": len(features),
            "queries": {"request": [echo]},
            "properties": {
                "title": "Product Search result",
                "subtitle": f"Number of results: {total}",
                "creator": "VITO OpenSearch Service",
                "authors": [{"type": "Agent", "name": "VITO"}],
                "lang": "en",
                "links": {
                    **self._paging_links(url, given, total, paging),
                    "search": [self._search(given.get("collection"))],
                    "profiles": PROFILES,
                },
            },
            "features": features,
        }

    def _paging_links(self, url: str, given: dict[str, str], total: int, paging: Paging) -> Json:
        """Return links to other pages; the last one is not beyond the depth that can be paged to."""
        if not paging.count:
            return {}
        starts = {"first": 1}
        if paging.start > 1:
            starts["previous"] = max(1, paging.start - paging.count)
        reach = min(total, self._depth)
        if paging.start + paging.count <= reach:
            starts["next"] = paging.start + paging.count
        starts["last"] = max(1, (reach - 1) // paging.count * paging.count + 1)
        return {
            rel: [
                {
                    "href": f"{url}?{urlencode({**given, 'startIndex': start, 'count': paging.count})}",
                    "type": GEOJSON,
                    "title": rel,
                }
            ]
            for rel, start in starts.items()
        }

    def _search(self, collection: str | None) -> Json:
        key = f"?collection={quote(collection, safe=':')}" if collection else ""
        return {"href": f"{self._base}/catalogue/description{key}", "type": GEOJSON, "title": "search"}

    def collection(self, holding: Holding) -> Json:
        """Return the feature of a collection."""
        instrument = {"sensorType": "OPTICAL", "instrumentShortName": holding.sensor}
        return {
            "type": "Feature",
            "id": holding.id,
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[-179.999, -84], [179.999, -84], [179.999, 84], [-179.999, 84], [-179.999, -84]]
                ],
            },
            "bbox": [-179.999, -84, 179.999, 84],
            "properties": {
                "title": holding.title,
                "identifier": holding.id,
                "abstract": holding.abstract,
                "date": f"{stamp(holding.first)}/",
                "updated": "2024-05-01T08:00:00Z",
                "lang": "eng",
                "keyword": holding.keyword,
                "publisher": "VITO",
                "authors": [{"type": "Organization", "email": "info@example.org", "name": "VITO"}],
                "acquisitionInformation": [
                    {
                        "platform": {
                            "platformShortName": holding.platform,
                            "platformSerialIdentifier": serial,
                        },
                        "instrument": instrument,
                    }
                    for serial in holding.serials
                ],
                "distribution": {
                    "type": "Distribution",
                    "license": [{"type": "LicenseDocument", "label": "https://example.org/terms.pdf"}],
                },
                "bands": [
                    {"title": file, "type": file, "resolution": holding.resolution} for file in holding.files
                ],
                "links": {
                    "describedby": [
                        {"href": f"https://example.org/{holding.id}", "type": "text/html", "title": "About"}
                    ],
                    "search": [self._search(holding.id)],
                },
            },
        }

    def product(self, product: Product, accessed_from: str) -> Json:
        """Return the feature of a product; what acquired it is told in two elements for every other one."""
        holding = product.holding
        platform = {
            "platform": {
                "platformShortName": holding.platform,
                "platformSerialIdentifier": product.serial,
            },
            "instrument": {"sensorType": "OPTICAL", "instrumentShortName": holding.sensor},
        }
        acquisition = {
            "acquisitionParameters": {
                "acquisitionType": "NOMINAL",
                "beginningDateTime": stamp(product.start),
                "endingDateTime": stamp(product.end),
                "tileId": product.tile,
                "relativeOrbitNumber": product.orbit,
                "orbitDirection": product.direction,
            }
        }
        information = {
            "cloudCover": product.cloud_cover,
            "productType": holding.product_type,
            "availabilityTime": stamp(product.published),
            "productVersion": product.version,
            "processingCenter": "VITO",
            "processingDate": stamp(product.published),
            "productGroupId": f"{product.start:%Y%m%d}",
        }
        return {
            "type": "Feature",
            "id": product.id,
            "geometry": product.geometry,
            "bbox": list(product.bbox),
            "properties": {
                "date": stamp(product.start),
                "updated": stamp(product.published),
                "available": stamp(product.published),
                "published": stamp(product.published),
                "status": "ARCHIVED",
                "parentIdentifier": holding.id,
                "title": product.title,
                "identifier": product.id,
                "acquisitionInformation": (
                    [platform, acquisition] if product.number % 2 else [{**platform, **acquisition}]
                ),
                "productInformation": {k: v for k, v in information.items() if v is not None},
                "additionalAttributes": {"resolution": holding.resolution},
                "links": self._files(product, accessed_from),
            },
        }

    def _files(self, product: Product, accessed_from: str) -> Json:
        folder = f"{product.holding.id.rpartition(':')[2]}/{product.start:%Y/%m/%d}/{product.title}"

        def link(name: str, extension: str, **members: Any) -> Json:
            path = f"{folder}/{product.title}_{name}.{extension}"
            href = ORIGINS[accessed_from].format(base=self._base, path=path)
            length = SIZES[{"tif": "tiff", "xml": "xml"}[extension]]
            return {"href": href, "type": TYPES[extension], "length": length, **members}

        systems = {"conformsTo": "http://www.opengis.net/def/crs/EPSG/0/32631"}
        wms = {
            "SERVICE": "WMS",
            "REQUEST": "GetMap",
            "LAYERS": product.holding.product_type,
            "TIME": product.title,
        }
        return {
            "data": [link(file, "tif", title=file, **systems) for file in product.holding.files],
            "related": [link(mask, "tif", title=mask, category="QUALITY") for mask in product.holding.masks],
            "previews": [
                link("QUICKLOOK", "tif", category="QUICKLOOK"),
                {
                    "href": f"{self._base}/wms/v2?{urlencode(wms)}",
                    "type": "image/png",
                    "title": "WMS",
                    "category": "QUICKLOOK",
                },
            ],
            "alternates": [link("INSPIRE", "xml", title="Inspire metadata")],
        }
