"""The STAC API that a command asks, and the key that opens it."""

import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from requests import PreparedRequest, Session
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_netrc_auth

LOOPBACK = ("127.0.0.1", "::1", "localhost")
EVERYBODY = 0o007
"""Permission bits of those who are neither owner nor in its group."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an API is, and the key that opens it; without a URL it is a bridge that asks nobody."""

    url: str | None
    key: str | None = field(default=None, repr=False)

    def open(self, session: Session, root: str) -> None:
        """Have a session ask the API at `root`: with the key, for no other server, or with ~/.netrc.

        One that asks this machine does without proxies of the environment, and a login for this machine
        goes to the API only.
        """
        session.trust_env = urlsplit(root).hostname not in LOOPBACK
        if self.url is None:
            return
        if self.key is not None:
            session.auth = Own(Bearer(self.key), self.url)
        elif not session.trust_env and (login := get_netrc_auth(self.url)) is not None:
            session.auth = Own(HTTPBasicAuth(*login), self.url)


class Own(AuthBase):
    """Logs in at the server of `url`, whatever links an answer holds; requests drops it on redirects."""

    def __init__(self, login: AuthBase, url: str) -> None:
        self._login, self._origin = login, _origin(url)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header where it belongs."""
        return self._login(request) if _origin(request.url or "") == self._origin else request


class Bearer(AuthBase):
    """Sends a key or token."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Key(click.ParamType[str]):
    """A key or token, which is never repeated: `@FILE`, `-` for standard input, or itself."""

    name = "@file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the key."""
        text = str(value)
        if text == "-":
            text = sys.stdin.readline()
        elif text.startswith("@"):
            text = self._read(Path(text[1:]), param, ctx)
        key = text.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            self.fail("This is not a key: it must be one word.", param, ctx)
        return key

    def _read(self, file: Path, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            mode = file.stat().st_mode
            if stat.S_ISREG(mode) and mode & EVERYBODY:
                self.fail(f"Everybody on this machine may read {file}: run `chmod 600 {file}`.", param, ctx)
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.fail(f"{file} cannot be read: {getattr(error, 'strerror', 'it is not text')}.", param, ctx)


class Url(click.ParamType[str]):
    """The URL of a server."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the URL, which is not repeated: it may hold a password."""
        url = str(value)
        try:
            scheme, host, _ = _origin(url)
        except ValueError as error:
            self.fail(f"This is not a URL: {error}.", param, ctx)
        if scheme not in ("http", "https") or host is None:
            self.fail("This is not the URL of a server, such as https://stac.example.org.", param, ctx)
        return url


URL = click.option(
    "--url",
    type=Url(),
    envvar="STACBRIDGE_URL",
    show_envvar=True,
    help="STAC API to ask; without it a bridge is started for the length of the command.",
)
KEY = click.option(
    "--key",
    type=Key(),
    envvar="STACBRIDGE_KEY",
    show_envvar=True,
    help="API key or token for that API: best in the variable, else @FILE, or - to read it from standard "
    "input. Written here as it is, others on this machine can see it while the command runs.",
)


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options `--url` and `--key`, handed over as one `Target` named `target`."""

    @wraps(command)
    def collected(url: str | None, key: str | None, **given: Any) -> Any:
        return command(target=Target(url, key), **given)

    return URL(KEY(collected))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
