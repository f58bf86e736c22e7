"""The STAC API: stac-fastapi's routes, our answers as ready bytes."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from stacbridge.api import failures, intervals, links
from stacbridge.api.collection_search import select
from stacbridge.api.conformance import CONFORMANCE
from stacbridge.api.openapi import FAILURES, ItemsUrl, SearchBody, SearchUrl
from stacbridge.api.parameters import Search, search
from stacbridge.api.querystring import PARAMETERS, from_url
from stacbridge.callers.doors import Doors
from stacbridge.callers.principal import caller
from stacbridge.callers.shown import shown
from stacbridge.federation import Federation, Results
from stacbridge.hrefs import collection_href
from stacbridge.model import Json
from stacbridge.settings import Settings

# stac-fastapi warns, when imported, that its titles are not in the environment; they are given below.
logging.getLogger("stac_fastapi.types.config").setLevel(logging.ERROR)

from stac_fastapi.api.app import StacApi  # noqa: E402
from stac_fastapi.extensions.filter import FilterExtension  # noqa: E402
from stac_fastapi.extensions.filter.client import AsyncBaseFiltersClient  # noqa: E402
from stac_fastapi.extensions.sort import (  # noqa: E402
    AsyncBaseSortablesClient,
    ItemCollectionSortExtension,
    SearchSortExtension,
)
from stac_fastapi.types.config import ApiSettings  # noqa: E402
from stac_fastapi.types.core import AsyncBaseCoreClient  # noqa: E402

STAC_VERSION = "1.1.0"
LANDING_ID = "stacbridge"
DESCRIPTION = "One modern STAC API over Earth-observation archives that speak older languages."


def create_api(federation: Federation, settings: Settings, doors: Doors, lifespan: Any = None) -> FastAPI:
    """Return the STAC API over `federation`, without any middleware."""
    # stac-fastapi types its clients' answers as dicts, and serves a Response as it is: hence the casts.
    client = cast(AsyncBaseCoreClient, Client(federation, settings, doors))
    filters = cast(AsyncBaseFiltersClient, Schemas(federation))
    sorts = cast(AsyncBaseSortablesClient, Schemas(federation))
    app = FastAPI(
        title=settings.title,
        description=DESCRIPTION,
        openapi_url="/api",
        docs_url="/api.html",
        redoc_url=None,
        lifespan=lifespan,
        responses=FAILURES,
    )
    StacApi(
        settings=ApiSettings(
            stac_fastapi_title=settings.title,
            stac_fastapi_description=DESCRIPTION,
            stac_fastapi_version=STAC_VERSION,
            stac_fastapi_landing_id=LANDING_ID,
            enable_response_models=False,
            enable_direct_response=False,
        ),
        client=client,
        app=app,
        title=settings.title,
        description=DESCRIPTION,
        stac_version=STAC_VERSION,
        extensions=[
            FilterExtension(client=filters),
            SearchSortExtension(client=sorts),
            ItemCollectionSortExtension(client=sorts),
        ],
        exceptions={},
        search_get_request_model=SearchUrl,
        search_post_request_model=SearchBody,
        items_get_request_model=ItemsUrl,
        middlewares=[],
    )
    failures.install(app)
    return app


def root_of(request: Request) -> str:
    """Return the API's URL as the client sees it, without a slash at the end."""
    return str(request.base_url).rstrip("/")


