"""The least facade in front of OData that there can be, for comparison: `… PORT CATALOGUE_URL`.

stac-fastapi, requests in threads, orjson, and a translation written by hand: attributes become properties as
they are, areas pass unchecked, each product has two assets. No filters, no tokens, no paging, no catalogues
as data; what it costs is what a bridge with these libraries cannot do without.
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import requests
import uvicorn
from fastapi import FastAPI
from stac_fastapi.api.app import StacApi
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.core import AsyncBaseCoreClient
from starlette.responses import Response

from conformance.benchmark.facade import TYPES, question
from stacbridge.model import Json


class Client(AsyncBaseCoreClient):
    """Answers POST /search; the rest is there since stac-fastapi wants it."""

    def __init__(self, catalogue: str, root: str) -> None:
        super().__init__()
        self._url, self._root = f"{catalogue}/Products", root
        self._session = requests.Session()
        self._session.trust_env = False
        self._threads = ThreadPoolExecutor(40)

    async def post_search(self, search_request: Any, **_: Any) -> Any:
        """Answer a search for one collection, whatever else it says."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._page, search_request.collections[0])

    def _page(self, collection: str) -> Response:
        reply = self._session.get(self._url, params=question(*TYPES[collection]), timeout=(10, 60))
        reply.raise_for_status()
        items = [item(record, collection, self._root) for record in orjson.loads(reply.content)["value"]]
        page = {
            "type": "FeatureCollection",
            "features": items,
            "links": [{"rel": "root", "type": "application/json", "href": self._root}],
            "numberReturned": len(items),
        }
        return Response(orjson.dumps(page), media_type="application/geo+json")

    async def get_search(self, *_: Any, **__: Any) -> Any: ...
    async def all_collections(self, **_: Any) -> Any: ...
    async def get_collection(self, *_: Any, **__: Any) -> Any: ...
    async def get_item(self, *_: Any, **__: Any) -> Any: ...
    async def item_collection(self, *_: Any, **__: Any) -> Any: ...


def item(record: Json, collection: str, root: str) -> Json:
    """Return the Item of a product."""
    name, home = record["Name"], f"{root}/collections/{collection}"
    id, download = name.split(".")[0], f"{root}/assets/{record['Id']}"
    geometry = record["GeoFootprint"]
    rings = geometry["coordinates"] if geometry["type"] == "Polygon" else geometry["coordinates"][0]
    xs, ys = zip(*rings[0], strict=True)
    span = record["ContentDate"]
    properties = {attribute["Name"]: attribute["Value"] for attribute in record["Attributes"]}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": id,
        "collection": collection,
        "geometry": geometry,
        "bbox": [min(xs), min(ys), max(xs), max(ys)],
        "properties": {
            "datetime": span["Start"],
            "start_datetime": span["Start"],
            "end_datetime": span["End"],
            "created": record["OriginDate"],
            "updated": record["ModificationDate"],
            "published": record["PublicationDate"],
            **properties,
        },
        "links": [
            {"rel": "self", "type": "application/geo+json", "href": f"{home}/items/{id}"},
            {"rel": "root", "type": "application/json", "href": f"{root}/"},
            {"rel": "parent", "type": "application/json", "href": home},
            {"rel": "collection", "type": "application/json", "href": home},
        ],
        "assets": {
            "product": {
                "href": f"{download}/{name}",
                "type": "application/zip",
                "title": name,
                "roles": ["data"],
                "file:size": record["ContentLength"],
            },
            "quicklook": {"href": f"{download}/quicklook", "type": "image/jpeg", "roles": ["overview"]},
        },
    }


def main(port: int, catalogue: str) -> None:
    """Serve it on loopback."""
    app = FastAPI()
    client = Client(catalogue, f"http://127.0.0.1:{port}")
    StacApi(ApiSettings(enable_response_models=False), client=client, app=app, extensions=[])
    uvicorn.run(app, port=port, log_level="critical", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
