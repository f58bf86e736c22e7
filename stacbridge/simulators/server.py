"""The simulator as three servers on loopback: catalogue, download and identity."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from .archive import Archive
from .bursts import Bursts
from .clock import Clock, SystemClock
from .control import Control, Gate, RequestRecord
from .downloads import CONNECTIONS, Downloads
from .faults import Faults, Role
from .odata import Catalogue
from .oidc import Account, Identity
from .serving import in_thread
from .sessions import Sessions

ROLES: tuple[Role, ...] = ("catalogue", "download", "identity")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs, without a path, that the hosts print in links and redirects."""

    catalogue: str
    download: str
    identity: str


CDSE = Addresses(
    "https://catalogue.dataspace.copernicus.eu",
    "https://download.dataspace.copernicus.eu",
    "https://identity.dataspace.copernicus.eu",
)
"""The names of the real hosts, for clients that know no others."""


class CdseSimulator:
    """Copernicus CDSE's catalogue, download and identity hosts over a simulated archive of `size` products.

    A context manager; the servers listen on `host` while it is entered, on the given `ports` (0: any free
    one). With `certfile` and `keyfile` they speak TLS. `addresses` replaces the loopback URLs in links and
    redirects. Lives are in seconds. `held` products come in only when they are published (see `Catalogue`);
    those of the collection `at_once` are all published at one time.
    Raises OSError if a port is taken or a certificate cannot be read.
    """

    def __init__(
        self,
        size: int = 100_000,
        *,
        host: str = "127.0.0.1",
        ports: tuple[int, int, int] = (0, 0, 0),
        username: str = "demo@example.com",
        password: str = "demo-password",
        totp: str | None = None,
        clock: Clock | None = None,
        access_life: float = 600,
        refresh_life: float = 3600,
        session_limit: int = 100,
        connection_limit: int = CONNECTIONS,
        large_bytes: int | None = None,
        held: int = 0,
        at_once: str | None = None,
        certfile: str | None = None,
        keyfile: str | None = None,
        addresses: Addresses | None = None,
    ) -> None:
        self.username = username
        self.password = password
        self.clock = clock or SystemClock()
        self.archive = Archive(size, large_bytes, at_once)
        self.bursts = Bursts(self.archive)
        self.control = Control()
        self._held = held
        self._host = host
        self._ports = ports
        self._tls = {"ssl_certfile": certfile, "ssl_keyfile": keyfile}
        self._addresses = addresses
        self._account = Account(username, password, totp)
        self._lives = (access_life, refresh_life, session_limit)
        self._connection_limit = connection_limit
        self._servers: list[uvicorn.Server] = []

    # Running --------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        with ExitStack() as opened:
            listeners = [
                opened.enter_context(socket.create_server((self._host, port), backlog=256))
                for port in self._ports
            ]
            self.ports: dict[str, int] = {
                role: s.getsockname()[1] for role, s in zip(ROLES, listeners, strict=True)
            }
            self._name_urls()
            self._start(listeners)
            opened.pop_all()
        return self

    def _name_urls(self) -> None:
        scheme = "https" if self._tls["ssl_certfile"] else "http"
        own = Addresses(*(f"{scheme}://{self._host}:{port}" for port in self.ports.values()))
        shown = self._addresses or own
        self.catalogue_url = f"{shown.catalogue}/odata/v1"
        self.download_url = f"{shown.download}/odata/v1"
        self.identity_url = shown.identity
        self.token_url = f"{shown.identity}/auth/realms/CDSE/protocol/openid-connect/token"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.should_exit = True
            server.force_exit = True
        self._thread.join()

    def _start(self, listeners: list[socket.socket]) -> None:
        apps = self._apps()
        for role in ROLES:
            config = uvicorn.Config(
                Gate(apps[role], role, self.control),
                lifespan="off",
                timeout_keep_alive=60,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                **self._tls,  # type: ignore[arg-type]
            )
            config.load()
            self._servers.append(uvicorn.Server(config))
        self._thread = in_thread(self._servers, listeners, "simulator")

    def _apps(self) -> dict[Role, ASGIApp]:
        self.sessions = Sessions(self.clock, f"{self.identity_url}/auth/realms/CDSE", *self._lives)
        self.identity = Identity(self._account, self.sessions, self.identity_url)
        self.downloads = Downloads(
            self.archive, self.bursts, self.sessions, self.control, self.download_url, self._connection_limit
        )
        catalogue = Catalogue(self.archive, self.bursts, self.catalogue_url, self.download_url, self._held)
        return {
            "catalogue": catalogue.app(),
            "download": self.downloads.app(),
            "identity": self.identity.app(),
        }

    # What tests look at ---------------------------------------------------------------------------
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

    @property
    def large_id(self) -> str | None:
        """Identifier of the large product, if there is one."""
        row = self.archive.large_row
        return None if row is None else str(self.archive.record(row)["Id"])

    def announcement(self) -> dict[str, str]:
        """Where the servers are and how to sign in, for a parent process."""
        return {
            "catalogue_url": self.catalogue_url,
            "download_url": self.download_url,
            "identity_url": self.identity_url,
            "token_url": self.token_url,
            "username": self.username,
            "password": self.password,
        }
