"""The ASGI application: the STAC API, and outside all its middlewares the download proxy."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from stacbridge.accounts import OwnAccounts
from stacbridge.api import accounts, aggregation, collection_schemas, health, orders, sign
from stacbridge.api.callers import Callers, Guarded, refuse
from stacbridge.api.client import About, create_api
from stacbridge.api.middleware import BodyLimit, ByCatalogue, HeadAsGet, PublicAddress, TidyUrl
from stacbridge.api.observed import Observed, Routed
from stacbridge.api.viewer import Viewer
from stacbridge.callers.doors import Doors
from stacbridge.callers.principal import ANONYMOUS, Principal, scope_of
from stacbridge.catalogue import Catalogue
from stacbridge.download.address import Address
from stacbridge.download.hooks import PRINCIPAL, Hooks, Ordered
from stacbridge.download.proxy import AssetProxy
from stacbridge.draining import Drain, Farewell
from stacbridge.errors import StacbridgeError
from stacbridge.exchange import HEADER
from stacbridge.federation import Federation
from stacbridge.hrefs import ASSETS, catalogue_href, is_asset
from stacbridge.loading import load
from stacbridge.orders.desk import Desk
from stacbridge.orders.records import ENDED
from stacbridge.orders.store import check_store
from stacbridge.settings import Settings
from stacbridge.upstream import Upstream
from stacbridge.vault import open_vault

LANDING_ID = "stacbridge"
log = logging.getLogger(__name__)
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
    HEADER,
]


def create_app(
    settings: Settings, catalogues: Sequence[Catalogue] | None = None, drain: Drain | None = None
) -> ASGIApp:
    """Return the bridge over `catalogues`, or over those that the settings name.

    Whoever serves it tells it by `drain` that it is about to stop, and sees there when it may.
    Raises `Misconfigured` for settings that cannot work, and `StoreUnavailable`.
    """
    check_store(settings)
    doors = Doors(settings)
    drain = drain or Drain(settings.drain_seconds)
    served: Sequence[Catalogue] = loaded(settings) if catalogues is None else catalogues
    federation = Federation(served, settings)
    desk = Desk(federation, settings)
    prefix = urlsplit(settings.public_url or "").path.rstrip("/")
    proxy = AssetProxy(federation.catalogues, settings, hooks=_hooks(desk, settings, prefix))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await federation.run(desk.start)
        yield
        await proxy.close()  # which tells the desk what was fetched at last
        await federation.run(desk.stop, drain.left)
        federation.close()

    titles = {catalogue.id: catalogue.title for catalogue in served}
    about = About(LANDING_ID, settings.title, children=titles)
    api = _api(federation, desk, doors, settings, about, lifespan)

    async def slots(request: Request) -> JSONResponse:
        return JSONResponse(await proxy.status(request.scope.get(PRINCIPAL)))

    known = health.Health(federation, desk, drain, proxy.load, proxy.standing, proxy.warnings, proxy.spool)
    checks = {"orders": desk.check, "spool": proxy.check}
    health.install(api, known, health.Readiness(drain, checks))
    api.add_api_route("/slots", slots, name="Connections of the accounts", tags=["Health"])
    accounts.install(api, federation.catalogues)
    alone = {
        id: Guarded(
            Routed(_alone(federation, desk, doors, settings, id, title), catalogue_href("", id)), doors
        )
        for id, title in titles.items()
    }
    facade = wrapped(ByCatalogue(Guarded(Routed(api), doors), alone), settings)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_asset(scope["path"].removeprefix(prefix)):
            raw_path = scope["raw_path"].removeprefix(prefix.encode())
            scope["stacbridge.exchange"].route = ASSETS
            if drain.begun:
                await refuse(drain.refusal(), scope, receive, send)
                return
            with drain.download():
                await proxy({**scope, "raw_path": raw_path}, receive, send)
        else:
            await facade(scope, receive, send)

    known_callers = Callers(dispatch, doors, prefix, settings.trusted_proxies)
    return Observed(Farewell(known_callers, drain), prefix)


def _hooks(desk: Desk, settings: Settings, prefix: str) -> Hooks:
    """Return what the download proxy asks of callers and orders."""

    def scope(principal: Principal | None, catalogue: str) -> str:
        return scope_of(principal or ANONYMOUS, catalogue, settings)

    def order(address: Address, principal: Principal | None) -> Ordered | None:
        found = desk.offline((principal or ANONYMOUS).id, address.collection, address.item)
        return None if found is None else Ordered(f"{prefix}/orders/{found.id}", found.state not in ENDED)

    def fetched(address: Address, principal: Principal | None) -> None:
        try:
            desk.fetched((principal or ANONYMOUS).id, address.collection, address.item)
        except StacbridgeError as failure:
            log.warning("That %s was downloaded could not be noted: %s", address.item, failure)

    return Hooks(scope, order, fetched)


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


def wrapped(api: ASGIApp, settings: Settings) -> ASGIApp:
    """Return `api` inside its middlewares, the innermost first."""
    app: ASGIApp = BodyLimit(api, settings.max_body_bytes)
    app = PublicAddress(app, settings.public_url, settings.trusted_proxies)
    # No Brotli: urllib3 can lose the end of such a body (docs/decisions/0016-gzip-only.md).
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
