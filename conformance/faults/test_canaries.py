"""Row 11 over the whole bridge: every kind of credential, everything that fails, and nothing tells."""

import io
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from conformance.faults.kit import Wavering, heard, served
from stacbridge.callers.keys import Keys
from stacbridge.loading import load
from stacbridge.settings import Settings
from tests.callers.archive import Archive, archive
from tests.servers import Answer, Seen
from tests.unit.download_servers import Heard

SERVICE = {
    "username": "ada",
    "password": "canary-of-ada",
    "totp_secret": "CANARYTOTPSECRET",
    "client_secret": "canary-client-secret",
}
SECRETS = {
    "secret": "canary-of-cursors",
    "signing_keys": ["canary-of-hrefs-1", "canary-of-hrefs-2"],
    "webhook_secret": "canary-of-webhooks",
}


class Telltale(Archive):
    """An archive that, once it is told to, repeats whatever it is sent in its refusals."""

    status: int | None = None

    def __call__(self, seen: Seen) -> Answer:
        if self.status is None:
            return super().__call__(seen)
        said = {"message": f"{seen.headers} {seen.body!r} {seen.path}", "error_description": f"{seen.body!r}"}
        return Answer(self.status, orjson.dumps(said))


@contextmanager
def guarded(folder: Path, **more: Any) -> Iterator[tuple[int, Telltale, Wavering, str]]:
    """Serve an archive behind an account beside a catalogue that can fail; give a key that opens it."""
    with archive(folder) as (_, server):
        telltale = Telltale()
        server.script = telltale
        given: dict[str, Any] = {
            "access": "keys",
            "key_folder": folder / "keys",
            "catalogues": ["toy"],
            "catalogue_folder": folder,
            "credentials": {"toy": SERVICE},
            "account_store": "files",
            "account_folder": folder / "accounts",
            "order_store": f"sqlite:///{folder}/orders.sqlite",
            "ledger": folder / "ledger.sqlite",
            "retries": 0,
            "retry_wait": 0.01,
            **SECRETS,
            **more,
        }
        broken = Wavering("broken")
        key = Keys(folder / "keys").create("Ada")
        with served(load("toy", Settings(**given)), broken, **given) as port:
            yield port, telltale, broken, key


def asked(port: int, key: str, href: str) -> list[Heard]:
    """Ask for everything, with good credentials, bad ones, and credentials where they do not belong."""
    basic = b64encode(f"ada:{key}".encode()).decode()
    every = [
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"Basic {basic}"},
        {"Authorization": "Bearer canary-of-a-stranger", "X-API-Key": "canary-of-a-header"},
        {"Cookie": "session=canary-of-a-cookie", "Proxy-Authorization": "Basic canary-of-a-proxy"},
    ]
    paths = [
        "/",
        "/api",
        "/search",
        "/search?collections=toys&limit=1&authorization=Bearer%20canary-of-a-query",
        "/search?limit=nonsense",
        "/search?token=canary-of-a-query",
        "/collections/toys/items/TOY_ada",
        "/orders",
        "/slots",
        "/health",
        "/healthz",
        "/readyz",
        "/metrics",
        "/nothing",
        href,
        f"{href}x",
    ]
    body = orjson.dumps({"password": "canary-of-a-body", "limit": "nonsense"})
    json = {"Content-Type": "application/json"}
    return [
        *(heard(port, path, headers=headers) for path in paths for headers in every),
        *(
            heard(port, path, method, body, {**json, **headers})
            for method, path in (("POST", "/search"), ("PUT", "/account/toy"), ("POST", "/sign"))
            for headers in every
        ),
    ]


def signed_href(port: int, key: str) -> str:
    found = heard(port, "/search?collections=toys", headers={"Authorization": f"Bearer {key}"})
    href = orjson.loads(found.body)["features"][0]["assets"]["product"]["href"]
    parts = urlsplit(href)
    return f"{parts.path}?{parts.query}"


def dumped(folder: Path) -> str:
    """Return all that the bridge's databases hold."""
    told = ""
    for name in ("orders.sqlite", "ledger.sqlite"):
        if (folder / name).exists():
            with sqlite3.connect(folder / name) as database:
                told += "\n".join(database.iterdump())
            database.close()
    return told


def test_f11_no_credential_is_in_a_log_an_answer_the_figures_or_a_database(
    log: io.StringIO, tmp_path: Path
) -> None:
    with guarded(tmp_path) as (port, telltale, broken, key):
        href = signed_href(port, key)
        (signature,) = (value for values in parse_qs(urlsplit(href).query).values() for value in values)
        answers = asked(port, key, href)
        assert any(answer.body == b"bytes of ada" for answer in answers)
        for status in (400, 401, 403, 500):
            telltale.status = status
            answers += asked(port, key, href)
        broken.failure = RuntimeError("a fault of ours")
        answers += asked(port, key, href)
    told = log.getvalue()
    assert "Traceback" in told or "traceback" in told
    everything = told + dumped(tmp_path)
    for answer in answers:
        everything += str(answer.headers) + answer.body.decode("utf-8", "replace")
    for value in ("canary", SERVICE["totp_secret"], key):
        at = everything.lower().find(value.lower())
        assert at < 0, everything[max(0, at - 300) : at + 100]
    assert signature not in told


def test_f11_no_credential_is_in_what_settings_show_of_themselves() -> None:
    given = {"order_store": "postgresql://me:canary-of-a-database@host/db", **SECRETS}
    settings = Settings.model_validate({"credentials": {"toy": SERVICE}, **given})
    shown = f"{settings!r} {settings} {settings.model_dump_json()} {settings.credentials['toy']!r}".lower()
    assert "canary" not in shown
