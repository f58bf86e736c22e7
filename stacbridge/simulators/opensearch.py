"""An OpenSearch service in the manner of VITO's Terrascope, HR-VPP and Global Land.

Catalogue and files are on one host, the identity service on another, each on a port of its own.

    with OpenSearchSimulator() as simulator:
        requests.get(f"{simulator.url}/catalogue/products?collection=urn:eop:VITO:TERRASCOPE_S2_TOC_V2")

Known (from recorded answers and from the published client): the members of answers; `startIndex` from 1, an
empty page beyond the end; `last` that stops at the depth one can page to; unknown parameters and values
refused with `exceptions`; `count=0`; sets and intervals; answers outside the dates asked for; `accessedFrom`;
Bearer and Basic on files, 401 for an expired token, a redirect to the login page without any; token lives.

Assumed: the description documents' text; 400 for refused searches; whole days as the reach of dates; the
largest page (500); that a page beyond the depth is refused.
"""

import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from .answers import json_response
from .clock import Clock, SystemClock
from .content import make
from .control import Control, Gate, RequestRecord
from .faults import Faults
from .opensearch_answers import GEOJSON, ORIGINS, Answers
from .opensearch_description import COLLECTIONS, PRODUCTS, document
from .opensearch_identity import CONNECT, REALM, Identity
from .opensearch_parameters import TESTS, Paging, Refused, ordered, paging
from .opensearch_products import Holding, Holdings
from .serving import in_thread
from .sessions import Sessions
from .transfer import Body, Download

LARGEST_PAGE = 500

T = TypeVar("T")


