"""The ASGI application: the STAC API, and outside all its middlewares the download proxy."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from urllib.parse import urlsplit

from brotli_asgi import BrotliMiddleware
from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from stacbridge.api import orders
from stacbridge.api.client import create_api
from stacbridge.api.middleware import BodyLimit, HeadAsGet, PublicAddress, TidyUrl
from stacbridge.catalogue import Catalogue
from stacbridge.download.hooks import PRINCIPAL
from stacbridge.download.proxy import AssetProxy
from stacbridge.federation import Federation
from stacbridge.model import Json
from stacbridge.settings import Settings
from stacbridge.upstream import Upstream, load

ASSETS = "/assets/"
NO_WARNINGS: Mapping[str, list[str]] = MappingProxyType({})
EXPOSED = ["Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Location", "Retry-After", "Link"]


def create_app(settings: Settings, catalogues: Sequence[Catalogue] | None = None) -> ASGIApp:
    """Return the bridge over `catalogues`, or over those that the settings name.

    Raises `Misconfigured` for settings that cannot work.
    """
    federation = Federation(loaded(settings) if catalogues is None else catalogues, settings)
    proxy = AssetProxy(federation.catalogues, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await proxy.close()
        federation.close()

    api = create_api(federation, settings, lifespan)

    async def healthz() -> JSONResponse:
        return JSONResponse(health(federation.catalogues.values(), proxy.warnings()))

    async def slots(request: Request) -> JSONResponse:
        return JSONResponse(proxy.status(request.scope.get(PRINCIPAL)))

    api.add_api_route("/healthz", healthz, name="Health", tags=["Health"])
    api.add_api_route("/slots", slots, name="Connections of the accounts", tags=["Health"])
    orders.install(api, federation)
    facade = wrapped(api, settings)
    prefix = urlsplit(settings.public_url or "").path.rstrip("/")

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].removeprefix(prefix).startswith(ASSETS):
            raw_path = scope["raw_path"].removeprefix(prefix.encode())
            await proxy({**scope, "raw_path": raw_path}, receive, send)
        else:
            await facade(scope, receive, send)

    return dispatch


def loaded(settings: Settings) -> list[Upstream]:
    """Return the catalogues that the settings name."""
    return [load(id, settings) for id in settings.catalogues]


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
