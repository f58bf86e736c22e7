"""An OData archive with ESA's long-term archive interface, as a server on loopback.

    with LtaSimulator(size=2000) as simulator:
        requests.post(f"{simulator.url}/Products({id})/OData.CSC.Order", json={"Priority": 50}, auth=…)

Known (ESA-EOPG-EOPGC-IF-2 v1.9): the request, the members of an Order, its states, polls by `GET
Orders?$filter=Id eq <id>` and `GET Orders(<id>)`. Assumed: that orders can be filtered by `Product/Id`, that
the answer to an order is the Order itself, and the bodies of refusals. Products are those of CDSE's
simulator; all are offline until they were ordered.
"""

import json
import re
import socket
import zipfile
from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import numpy as np
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from .answers import Refused, detailed
from .archive import Archive
from .bursts import Bursts
from .clock import Clock, SystemClock
from .hashing import Rows
from .lta_orders import LtaFaults, LtaOrders, Taken, written
from .odata import Catalogue
from .serving import in_thread

UUID = "[0-9a-f-]{36}"
BY_ID = re.compile(rf"Id eq ({UUID})")
BY_PRODUCT = re.compile(rf"Product/Id eq ({UUID})(?P<open> and \(Status eq .*\))?")


class Staged(Archive):
    """Products of which those that were brought back are online, and no others."""

    orders: LtaOrders

    def column(self, path: str, rows: Rows) -> NDArray[Any]:
        """Values of a plain property."""
        if path != "Online":
            return super().column(path, rows)
        return np.array([self.orders.evicted_at(id) is not None for id in self.ids.of(rows)], np.bool_)

    def records(self, rows: Rows, base_url: str = "") -> list[dict[str, Any]]:
        """The complete products."""
        found = super().records(rows, base_url)
        for record in found:
            evicted = self.orders.evicted_at(record["Id"])
            record["Online"] = evicted is not None
            record["EvictionDate"] = None if evicted is None else written(evicted)
        return found


class LtaSimulator:
    """A context manager; the server listens on loopback while it is entered. `faults` may be swapped."""

    def __init__(
        self,
        size: int = 2000,
        *,
        port: int = 0,
        username: str = "demo",
        password: str = "demo-password",
        clock: Clock | None = None,
    ) -> None:
        self.username, self.password = username, password
        self.clock = clock or SystemClock()
        self.orders = LtaOrders(self.clock)
        self.archive = Staged(size)
        self.archive.orders = self.orders
        self.faults = LtaFaults()
        self.polls = 0
        self._port = port

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self._port), backlog=256)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/odata/v1"
        config = uvicorn.Config(
            self.app(), lifespan="off", ws="none", log_config=None, access_log=False, timeout_keep_alive=60
        )
        config.load()
        self._server = uvicorn.Server(config)
        self._thread = in_thread([self._server], [listener], "lta")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    def app(self) -> Starlette:
        """The service as an ASGI application."""
        root = "/odata/v1"
        catalogue = Catalogue(self.archive, Bursts(self.archive), self.url, self.url)
        return Starlette(
            routes=[
                Route(f"{root}/Products({{id}})/OData.CSC.Order", self._take, methods=["POST"]),
                Route(f"{root}/Products({{id}})/$value", self._value),
                Route(f"{root}/Orders", self._list),
                Route(f"{root}/Orders({{id}})", self._one),
                Mount("/", catalogue.app()),
            ],
            exception_handlers={Refused: _refused},
        )

    def names(self, family: str, count: int) -> list[str]:
        """The names of the first products whose name begins so, for tests to order."""
        named = (str(name) for name in self.archive.names)
        return [name for name in named if name.startswith(family)][:count]

    # Answers --------------------------------------------------------------------------------------
    async def _take(self, request: Request) -> Response:
        product = self._product(request)
        faults = self.faults
        if faults.lost_unanswered:
            self.faults = replace(faults, lost_unanswered=faults.lost_unanswered - 1)
            return Response("upstream request timeout", 504)
        order = self.orders.take(product, faults)
        if order is None:
            headers = {} if faults.retry_after is None else {"Retry-After": faults.retry_after}
            refused = {"detail": {"message": "Order quota exceeded"}}
            return JSONResponse(refused, faults.refusal, headers)
        if faults.taken_unanswered:
            self.faults = replace(faults, taken_unanswered=faults.taken_unanswered - 1)
            return Response("upstream request timeout", 504)
        shown = {**self.orders.shown(order), "Status": "queued"}
        return JSONResponse({"@odata.context": "$metadata#Orders/$entity", **shown}, 201)

    async def _list(self, request: Request) -> Response:
        self._check(request)
        self.polls += 1
        wanted = request.query_params.get("$filter", "")
        if match := BY_ID.fullmatch(wanted):
            found = self.orders.get(match[1])
        elif match := BY_PRODUCT.fullmatch(wanted):
            found = self._of_product(match[1], only_open=match["open"] is not None)
        else:
            raise detailed(400, f"Invalid filter: {wanted}")
        shown = [] if found is None else [self.orders.shown(found)]
        return JSONResponse({"@odata.context": "$metadata#Orders", "value": shown})

    def _of_product(self, product: str, *, only_open: bool) -> Taken | None:
        order = self.orders.of(product)
        over = order is not None and self.orders.status(order) not in ("queued", "in_progress")
        return None if only_open and over else order

    async def _one(self, request: Request) -> Response:
        self._check(request)
        self.polls += 1
        order = self.orders.get(request.path_params["id"])
        if order is None:
            raise detailed(404, "Order not found.")
        return JSONResponse(self.orders.shown(order))

    async def _value(self, request: Request) -> Response:
        product = self._product(request)
        if self.orders.evicted_at(product) is None:
            raise detailed(404, "The product is not online.")
        return Response(zipped(product), media_type="application/zip")

    def _product(self, request: Request) -> str:
        self._check(request)
        id = str(request.path_params["id"])
        if self.archive.ids.row(id) is None:
            raise detailed(404, f"Product with id {id} not found.")
        return id

    def _check(self, request: Request) -> None:
        wanted = b64encode(f"{self.username}:{self.password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {wanted}":
            raise detailed(401, "Unauthorized")


def zipped(product: str) -> bytes:
    """The bytes of a product: a small zip that names it, the same every time."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        info = zipfile.ZipInfo(f"{product}/product.json", (2021, 1, 1, 0, 0, 0))
        archive.writestr(info, json.dumps({"Id": product}).ljust(4096))
    return out.getvalue()


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response