class OpenSearchSimulator:
    """A context manager that serves while it is entered. `size` is the number of products of the largest
    collection, `depth` how many records can be paged through; lives are in seconds. `at_once` products of the
    elevation model begin at one time; `held` of it come in by `POST /simulator/publish?count=…`.

    With `wso2` the token endpoint refuses a client that is named in the form and in a header, too. `spec`
    chooses the variant of namespaces in description documents.
    """

    def __init__(
        self,
        size: int = 2000,
        *,
        depth: int = 100_000,
        at_once: int = 0,
        held: int = 0,
        spec: bool = False,
        wso2: bool = False,
        username: str = "demo@example.com",
        password: str = "demo-password",
        clock: Clock | None = None,
        access_life: float = 300,
        refresh_life: float = 3600,
    ) -> None:
        self.username, self.password = username, password
        self.holdings = Holdings(size, at_once, held)
        self.control = Control()
        self._clock = clock or SystemClock()
        self._depth, self._spec, self._wso2 = depth, spec, wso2
        self._lives = (access_life, refresh_life)

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            listeners = [opened.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
            urls = [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
            self.url, self.identity_url = urls
            self.sessions = Sessions(self._clock, f"{self.identity_url}{REALM}", *self._lives)
            self.identity = Identity(self.username, self.password, self.sessions, wso2=self._wso2)
            self.token_url = f"{self.identity_url}{CONNECT}/token"
            self._answers = Answers(self.url, self._depth)
            self._start(listeners)
            opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.should_exit = server.force_exit = True
        self._thread.join()

    @property
    def log(self) -> list[RequestRecord]:
        """Every request so far, oldest first."""
        return self.control.log

    @property
    def faults(self) -> Faults:
        """The faults in force."""
        return self.control.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.control.faults = faults

    def _start(self, listeners: list[socket.socket]) -> None:
        apps = (
            Gate(self._catalogue(), "catalogue", self.control),
            Gate(self.identity.app(), "identity", self.control),
        )
        configs = [
            uvicorn.Config(
                app, lifespan="off", ws="none", log_config=None, access_log=False, server_header=False
            )
            for app in apps
        ]
        self._servers = [uvicorn.Server(config) for config in configs]
        self._thread = in_thread(self._servers, listeners, "opensearch")

    # The catalogue --------------------------------------------------------------------------------
    def _catalogue(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/catalogue/description", self._describe),
                Route("/catalogue/description.geojson", self._describe),
                Route("/catalogue/collections", self._collections),
                Route("/catalogue/products", self._products),
                Route("/download/{path:path}", self._download),
                Route("/wms/v2", self._map),
                Route("/simulator/publish", self._publish, methods=["POST"]),
            ],
            exception_handlers={Refused: _refused},
        )

    async def _describe(self, request: Request) -> Response:
        key = request.query_params.get("collection")
        text = document(self.url, self._holding(key) if key else None, spec=self._spec)
        return Response(text, media_type="application/opensearchdescription+xml")

    async def _collections(self, request: Request) -> Response:
        given = _given(request, COLLECTIONS)
        part = paging(given, LARGEST_PAGE, LARGEST_PAGE)
        wanted = given.get("platform")
        found = [h for h in self.holdings.collections.values() if wanted in (None, h.platform)]
        shown = [self._answers.collection(holding) for holding in _cut(found, part)]
        return _geojson(self._answers.page("collections", given, shown, len(found), part))

    async def _products(self, request: Request) -> Response:
        given = _given(request, {"collection": "", **PRODUCTS})
        if "collection" not in given:
            raise Refused("Mandatory parameter is missing", "collection")
        holding = self._holding(given["collection"])
        origin = given.get("accessedFrom", "HTTP")
        if origin not in ORIGINS:
            raise Refused(f"Invalid value: {origin}", "accessedFrom")
        part = paging(given, self._depth, LARGEST_PAGE)
        tests = [TESTS[key](text, key) for key, text in given.items() if key in TESTS]
        found = [p for p in self.holdings.products[holding.id] if all(test(p) for test in tests)]
        in_order = ordered(found, given.get("sortKeys")) if part.count else []
        shown = [self._answers.product(product, origin) for product in _cut(in_order, part)]
        return _geojson(self._answers.page("products", given, shown, len(found), part))

    async def _publish(self, request: Request) -> Response:
        coming = self.holdings.publish(int(request.query_params.get("count", 1)))
        return json_response({"published": [product.title for product in coming]})

    def _holding(self, key: str) -> Holding:
        if key not in self.holdings.collections:
            raise Refused(f"Unknown collection: {key}", "collection")
        return self.holdings.collections[key]

    # Files ----------------------------------------------------------------------------------------
    async def _download(self, request: Request) -> Response | Download:
        state = self.identity.state(request.headers.get("authorization", ""))
        if state is None:
            return RedirectResponse(f"{self.identity_url}{CONNECT}/auth", 302)
        if state != "live":
            return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        name = request.path_params["path"].rpartition("/")[2]
        kind = "xml" if name.endswith(".xml") else "tiff"
        data = make(kind, name, (4.4, 50.4, 5.4, 51.4))
        body = Body(
            size=len(data),
            read=lambda start, length: data[start : start + length],
            filename=name,
            media_type="image/tiff" if kind == "tiff" else "application/xml",
            ranged=True,
            etag=name,
        )
        return Download(body, self.control.faults, request.headers.get("range"), lambda: None)

    async def _map(self, request: Request) -> Response:
        return Response(make("png", "map", (4.4, 50.4, 5.4, 51.4)), media_type="image/png")


def _given(request: Request, known: dict[str, str]) -> dict[str, str]:
    """Return the parameters of a search; an empty one is as if it were not there."""
    given = dict(parse_qsl(request.url.query))
    for name in given:
        if name not in known:
            raise Refused("Unknown parameter", name)
    return given


def _cut(found: list[T], part: Paging) -> list[T]:
    return found[part.start - 1 : part.start - 1 + part.count]


def _geojson(body: dict[str, object]) -> Response:
    answer = json_response(body)
    answer.headers["content-type"] = GEOJSON
    return answer


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    exception = {
        "exceptionCode": "InvalidParameterValue",
        "exceptionText": error.text,
        "locator": error.locator,
    }
    return json_response({"type": "Exception", "exceptions": [exception]}, error.status)
