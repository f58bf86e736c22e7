"""What happens to a request before the API sees it, as plain ASGI: each wrapper costs next to nothing."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stacbridge.api.failures import answer
from stacbridge.api.forwarded import Network, Proxies, first, told
from stacbridge.api.querystring import PARAMETERS
from stacbridge.errors import BadRequest
from stacbridge.hrefs import SLASH, catalogue_href

HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?", re.ASCII)
INNER_SLASH = re.compile(rb"%2f", re.IGNORECASE)
SLASHES = re.compile("//+")


class PublicAddress:
    """Make the request's URL the one that the client sees.

    That is `public_url` where it is set; else what Forwarded (RFC 7239) or X-Forwarded-Proto, -Host, -Port
    and -Prefix of a reverse proxy say, if it connects from one of the networks `proxies`; else the request's
    own Host. One that is no host at all is not repeated.
    """

    def __init__(self, app: ASGIApp, public_url: str | None = None, proxies: Sequence[Network] = ()) -> None:
        self.app = app
        self.public = urlsplit(public_url) if public_url else None
        self._proxies = Proxies(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with another scheme, Host and root path."""
        if scope["type"] == "http":
            scope = dict(scope)
            scheme, host, prefix = self._address(scope)
            headers = MutableHeaders(raw=list(scope["headers"]))
            if host:
                headers["host"] = host
            prefix = prefix.rstrip("/")
            path = f"{prefix}/" if scope["path"] == prefix else scope["path"]
            scope.update(headers=headers.raw, scheme=scheme, root_path=prefix, path=path)
        await self.app(scope, receive, send)

    def _address(self, scope: Scope) -> tuple[str, str, str]:
        if self.public:
            return self.public.scheme, self.public.netloc, self.public.path
        headers = Headers(scope=scope)
        if not self._proxies.sent(scope):
            host = headers.get("host", "")
            host = host if HOST.fullmatch(host) else _server(scope)
            return scope["scheme"], host, scope.get("root_path", "")
        forwarded = told(headers)
        scheme = forwarded.get("proto") or first(headers, "x-forwarded-proto") or scope["scheme"]
        host = forwarded.get("host") or first(headers, "x-forwarded-host")
        port = first(headers, "x-forwarded-port")
        if host and port and ":" not in host and port not in ("80", "443"):
            host = f"{host}:{port}"
        prefix = first(headers, "x-forwarded-prefix") or scope.get("root_path", "")
        return (
            scheme if scheme in ("http", "https") else scope["scheme"],
            host if HOST.fullmatch(host) else "",
            prefix if prefix.startswith("/") else "",
        )


class ByCatalogue:
    """Hand what is below `/catalogues/{id}` to that catalogue's own API, as what is served from there."""

    def __init__(self, app: ASGIApp, catalogues: Mapping[str, ASGIApp]) -> None:
        self.app = app
        self.catalogues = {catalogue_href("", id): api for id, api in catalogues.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to its API."""
        if scope["type"] == "http":
            prefix = scope.get("root_path", "")
            path = scope["path"].removeprefix(prefix)
            home = "/".join(path.split("/", 3)[:3])
            if home in self.catalogues:
                root = f"{prefix}{home}"
                below = {**scope, "root_path": root, "path": f"{root}{path.removeprefix(home) or '/'}"}
                await self.catalogues[home](below, receive, send)
                return
        await self.app(scope, receive, send)


def _server(scope: Scope) -> str:
    """Return the address that the request came to, as a Host."""
    host, port = scope.get("server") or ("localhost", None)
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


class TidyUrl:
    """Forgive `//` and a slash at the end of a path, and forget unknown query parameters.

    A slash that is part of an id (`%2F`) is told apart from those between ids, as `SLASH`.
    QGIS's plugin sends its Authorization header as a query parameter too. It is taken out of the server's own
    scope, so that no log line and no link that is made later holds it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a tidy URL."""
        if scope["type"] == "http":
            path = SLASHES.sub("/", _decoded(scope))
            scope["path"] = path.rstrip("/") or "/"
            pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            scope["query_string"] = urlencode([pair for pair in pairs if pair[0] in PARAMETERS]).encode()
        await self.app(scope, receive, send)


def _decoded(scope: Scope) -> str:
    """Return the path, in which a slash stands between ids only."""
    raw: bytes = scope["raw_path"]
    told, found = INNER_SLASH.subn(quote(SLASH).encode(), raw)
    path: str = scope["path"]
    return unquote(told.decode("latin-1")) if found else path


class HeadAsGet:
    """Answer HEAD as GET without its body, on every path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask for the GET, and send its start and an empty body."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_start(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, send_start)


class BodyLimit:
    """Refuse a body larger than the settings allow."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the bytes as they come, whatever Content-Length says."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.max_bytes:
                refusal = BadRequest(
                    f"The body is larger than {self.max_bytes} bytes.",
                    advice="Ask for less at once; or raise max_body_bytes, a setting of the bridge.",
                    parameter="body",
                )
                await answer(refusal)(scope, receive, send)
                return
        whole = iter([{"type": "http.request", "body": bytes(body), "more_body": False}])

        async def replay() -> Message:
            return next(whole, None) or await receive()

        await self.app(scope, replay, send)
