"""The STAC API: stac-fastapi's routes, our answers as ready bytes."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from stacbridge import scenes as copies
from stacbridge.api import failures, links
from stacbridge.api.answers import absent, feature_collection, left_out, respond
from stacbridge.api.collection_search import select
from stacbridge.api.conformance import CONFORMANCE
from stacbridge.api.headers import STRICT, freshness, prefers_strict, proxy_status, server_timing
from stacbridge.api.openapi import FAILURES, SEARCH_BODY, CollectionsUrl, ItemsUrl, ItemUrl, SearchUrl
from stacbridge.api.parameters import Search, scenes, search
from stacbridge.api.querystring import PARAMETERS, from_url
from stacbridge.api.request import body_of, parameters_of, restore_slashes, root_of
from stacbridge.api.route import Route
from stacbridge.api.schemas import Schemas
from stacbridge.api.viewer import Viewer
from stacbridge.federation import Federation
from stacbridge.hrefs import collection_href
from stacbridge.model import Json
from stacbridge.settings import Settings
from stacbridge.turns import turns

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
from stac_fastapi.types.search import APIRequest  # noqa: E402

STAC_VERSION = "1.1.0"
DESCRIPTION = "One modern STAC API over Earth-observation archives that speak older languages."


class Api(StacApi):
    """stac-fastapi's routes, with bodies left to us to read: FastAPI takes only what is called JSON, and NaN
    for a number."""

    def register_post_search(self) -> None:
        """Add POST /search."""
        super().register_post_search()
        route = cast(APIRoute, self.router.routes[-1])
        route.openapi_extra = {"requestBody": SEARCH_BODY}


@dataclass(frozen=True, slots=True)
class About:
    """What a landing page says of its API: the STAC APIs below it, by id, or that it is `below` another."""

    id: str
    title: str
    description: str = DESCRIPTION
    children: Mapping[str, str] = field(default_factory=dict)
    below: bool = False


def create_api(
    federation: Federation,
    settings: Settings,
    viewer: Viewer,
    about: About,
    lifespan: Any = None,
) -> FastAPI:
    """Return the STAC API over `federation`, without any middleware."""
    # stac-fastapi types its clients' answers as dicts, and serves a Response as it is: hence the casts.
    client = cast(AsyncBaseCoreClient, Client(federation, settings, viewer, about))
    filters = cast(AsyncBaseFiltersClient, Schemas(federation))
    sorts = cast(AsyncBaseSortablesClient, Schemas(federation))
    app = FastAPI(
        title=about.title,
        description=about.description,
        openapi_url="/api",
        docs_url="/api.html",
        redoc_url=None,
        lifespan=lifespan,
        responses=FAILURES,
        dependencies=[Depends(restore_slashes)],
    )
    Api(
        settings=ApiSettings(
            stac_fastapi_title=about.title,
            stac_fastapi_description=about.description,
            stac_fastapi_version=STAC_VERSION,
            stac_fastapi_landing_id=about.id,
            enable_response_models=False,
            enable_direct_response=False,
        ),
        client=client,
        app=app,
        router=APIRouter(route_class=Route),
        title=about.title,
        description=about.description,
        stac_version=STAC_VERSION,
        extensions=[
            FilterExtension(client=filters),
            SearchSortExtension(client=sorts),
            ItemCollectionSortExtension(client=sorts),
        ],
        exceptions={},
        search_get_request_model=SearchUrl,
        search_post_request_model=cast(type[BaseModel], APIRequest),
        items_get_request_model=ItemsUrl,
        item_get_request_model=ItemUrl,
        collections_get_request_model=CollectionsUrl,
        middlewares=[],
    )
    failures.install(app)
    return app


class Client:
    """Answers the core routes. What stac-fastapi has parsed is for its OpenAPI document; checks are ours."""

    def __init__(self, federation: Federation, settings: Settings, viewer: Viewer, about: About) -> None:
        self.federation = federation
        self.settings = settings
        self.viewer = viewer
        self.about = about

    async def landing_page(self, request: Request, **_: Any) -> Response:
        """Answer GET /."""
        root = root_of(request)
        collections = await self.federation.run(self.federation.collections)
        page = {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": self.about.id,
            "title": self.about.title,
            "description": self.about.description,
            "conformsTo": list(CONFORMANCE),
            "links": [
                *links.landing(root, collections),
                *(links.catalogue(root, id, title) for id, title in self.about.children.items()),
                *([links.above(root, self.about.id)] if self.about.below else []),
            ],
        }
        return respond(page)

    async def conformance(self, **_: Any) -> Response:
        """Answer GET /conformance."""
        return respond({"conformsTo": list(CONFORMANCE)})

    async def all_collections(self, request: Request, **_: Any) -> Response:
        """Answer GET /collections; without a limit on one page, as many clients read only the first."""
        start = time.perf_counter()
        root, pairs = root_of(request), parameters_of(request)
        told = await self.federation.run(self.federation.told)
        selected = select(told.collections.values(), pairs, self.settings)
        found = [links.collection(root, collection) for collection in selected.collections]
        url = f"{root}/collections"
        following = [links.next_get(url, pairs, selected.token)] if selected.token else []
        page = {
            "collections": found,
            "links": [*links.collections(root), *following],
            "numberMatched": selected.matched,
            "numberReturned": len(found),
            **absent(told.silent, left_out(told.remarks())),
        }
        headers = freshness(told, self.settings) | proxy_status(told.silent)
        return respond(page, headers=headers | server_timing({"total": time.perf_counter() - start}))

    async def get_collection(self, collection_id: str, request: Request, **_: Any) -> Response:
        """Answer GET /collections/{collection_id}."""
        found = await self.federation.run(self.federation.collection, collection_id)
        return respond(links.collection(root_of(request), found))

    async def get_item(self, item_id: str, collection_id: str, request: Request, **_: Any) -> Response:
        """Answer GET /collections/{collection_id}/items/{item_id}."""
        root, how = root_of(request), scenes(from_url(parameters_of(request)))
        source = copies.Linked(self.federation, self.settings) if how == "linked" else self.federation

        def found() -> Json:
            return self.viewer.shown([source.item(collection_id, item_id, root)], root)[0]

        return respond(await self.federation.run(found), links.GEOJSON)

    async def item_collection(self, collection_id: str, request: Request, **_: Any) -> Response:
        """Answer GET /collections/{collection_id}/items."""
        await self.federation.run(self.federation.collection, collection_id)
        root = root_of(request)
        pairs = parameters_of(request)
        asked = search({**from_url(pairs), "collections": [collection_id]}, self.settings)
        url = f"{collection_href(root, collection_id)}/items"
        return await self._page(
            request, asked, links.items(root, collection_id), lambda token: links.next_get(url, pairs, token)
        )

    async def get_search(self, request: Request, **_: Any) -> Response:
        """Answer GET /search."""
        root = root_of(request)
        pairs = parameters_of(request)
        asked = search(from_url(pairs), self.settings)
        return await self._page(
            request, asked, links.found(root), lambda token: links.next_get(f"{root}/search", pairs, token)
        )

    async def post_search(self, request: Request) -> Response:
        """Answer POST /search."""
        root = root_of(request)
        body = await body_of(request)
        asked = search(body, self.settings)
        known = {name: value for name, value in body.items() if name in PARAMETERS}
        return await self._page(
            request, asked, links.found(root), lambda token: links.next_post(f"{root}/search", known, token)
        )

    async def _page(
        self, request: Request, asked: Search, page_links: list[Json], next_link: Callable[[str], Json]
    ) -> Response:
        start, root = time.perf_counter(), root_of(request)
        preferred = prefers_strict(request)
        search = partial(
            copies.shown(asked.scenes, self.federation, self.settings).search,
            asked.query,
            asked.token,
            root,
            ready=asked.fields is None and self.viewer.takes_ready,
            strict=asked.strict or preferred,
        )

        def page() -> Response:
            results = search()
            results.items = self.viewer.shown(results.items, root)
            following = [next_link(results.token)] if results.token else []
            with turns.take():
                document = feature_collection(asked, results, [*page_links, *following])
                times = {"total": time.perf_counter() - start, "merge": results.merging, **results.seconds}
                headers = proxy_status(results.missing) | server_timing(times) | (STRICT if preferred else {})
                return respond(document, links.GEOJSON, headers)

        return await self.federation.run(page)
