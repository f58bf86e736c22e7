"""SeDAS as a server on loopback: login, searches, look-ups, the long-term archive, downloads.

    with SedasSimulator(size=2000) as simulator:
        requests.post(f"{simulator.url}/authentication", json={"username": …, "password": …})

Known from the published client, sedas-pyapi 0.5.0: paths (with one slash or two before `request`), methods,
request bodies and headers, the `Token` scheme, `validUntil`, the 400 "User token does not exist", absent
`downloadUrl`, polls, and a firewall that rejects the user agent of urllib. Assumed: the fields of products
(see `sedas_products`), the form of error bodies, that a search answers 100 products at most and drops others
without a word and in no order, that it ignores filters that it does not know, that `start` and `stop` bound
the start of an acquisition, and that a product is found with a `downloadUrl` once it has been staged.
"""

import json
import socket
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .clock import Clock, SystemClock
from .sedas_finding import Order, Refused, find
from .sedas_orders import Orders, SedasFaults, Tokens
from .sedas_products import GROUPS, Product, Products, Style, crowd
from .sedas_shared import shared as scenes
from .serving import in_thread
from .transfer import Body, Download

CAP = 100
EVERYTHING = tuple(group.name for group in GROUPS)
RECENT = timedelta(days=90)
"""Products that are younger are online."""

Handler = Callable[[Request], Awaitable[ASGIApp]]


