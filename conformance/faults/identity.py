"""An archive behind one account, whose identity provider fails as it is told, and a bridge in front of it."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import requests
from pydantic import SecretStr

from stacbridge.access.session_file import SessionFile, session_file
from stacbridge.app import create_app
from stacbridge.loading import load
from stacbridge.settings import Credentials, Settings
from stacbridge.upstream import Upstream
from tests.api.serving import running
from tests.callers.archive import FAMILY, TOML, record
from tests.servers import Answer, Clock, Seen, serving

PASSWORD = "canary-of-ada"
BYTES = b"bytes of ada"
REFUSED = Answer(401, b'{"error": "invalid_grant", "error_description": "Invalid user credentials"}')
TIMEOUT = 20


class Provider:
    """Searches need no token, files one of a live session; `fault` is answered instead of any token."""

    def __init__(self, life: float = 600) -> None:
        self.grants: list[str] = []
        self.sessions: dict[str, set[str]] = {}
        """Access tokens of the sessions that are open, by their refresh tokens."""
        self.most = 0
        self.ends: dict[str, float] = {}
        """When each access token ends, on the monotonic clock."""
        self.life = life
        self.fault: Answer | None = None
        self.audience = True
        self.revoked = False
        self._lock = threading.Lock()

    def __call__(self, seen: Seen) -> Answer:
        form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        with self._lock:
            if seen.path == "/token":
                return self._token(form)
            if seen.path == "/logout":
                self.sessions.pop(form["refresh_token"], None)
                return Answer(204)
            return self._file(seen) if seen.path.endswith("/$value") else _found(seen)

    def _token(self, form: dict[str, str]) -> Answer:
        self.grants.append(form["grant_type"])
        if self.fault is not None:
            return self.fault
        if form["grant_type"] == "refresh_token":
            refresh = form["refresh_token"]
            if self.revoked or refresh not in self.sessions:
                return Answer(400, b'{"error": "invalid_grant", "error_description": "Token is not active"}')
        else:
            if form["password"] != PASSWORD:
                return REFUSED
            refresh = f"canary-refresh-{len(self.grants)}"
            self.sessions[refresh] = set()
            self.most = max(self.most, len(self.sessions))
        access = f"canary-access-{len(self.grants)}"
        self.sessions[refresh].add(access)
        self.ends[access] = time.monotonic() + self.life
        token = {"access_token": access, "expires_in": self.life, "refresh_token": refresh}
        return Answer(body=orjson.dumps({**token, "refresh_expires_in": 3600}))

    def _file(self, seen: Seen) -> Answer:
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if not any(token in known for known in self.sessions.values()):
            return Answer(401, b'{"message": "expired"}')
        if not self.audience:
            return Answer(401, b'{"code": "DAT-ZIP-609", "message": "Token audience not allowed"}')
        return Answer(200, BYTES, {"ETag": '"one"'})


def _found(seen: Seen) -> Answer:
    asked = ("Name%20eq" not in seen.path and "Name eq" not in seen.path) or "TOY_ada" in seen.path
    return Answer(body=orjson.dumps({"value": [record("ada")] if asked else []}))


class Place:
    """A folder with the archive's catalogue file, and what a bridge with its account needs."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        endpoints = f'token = "{url}/token"\nlogout = "{url}/logout"'
        toml = TOML.replace('token = "{url}/token"', endpoints).replace("{url}", url)
        (folder / "toy").mkdir()
        (folder / "toy.toml").write_text(toml.replace("searches = true\n", ""))
        (folder / "toy" / "toys.toml").write_text(FAMILY)
        self.file = f"{url}/odata/v1/Products(1)/$value"

    def settings(self, password: str = PASSWORD, **more: Any) -> Settings:
        given = {
            "catalogues": ["toy"],
            "catalogue_folder": self.folder,
            "credentials": {"toy": Credentials(username="ada", password=SecretStr(password))},
            "account_store": "files",
            "account_folder": self.folder / "accounts",
            "keep_sessions": True,
            "retry_wait": 0.01,
            **more,
        }
        return Settings(**given)

    def environment(self) -> dict[str, str]:
        """Return the environment of a process with these settings."""
        return os.environ | {
            "STACBRIDGE_CATALOGUES": '["toy"]',
            "STACBRIDGE_CATALOGUE_FOLDER": str(self.folder),
            "STACBRIDGE_CREDENTIALS__TOY__USERNAME": "ada",
            "STACBRIDGE_CREDENTIALS__TOY__PASSWORD": PASSWORD,
            "STACBRIDGE_ACCOUNT_STORE": "files",
            "STACBRIDGE_ACCOUNT_FOLDER": str(self.folder / "accounts"),
            "STACBRIDGE_KEEP_SESSIONS": "true",
        }

    def upstream(
        self, clock: Clock | None = None, wall: Callable[[], float] = time.time, **more: Any
    ) -> Upstream:
        """Return the archive's catalogue, as another process would have it; with a clock, on that."""
        return load("toy", self.settings(**more), clock=clock or time.monotonic, wall=wall)

    def session_file(self, boot: str | None = None) -> SessionFile:
        """Return the file that keeps the account's session, as a process after that start of the machine."""
        token = self.file.partition("/odata")[0] + "/token"
        account = self.settings().credentials["toy"]
        return session_file("toy", self.settings(), account, token, **({"boot": boot} if boot else {}))


Both = tuple[Provider, Place]


@contextmanager
def behind(folder: Path, life: float = 600) -> Iterator[Both]:
    """Run the provider and its archive; `life` is the seconds of its tokens."""
    provider = Provider(life)
    with serving(provider) as server:
        yield provider, Place(folder, server.url)


@contextmanager
def bridged(upstream: Upstream, settings: Settings) -> Iterator[tuple[str, str]]:
    """Run a bridge; give its URL and the href of the archive's one file."""
    try:
        with running(create_app(settings, [upstream])) as url:
            found = requests.get(f"{url}/search?collections=toys", timeout=TIMEOUT).json()
            yield url, found["features"][0]["assets"]["product"]["href"]
    finally:
        upstream.close()
