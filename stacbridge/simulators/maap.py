"""ESA MAAP to run on loopback: a STAC API with habits of its own, its files, and its identity host.

    with MaapSimulator() as simulator:
        requests.get(simulator.catalogue_url)

Known (published tutorials and notebooks, recorded queryables, answers of the same software elsewhere,
code of working clients): the 503 without the last slash; a first link to a search that is an OpenSearch
description; collections by `startRecord`; collections without items, and queryables under another id;
`httpAccept`, lost by the link to the next page of items; filters as CQL2 text by GET; names of queryables,
before and after they moved; no sorting; `datetime` by overlap; a token for all files but public ones; zips in
chunks without length; EarthCARE's addresses that lack a letter; 401 without the client's secret.

Assumed: that POST takes all but filters; error bodies; that every text ignores case; that items write
versions as queryables list them; access tokens of 36,000 s; 403 by collection with a body that names it;
HEAD like GET; names under `/data/zipper`. Items carry what clients read of real ones; none is recorded whole.
Unknown, and so not simulated: rate limits, the length of URLs, redirects of files.
"""

import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from .clock import Clock, SystemClock
from .control import Control, Gate, RequestRecord
from .faults import Faults
from .maap_catalogue import StacCatalogue
from .maap_data import Files
from .maap_identity import CONNECT, OfflineAccess, OfflineIdentity
from .serving import in_thread

RESTRICTED = ("BiomassLevel1aIOC",)
"""Collections that the simulated account may find and not read."""


class MaapSimulator:
    """ESA MAAP's catalogue with its files, and its identity host; a context manager.

    `namespaced` gives queryables the names of STAC, `strict` refuses others in filters. `offline_life` and
    `access_life` are in seconds. `ports` are those of catalogue and identity; 0 is any free one.
    """

    def __init__(
        self,
        *,
        namespaced: bool = False,
        strict: bool = False,
        host: str = "127.0.0.1",
        ports: tuple[int, int] = (0, 0),
        clock: Clock | None = None,
        access_life: float = 36000,
        offline_life: float = 90 * 86400,
        restricted: tuple[str, ...] = RESTRICTED,
    ) -> None:
        self.clock = clock or SystemClock()
        self.control = Control()
        self.access = OfflineAccess(self.clock, access_life, offline_life)
        self._names = (namespaced, strict)
        self._host, self._ports, self._restricted = host, ports, restricted
        self._servers: list[uvicorn.Server] = []

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            listeners = [
                opened.enter_context(socket.create_server((self._host, port), backlog=256))
                for port in self._ports
            ]
            urls = [f"http://{self._host}:{listener.getsockname()[1]}" for listener in listeners]
            self.catalogue_url, self.data_url = f"{urls[0]}/catalogue/", f"{urls[0]}/data/"
            self.token_url = f"{urls[1]}{CONNECT}/token"
            self._start(urls, listeners)
            opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.should_exit = True
            server.force_exit = True
        self._thread.join()

    def _start(self, urls: list[str], listeners: list[socket.socket]) -> None:
        namespaced, strict = self._names
        data = self.data_url.rstrip("/")
        self.catalogue = StacCatalogue(
            self.catalogue_url.rstrip("/"), data, namespaced=namespaced, strict=strict
        )
        granted = frozenset(self.catalogue.holdings).difference(self._restricted)
        self.identity = OfflineIdentity(self.access, urls[1])
        catalogue = Gate(self.catalogue.app(), "catalogue", self.control)
        files = Gate(Files(self.access, self.control, granted).app(), "download", self.control)
        identity = Gate(self.identity.app(), "identity", self.control)
        for app in (_split(catalogue, files), identity):
            config = uvicorn.Config(
                app,
                lifespan="off",
                timeout_keep_alive=60,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
            )
            config.load()
            self._servers.append(uvicorn.Server(config))
        self._thread = in_thread(self._servers, listeners, "maap")

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

    @property
    def token_requests(self) -> int:
        """How many requests the token endpoint has had."""
        return self.identity.token_requests

    def announcement(self) -> dict[str, str]:
        """Where the servers are and how to sign in, for a parent process."""
        return {
            "catalogue_url": self.catalogue_url,
            "data_url": self.data_url,
            "token_url": self.token_url,
            "offline_token": self.access.offline_token,
            "client_secret": self.access.client_secret,
        }


def _split(catalogue: ASGIApp, files: ASGIApp) -> ASGIApp:
    """Serve files and catalogue from one address."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = files if scope.get("path", "").startswith("/data/") else catalogue
        await chosen(scope, receive, send)

    return app
