"""The bridge's end of a download on loopback: a catalogue with one asset, and the proxy under uvicorn."""

import asyncio
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import uvicorn

from stacbridge.callers.principal import Mode, Principal
from stacbridge.catalogue import Archive, Quota
from stacbridge.commands import zerocopy
from stacbridge.commands.protocol import bounded
from stacbridge.download.hooks import NO_HOOKS, PRINCIPAL, Hooks
from stacbridge.download.proxy import AssetProxy
from stacbridge.errors import StacbridgeError
from stacbridge.model import Found, Json, Pending, Query, Ready, Reply, Request
from stacbridge.settings import Settings

TOKEN = "canary-token"
FILE = "S2A.zip"
PATH = f"/assets/one/sentinel-2-l2a/S2A/Product/{FILE}"
PATIENCE = 10


def lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


@dataclass
class OneAsset:
    """A catalogue with one asset, whose credentials are for the hosts (with port) in `trusted`."""

    place: Ready | Pending | StacbridgeError | Exception
    id: str = "one"
    title: str = "One asset"
    connections: int = 4
    quota: Quota | None = None
    trusted: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    tokens: list[str] = field(default_factory=lambda: [TOKEN])
    located: list[tuple[str, str, str]] = field(default_factory=list)
    renewals: int = 0
    archive: Archive | None = None

    def locate(self, collection: str, item: str, asset: str) -> Ready | Pending:
        self.located.append((collection, item, asset))
        if isinstance(self.place, Exception):
            raise self.place
        return self.place

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[0]}"} if urlsplit(url).netloc in self.trusted else {}

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        self.renewals += 1
        self.tokens = self.tokens[1:] or self.tokens
        return self.authorize(url)

    def warnings(self) -> list[str]:
        return []

    def expired(self, reply: Reply) -> bool:
        return reply.status == 401 or b"token does not exist" in reply.body

    def may_follow(self, url: str) -> bool:
        return urlsplit(url).netloc in self.trusted | self.foreign

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        return Found([])

    def collections(self) -> list[Json]:
        return []

    def queryables(self, collection: str | None) -> Json:
        return {}

    def sortables(self, collection: str | None) -> Json:
        return {}


class Reachable(Protocol):
    """A server on loopback."""

    url: str


def in_front_of(upstream: Reachable, path: str = "/Products(1)/$value", **ready: Any) -> OneAsset:
    """Return a catalogue whose asset is at `upstream`, which it trusts with its token."""
    given: dict[str, Any] = {"name": FILE, "media_type": "application/zip", "ranges": True} | ready
    place = Ready(Request("GET", f"{upstream.url}{path}"), **given)
    return OneAsset(place, trusted={urlsplit(upstream.url).netloc})


@dataclass(frozen=True)
class Heard:
    """An answer as the client heard it; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Bridge:
    """The proxy as it is served, under uvicorn with uvloop and httptools; `X-User` says who asks.

    Unless it is `zero_copy`, the server is uvicorn as it comes.
    """

    def __init__(
        self,
        catalogue: OneAsset,
        context: ssl.SSLContext | None = None,
        hooks: Hooks = NO_HOOKS,
        clock: Callable[[], float] = time.monotonic,
        zero_copy: bool = True,
        **settings: Any,
    ) -> None:
        quick = {"retry_wait": 0.01} | settings
        self.proxy = AssetProxy({catalogue.id: catalogue}, Settings(**quick), context, hooks, clock=clock)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.port: int = self._listener.getsockname()[1]
        config = uvicorn.Config(
            zerocopy.zero_copy(self._app) if zero_copy else self._app,
            interface="asgi3",
            loop="uvloop",
            http=bounded(PATIENCE) if zero_copy else "httptools",
            lifespan="on",
            log_config=None,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=[[self._listener]])

    def __enter__(self) -> "Bridge":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self._listener.close()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            user = dict(scope["headers"]).get(b"x-user")
            mode: Mode = "open" if user == b"everybody" else "key"
            who = {} if user is None else {PRINCIPAL: Principal(user.decode(), user.decode(), mode)}
            return await self.proxy({**scope, **who}, receive, send)
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.proxy.close()
        await send({"type": "lifespan.shutdown.complete"})
        return None

    def ask(self, method: str = "GET", path: str = PATH, headers: Mapping[str, str] | None = None) -> Heard:
        """Ask for `path` and read the whole answer."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            client.request(method, path, headers=dict(headers or {}))
            answer = client.getresponse()
            return Heard(answer.status, lowered(answer.getheaders()), answer.read())
        finally:
            client.close()

    def status(self, principal: Principal | None = None) -> Json:
        """Return what the proxy says of its accounts."""
        return asyncio.run(self.proxy.status(principal))

    @contextmanager
    def client(self, path: str = PATH, user: str = "") -> Iterator[socket.socket]:
        """Ask for `path` and leave the answer to the caller; closing the socket is going away."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as sock:
            who = f"X-User: {user}\r\n" if user else ""
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: bridge\r\n{who}\r\n".encode())
            yield sock


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait until `condition` holds, at most for `seconds`; return whether it does."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return condition()
