"""Both ends of a download on loopback: a scripted upstream, a catalogue for it, the proxy under uvicorn."""

import http.client
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import trustme
import uvicorn

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


class Connection:
    """The upstream's side of one connection, in the hands of a script."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.open = True

    def answer(self, status: str = "200 OK", body: bytes = b"", **headers: str) -> None:
        """Send an answer; headers are named with `_` for `-`, and Content-Length is the body's if unsaid."""
        named = {"Content-Length": str(len(body))} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
        self.sock.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    def close(self) -> None:
        """End the connection in order."""
        self.open = False
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """End the connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.open = False
        self.sock.close()

    def stall(self) -> None:
        """Say nothing until the other side goes away."""
        with suppress(OSError):
            while self.sock.recv(65536):
                pass
        self.open = False


@dataclass
class Asked:
    """A request as the upstream heard it; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]


Script = Callable[[Asked, Connection], None]


class Upstream:
    """An HTTP server whose answers a script writes byte by byte."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self._context = context
        self._busy = 0
        self._change = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme, host = ("https", "localhost") if context else ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self.sockets: list[socket.socket] = []

    def wait(self, asked: int, busy: int, seconds: float = PATIENCE) -> bool:
        """Wait until `asked` requests have come and `busy` are being answered; return whether that came."""
        with self._change:
            return self._change.wait_for(lambda: len(self.asked) >= asked and self._busy == busy, seconds)

    def __enter__(self) -> "Upstream":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self.sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.sockets.append(sock)
                thread = threading.Thread(target=self._serve, args=[sock])
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError):
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
            with sock, sock.makefile("rb") as lines:
                connection = Connection(sock)
                while connection.open and (first := lines.readline()):
                    headers = http.client.parse_headers(lines)
                    method, path, _ = first.decode().split()
                    self._answer(Asked(method, path, lowered(headers.items())), connection)

    def _answer(self, asked: Asked, connection: Connection) -> None:
        self._note(+1, asked)
        try:
            self.script(asked, connection)
        finally:
            self._note(-1)

    def _note(self, busy: int, asked: Asked | None = None) -> None:
        with self._change:
            self._busy += busy
            self.asked += [asked] if asked else []
            self._change.notify_all()


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


@dataclass(frozen=True)
class Named:
    """A caller, as whoever knows callers puts it into the scope."""

    id: str


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
            who = {} if user is None else {PRINCIPAL: Named(user.decode())}
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

    @contextmanager
    def client(self, path: str = PATH, user: str = "") -> Iterator[socket.socket]:
        """Ask for `path` and leave the answer to the caller; closing the socket is going away."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as sock:
            who = f"X-User: {user}\r\n" if user else ""
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: bridge\r\n{who}\r\n".encode())
            yield sock


@contextmanager
def bridged(
    script: Script, *, settings: Mapping[str, Any] | None = None, **ready: Any
) -> Iterator[tuple[Bridge, Upstream]]:
    """Run an upstream that follows `script`, and the bridge in front of it."""
    with Upstream(script) as upstream, Bridge(in_front_of(upstream, **ready), **(settings or {})) as bridge:
        yield bridge, upstream


def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context with a certificate for localhost, and a client's that trusts it."""
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    return server, client


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait until `condition` holds, at most for `seconds`; return whether it does."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return condition()
