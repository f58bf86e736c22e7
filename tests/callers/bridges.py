"""Bridges that ask who comes, served for real over the made-up archive."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from stacbridge.app import create_app
from stacbridge.callers.keys import Keys
from stacbridge.settings import Settings
from tests.api.archive import alpha, beta
from tests.api.serving import products, running

TIMEOUT = 10


@dataclass(frozen=True)
class Bridge:
    """A running bridge, its key folder, and a key that opens it."""

    url: str
    keys: Keys
    key: str

    def ask(self, path: str, method: str = "GET", key: str | None = None, **more: Any) -> requests.Response:
        """Ask a path, or a whole URL; with a key as Bearer."""
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        url = path if path.startswith("http") else f"{self.url}{path}"
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, url, headers=headers, timeout=TIMEOUT, allow_redirects=False, **more
            )

    def asset(self, key: str | None = None) -> dict[str, Any]:
        """Return the asset of an item as a search shows it to the holder of a key."""
        found = self.ask("/search?collections=radar-grd&limit=1", key=key).json()
        return dict(found["features"][0]["assets"]["image"])


@contextmanager
def guarded(folder: Path, **settings: Any) -> Iterator[Bridge]:
    """Serve the archive in keys mode, unless told otherwise."""
    keys = Keys(folder / "keys")
    chosen = {"access": "keys", "key_folder": folder / "keys", "login_failures": 1000, **settings}
    with (
        products() as origin,
        running(create_app(Settings(**chosen), [alpha(origin), beta(origin)])) as url,
    ):
        yield Bridge(url, keys, keys.create("Ada"))