class SedasSimulator:
    """A context manager; the server listens on `host` while it is entered, on `port` (0: any free one).

    `cap` is how many products an answer holds, `order` which ones come first, `overlap` whether `start` and
    `stop` take all acquisitions that overlap them. `groups` are the source groups that the account sees.
    With `shared`, it also has what of CDSE's archive of so many products lies over the UK; `at_once` more
    start at one time. `held` products are not found until `POST /simulator/publish?count=…` lets so many of
    them in. Lives are in seconds. Faults are swapped by assignment to `faults`.
    """

    def __init__(
        self,
        size: int = 2000,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        username: str = "demo",
        password: str = "demo-password",
        clock: Clock | None = None,
        token_life: float = 3600,
        cap: int = CAP,
        order: Order = "any",
        overlap: bool = False,
        style: Style = "full",
        groups: tuple[str, ...] = EVERYTHING,
        held: int = 0,
        shared: int | None = None,
        at_once: int = 0,
    ) -> None:
        self.username, self.password = username, password
        self.clock = clock or SystemClock()
        self.now = datetime.fromtimestamp(self.clock.now(), UTC).replace(hour=0, minute=0, second=0)
        others = [*(() if shared is None else scenes(shared)), *crowd(at_once, self.now)]
        self.products = Products.made(size, self.now, held, others)
        self.tokens = Tokens(self.clock, token_life)
        self.orders = Orders(self.clock)
        self.faults = SedasFaults()
        self.log: list[tuple[str, str, Any]] = []
        self._address = (host, port)
        self._cap, self._order, self._overlap, self._style = cap, order, overlap, style
        self._groups = groups

    # Running --------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        listener = socket.create_server(self._address, backlog=256)
        self.url = f"http://{self._address[0]}:{listener.getsockname()[1]}/api"
        config = uvicorn.Config(
            self.app(), lifespan="off", ws="none", log_config=None, access_log=False, server_header=False
        )
        self._server = uvicorn.Server(config)
        self._thread = in_thread([self._server], [listener], "sedas")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    def announcement(self) -> dict[str, str]:
        """Where the server is and how to sign in, for a parent process."""
        return {"url": self.url, "username": self.username, "password": self.password}

    def app(self) -> Starlette:
        """The service as an ASGI application."""
        routes = [
            Route("/api/authentication", self._login, methods=["POST"]),
            Route("/api/search", self._guarded(self._search), methods=["POST"]),
            Route("/api/search/products", self._guarded(self._by_id)),
            Route("/api/sensors/sourceGroups", self._guarded(self._source_groups)),
            Route("/api/sensors/satellites", self._guarded(self._satellites)),
            Route("/api/download/{name}", self._guarded(self._download)),
            Route("/simulator/publish", self._publish, methods=["POST"]),
        ]
        for slash in ("/", "//"):
            routes += [
                Route(f"/api{slash}request/{{name}}", self._guarded(self._take), methods=["POST"]),
                Route(f"/api{slash}request", self._guarded(self._poll)),
            ]
        return Starlette(routes=routes, exception_handlers={Refused: _refused})

    # Who asks -------------------------------------------------------------------------------------
    async def _login(self, request: Request) -> Response:
        self.log.append(("POST", request.url.path, None))
        given = _document(await request.body())
        if (given.get("username"), given.get("password")) != (self.username, self.password):
            raise Refused(401, "Invalid username or password")
        token, end = self.tokens.give()
        until = datetime.fromtimestamp(0 if self.faults.expires_at_once else end, UTC)
        return JSONResponse({"token": token, "validUntil": f"{until:%Y-%m-%dT%H:%M:%SZ}"})

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Any]]:
        """Answer only those that bring a good token, and not the user agent of urllib."""

        async def answer(request: Request) -> ASGIApp:
            body = await request.body()
            told = _document(body) if body else request.url.query
            self.log.append((request.method, request.url.path, told))
            if request.headers.get("user-agent", "").startswith("Python-urllib"):
                return Response("<html><body>Request rejected</body></html>", 403, media_type="text/html")
            if not self.tokens.good(request.headers.get("authorization", "")):
                raise Refused(self.faults.token_refusal, "User token does not exist")
            return await handler(request)

        return answer

    # Searches -------------------------------------------------------------------------------------
    async def _search(self, request: Request) -> Response:
        asked = _document(await request.body())
        found = find(self.products, asked, self._groups, self._order, overlap=self._overlap)
        return JSONResponse({"products": [self._shown(product) for product in found[: self._cap]]})

    def _shown(self, product: Product) -> dict[str, Any]:
        return product.shown(self._style, self._url(product))

    def _url(self, product: Product) -> str | None:
        here = product.start > self.now - RECENT or self.orders.staged(product.name)
        return f"{self.url}/download/{product.name}" if here else None

    async def _by_id(self, request: Request) -> Response:
        product = self.products.by_name.get(request.query_params.get("ids", ""))
        seen = product is not None and product.group.name in self._groups
        return JSONResponse([self._shown(product)] if product is not None and seen else [])

    async def _publish(self, request: Request) -> Response:
        coming = self.products.publish(int(request.query_params.get("count", 1)))
        return JSONResponse({"published": [product.name for product in coming]})

    async def _source_groups(self, request: Request) -> Response:
        return JSONResponse([{"name": group.name} for group in GROUPS if group.name in self._groups])

    async def _satellites(self, request: Request) -> Response:
        seen = [group for group in GROUPS if group.name in self._groups]
        return JSONResponse([{"name": name} for group in seen for name in group.satellites])

    # Bytes ----------------------------------------------------------------------------------------
    def _product(self, request: Request) -> Product:
        product = self.products.by_name.get(request.path_params["name"])
        if product is None:
            raise Refused(404, "No such product")
        return product

    async def _take(self, request: Request) -> Response:
        return JSONResponse({"requestId": self.orders.take(self._product(request).name, self.faults)})

    async def _poll(self, request: Request) -> Response:
        if self.faults.poll_failures:
            self.faults = replace(self.faults, poll_failures=self.faults.poll_failures - 1)
            raise Refused(500, "Internal error")
        order = request.query_params.get("ids", "")
        name = self.orders.product(order)
        if name is None:
            return JSONResponse([])
        entry = {"requestId": order}
        if self.orders.staged(name):
            entry["downloadUrl"] = f"{self.url}/download/{name}"
        return JSONResponse([entry])

    async def _download(self, request: Request) -> ASGIApp:
        product = self._product(request)
        if self._url(product) is None:
            raise Refused(404, "The product is not online")
        whole = zipped(product)
        body = Body(
            len(whole), lambda start, length: whole[start : start + length], f"{product.name}.zip",
            "application/zip", ranged=False,
        )  # fmt: skip
        return Download(body, self.faults.download, None, lambda: None)


def zipped(product: Product) -> bytes:
    """The bytes of a product: a small zip with its fields in it, the same every time."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        info = zipfile.ZipInfo(f"{product.name}/product.json", (2021, 1, 1, 0, 0, 0))
        archive.writestr(info, json.dumps(product.shown("full", None)).ljust(65536))
    return out.getvalue()


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "The body is no JSON object")
    return found


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response
