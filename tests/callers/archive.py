"""An archive behind accounts: whoever signs in finds and gets what is theirs, and nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote

import orjson

from stacbridge.model import Json
from tests.servers import Answer, Seen, Server, serving

TOML = """
id = "toy"
title = "Toy archive"
dialect = "odata"

[endpoints]
catalogue = "{url}/odata/v1"
download = "{url}/odata/v1"
token = "{url}/token"

[access]
flow = "oidc-password"
client_id = "toy-public"
endpoints = ["download", "catalogue"]
searches = true

[limits]
connections = 4
page = 1000
offset = 10000
filter = 6000

[names]
strip = [".SAFE"]

[[field]]
stac = "datetime"
from = "ContentDate/Start"
type = "DateTimeOffset"
push = "order"
sort = true
"""
FAMILY = """
[family]
name = "TOY"
license = "other"

[[collection]]
id = "toys"
title = "Toys"
description = "Toys."
match = { productType = ["TOY"] }

[[collection.asset]]
key = "product"
type = "application/octet-stream"
roles = ["data"]
of = "product"
"""


class Archive:
    """Accounts whose passwords are `canary-of-<user>`; each holds one product, TOY_<user>."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self.issued = 0
        self.ended_after = 10**9
        self._used: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, seen: Seen) -> Answer:
        with self._lock:
            return self._token(seen) if seen.path == "/token" else self._guarded(seen)

    def _token(self, seen: Seen) -> Answer:
        form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        user = form.get("username", "")
        if form.get("password") != f"canary-of-{user}":
            return Answer(401, orjson.dumps({"error": "invalid_grant", "error_description": "no"}))
        self.issued += 1
        token = f"canary-token-{user}-{self.issued}"
        self.tokens[token] = user
        return Answer(body=orjson.dumps({"access_token": token, "expires_in": 600}))

    def _guarded(self, seen: Seen) -> Answer:
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        self._used[token] = self._used.get(token, 0) + 1
        user = self.tokens.get(token)
        if user is None or self._used[token] > self.ended_after:
            return Answer(401, b'{"message": "expired"}')
        path = unquote(seen.path)
        if path.endswith("/$value"):
            mine = f"Products({number(user)})" in path
            return Answer(200, f"bytes of {user}".encode()) if mine else Answer(403, b"not yours")
        asked = "Name eq " not in path or f"TOY_{user}" in path
        return Answer(body=orjson.dumps({"value": [record(user)] if asked else []}))


def number(user: str) -> str:
    return f"00000000-0000-0000-0000-{int.from_bytes(user.encode()) % 10**12:012}"


def record(user: str) -> Json:
    return {
        "Id": number(user),
        "Name": f"TOY_{user}.SAFE",
        "Online": True,
        "ContentDate": {"Start": "2026-01-01T00:00:00.000000Z", "End": "2026-01-01T00:00:01.000000Z"},
        "Attributes": [{"Name": "productType", "Value": "TOY"}],
    }


@contextmanager
def archive(folder: Path) -> Iterator[tuple[Archive, Server]]:
    """Serve the archive, and write its catalogue file `toy` into `folder`."""
    made = Archive()
    with serving(made) as server:
        (folder / "toy").mkdir(parents=True)
        (folder / "toy.toml").write_text(TOML.replace("{url}", server.url))
        (folder / "toy" / "toys.toml").write_text(FAMILY)
        yield made, server
