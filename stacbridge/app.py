"""The ASGI application: the STAC API, and outside all its middlewares the download proxy."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from brotli_asgi import BrotliMiddleware
from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from stacbridge.accounts import OwnAccounts
from stacbridge.api import accounts, aggregation, collection_schemas, orders, sign
from stacbridge.api.callers import Callers, Guarded
from stacbridge.api.client import About, create_api
from stacbridge.api.middleware import BodyLimit, ByCatalogue, HeadAsGet, PublicAddress, TidyUrl
from stacbridge.api.viewer import Viewer
from stacbridge.callers.doors import Doors
from stacbridge.callers.principal import ANONYMOUS, Principal, scope_of
from stacbridge.catalogue import Catalogue
from stacbridge.download.address import Address
from stacbridge.download.hooks import PRINCIPAL, Hooks
from stacbridge.download.proxy import AssetProxy
from stacbridge.federation import Federation
from stacbridge.hrefs import is_asset
from stacbridge.model import Json
from stacbridge.orders.desk import Desk
from stacbridge.settings import Settings
from stacbridge.upstream import Upstream, load
from stacbridge.vault import open_vault

LANDING_ID = "stacbridge"
NO_WARNINGS: Mapping[str, list[str]] = MappingProxyType({})
EXPOSED = [
    "Content-Length",
    "Content-Range",
    "Accept-Ranges",
    "ETag",
    "Location",
    "Retry-After",
    "Link",
    "Proxy-Status",
    "Server-Timing",
]


def create_app(settings: Settings, catalogues: Sequence[Catalogue] | None = None) -> ASGIApp:
    """Return the bridge over `catalogues`, or over those that the settings name.

    Raises `Misconfigured` for settings that cannot work.
    """
    doors = Doors(settings)
    served: Sequence[Catalogue] = loaded(settings) if catalogues is None else catalogues
    federation = Federation(served, settings)
    desk = Desk(federation, settings)
    prefix = urlsplit(settings.public_url or "").path.rstrip("/")
    proxy = AssetProxy(federation.catalogues, settings, hooks=_hooks(desk, settings, prefix))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await federation.run(desk.start)
        yield
        await federation.run(desk.stop)
        await proxy.close()
        federation.close()

    titles = {catalogue.id: catalogue.title for catalogue in served}
    about = About(LANDING_ID, settings.title, children=titles)
    api = _api(federation, desk, doors, settings, about, lifespan)

    async def healthz() -> JSONResponse:
        return JSONResponse(health(federation.catalogues.values(), proxy.warnings()))

    async def slots(request: Request) -> JSONResponse:
        return JSONResponse(proxy.status(request.scope.get(PRINCIPAL)))

    api.add_api_route("/healthz", healthz, name="Health", tags=["Health"])
    api.add_api_route("/slots", slots, name="Connections of the accounts", tags=["Health"])
    accounts.install(api, federation.catalogues)
    alone = {
        id: Guarded(_alone(federation, desk, doors, settings, id, title), doors)
        for id, title in titles.items()
    }
    facade = wrapped(ByCatalogue(Guarded(api, doors), alone), settings)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_asset(scope["path"].removeprefix(prefix)):
            raw_path = scope["raw_path"].removeprefix(prefix.encode())
            await proxy({**scope, "raw_path": raw_path}, receive, send)
        else:
            await facade(scope, receive, send)

    return Callers(dispatch, doors, prefix)


def _hooks(desk: Desk, settings: Settings, prefix: str) -> Hooks:
    """Return what the download proxy asks of callers and orders."""

    def scope(principal: Principal | None, catalogue: str) -> str:
        return scope_of(principal or ANONYMOUS, catalogue, settings)

    def order(address: Address, principal: Principal | None) -> str | None:
        asked = (address.collection, address.item)
        found = desk.of_items((principal or ANONYMOUS).id, [asked]).get(asked)
        return None if found is None else f"{prefix}/orders/{found.id}"

    return Hooks(scope, order)


def _alone(
    federation: Federation, desk: Desk, doors: Doors, settings: Settings, id: str, title: str
) -> FastAPI:
    """Return the STAC API of one catalogue."""
    about = About(id, title, f"{title}, one of the catalogues of {settings.title}.", below=True)
    return _api(federation.alone(id), desk, doors, settings, about)


def _api(
    federation: Federation,
    desk: Desk,
    doors: Doors,
    settings: Settings,
    about: About,
    lifespan: Any = None,
) -> FastAPI:
    """Return a STAC API with everything that each of them has."""
    api = create_api(federation, settings, Viewer(doors, desk), about, lifespan)
    orders.install(api, desk, federation, settings)
    sign.install(api, doors)
    collection_schemas.install(api, federation)
    aggregation.install(api, federation, settings)
    return api


def loaded(settings: Settings) -> list[Upstream | OwnAccounts]:
    """Return the catalogues that the settings name."""
    return [
        OwnAccounts(id, settings, open_vault(settings))
        if settings.accounts.get(id) == "own"
        else load(id, settings)
        for id in settings.catalogues
    ]


def health(catalogues: Iterable[Catalogue], downloads: Mapping[str, list[str]] = NO_WARNINGS) -> Json:
    """Say that the bridge answers, and what to see to before it no longer does; nothing upstream is asked.

    `downloads` are warnings of the download side, by catalogue.
    """
    every = {one.id: [*one.warnings(), *downloads.get(one.id, [])] for one in catalogues}
    warnings = {id: told for id, told in every.items() if told}
    return {"status": "ok", **({"warnings": warnings} if warnings else {})}


def wrapped(api: ASGIApp, settings: Settings) -> ASGIApp:
    """Return `api` inside its middlewares, the innermost first."""
    app: ASGIApp = BodyLimit(api, settings.max_body_bytes)
    app = PublicAddress(app, settings.public_url)
    # Quality 1 makes a page of 100 items 8 times smaller in half a millisecond; stock quality takes two.
    app = BrotliMiddleware(app, quality=1, gzip_fallback=False)
    app = GZipMiddleware(app, compresslevel=1)
    app = HeadAsGet(app)
    app = CORSMiddleware(
        app,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=EXPOSED,
    )
    return TidyUrl(app)