class Client:
    """Answers the core routes. What stac-fastapi has parsed is for its OpenAPI document; checks are ours."""

    def __init__(self, federation: Federation, settings: Settings, doors: Doors) -> None:
        self.federation = federation
        self.settings = settings
        self.doors = doors

    async def landing_page(self, request: Request, **_: Any) -> Response:
        """Answer GET /."""
        page = {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": LANDING_ID,
            "title": self.settings.title,
            "description": DESCRIPTION,
            "conformsTo": list(CONFORMANCE),
            "links": links.landing(root_of(request), await self.federation.run(self.federation.collections)),
        }
        return respond(page)

    async def conformance(self, **_: Any) -> Response:
        """Answer GET /conformance."""
        return respond({"conformsTo": list(CONFORMANCE)})

    async def all_collections(self, request: Request, **_: Any) -> Response:
        """Answer GET /collections; without a limit on one page, as many clients read only the first."""
        root, pairs = root_of(request), parameters_of(request)
        known = await self.federation.run(self.federation.collections)
        selected = select(known, pairs, self.settings)
        found = [links.collection(root, collection) for collection in selected.collections]
        url = f"{root}/collections"
        following = [links.next_get(url, pairs, selected.token)] if selected.token else []
        page = {
            "collections": found,
            "links": [*links.collections(root), *following],
            "numberMatched": selected.matched,
            "numberReturned": len(found),
        }
        return respond(page)

    async def get_collection(self, collection_id: str, request: Request, **_: Any) -> Response:
        """Answer GET /collections/{collection_id}."""
        found = await self.federation.run(self.federation.collection, collection_id)
        return respond(links.collection(root_of(request), found))

    async def get_item(self, item_id: str, collection_id: str, request: Request, **_: Any) -> Response:
        """Answer GET /collections/{collection_id}/items/{item_id}."""
        root = root_of(request)
        item = await self.federation.run(self.federation.item, collection_id, item_id, root)
        return respond(shown([item], root, self.doors, caller())[0], links.GEOJSON)

    async def item_collection(self, collection_id: str, request: Request, **_: Any) -> Response:
        """Answer GET /collections/{collection_id}/items."""
        await self.federation.run(self.federation.collection, collection_id)
        root = root_of(request)
        pairs = parameters_of(request)
        asked = search({**from_url(pairs), "collections": [collection_id]}, self.settings)
        url = f"{collection_href(root, collection_id)}/items"
        return await self._page(
            asked, root, links.items(root, collection_id), lambda token: links.next_get(url, pairs, token)
        )

    async def get_search(self, request: Request, **_: Any) -> Response:
        """Answer GET /search."""
        root = root_of(request)
        pairs = parameters_of(request)
        asked = search(from_url(pairs), self.settings)
        return await self._page(
            asked, root, links.found(root), lambda token: links.next_get(f"{root}/search", pairs, token)
        )

    async def post_search(self, _: Any, request: Request) -> Response:
        """Answer POST /search."""
        root = root_of(request)
        body: Json = await request.json()
        asked = search(body, self.settings)
        known = {name: value for name, value in body.items() if name in PARAMETERS}
        return await self._page(
            asked, root, links.found(root), lambda token: links.next_post(f"{root}/search", known, token)
        )

    async def _page(
        self, asked: Search, root: str, page_links: list[Json], next_link: Callable[[str], Json]
    ) -> Response:
        def page() -> Response:
            ready = asked.fields is None and not self.doors.closed
            results = self.federation.search(asked.query, asked.token, root, ready=ready)
            results.items = shown(results.items, root, self.doors, caller())
            following = [next_link(results.token)] if results.token else []
            return respond(feature_collection(asked, results, [*page_links, *following]), links.GEOJSON)

        return await self.federation.run(page)


class Schemas:
    """Answers the routes that tell what filters and `sortby` may name."""

    def __init__(self, federation: Federation) -> None:
        self.federation = federation

    async def get_queryables(self, request: Request, collection_id: str | None = None, **_: Any) -> Response:
        """Answer GET /queryables and GET /collections/{collection_id}/queryables."""
        url = schema_href(request, collection_id, "queryables")
        return respond(
            await self.federation.run(self.federation.queryables, collection_id, url), links.SCHEMA
        )

    async def get_sortables(self, request: Request, **_: Any) -> Response:
        """Answer GET /sortables."""
        url = schema_href(request, None, "sortables")
        return respond(await self.federation.run(self.federation.sortables, None, url), links.SCHEMA)

    async def get_collection_sortables(self, request: Request, collection_id: str, **_: Any) -> Response:
        """Answer GET /collections/{collection_id}/sortables."""
        url = schema_href(request, collection_id, "sortables")
        return respond(await self.federation.run(self.federation.sortables, collection_id, url), links.SCHEMA)


def respond(document: Json, media_type: str = links.JSON) -> Response:
    """Return a document as bytes: anything else FastAPI would walk through and copy, some 27 times dearer."""
    return Response(orjson.dumps(document), media_type=media_type)


def feature_collection(asked: Search, results: Results, page_links: list[Json]) -> Json:
    """Return the answer of a search: Items, links, their number where known, and what was left out."""
    page: Json = {
        "type": "FeatureCollection",
        "features": [asked.shown(item) for item in results.items],
        "links": page_links,
        "numberReturned": len(results.items),
    }
    if results.matched is not None:
        page["numberMatched"] = results.matched
    if results.skipped:
        reasons = Counter(skipped.reason for skipped in results.skipped)
        page["stacbridge:skipped"] = {"count": len(results.skipped), "reasons": dict(reasons)}
    return page


def schema_href(request: Request, collection_id: str | None, name: str) -> str:
    """Return the URL of a schema, which is its `$id`."""
    root = root_of(request)
    return f"{collection_href(root, collection_id) if collection_id else root}/{name}"


def parameters_of(request: Request) -> list[tuple[str, str]]:
    """Return a URL's parameters; QGIS sends instants without a time zone, which are taken as UTC."""
    pairs = request.query_params.multi_items()
    if "QGIS" not in request.headers.get("user-agent", ""):
        return pairs
    return [(name, intervals.assume_utc(text) if name == "datetime" else text) for name, text in pairs]
