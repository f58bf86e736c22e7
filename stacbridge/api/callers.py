"""Who asks, found out before anything else is done, as plain ASGI around the API and the download proxy."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from starlette._utils import get_route_path  # the routes themselves match by it; a copy could differ
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stacbridge.api.failures import answer
from stacbridge.api.forwarded import Network, Proxies
from stacbridge.callers.doors import Doors, demand
from stacbridge.callers.principal import ANONYMOUS, EVERYBODY, Principal, acting
from stacbridge.callers.signing import PARAMETER, PATH
from stacbridge.errors import StacbridgeError
from stacbridge.hrefs import is_asset

CHALLENGES = ('Bearer realm="stacbridge"', 'Basic realm="stacbridge", charset="UTF-8"')
"""A header each: Qt reads only the first challenge of one."""
REDACTED = "redacted"
SECRET_PARAMETERS = frozenset({PARAMETER, "authorization"})
"""QGIS's plugin sends its Authorization header as a parameter too."""
THREADS = 16


class Callers:
    """Puts the principal into the scope (`principal`) and into `caller()`; refuses bad credentials.

    Assets are for known callers, by header or signed href. What else is, `Guarded` tells, which knows the
    API's routes. To be mounted outside everything; `prefix` is the path of the public URL, `proxies` are the
    networks of reverse proxies that say where a request comes from.
    """

    def __init__(self, app: ASGIApp, doors: Doors, prefix: str = "", proxies: Sequence[Network] = ()) -> None:
        self.app, self._doors, self._prefix = app, doors, prefix
        self._proxies = Proxies(proxies)
        self._threads = ThreadPoolExecutor(THREADS, "callers")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as asked by its caller."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._doors.closed:
            send = _discreet(send)
        try:
            principal = await self._principal(scope)
        except StacbridgeError as failure:
            await refuse(failure, scope, receive, send)
            return
        scope["stacbridge.principal"] = principal
        with acting(principal):
            await self.app(scope, receive, send)

    async def _principal(self, scope: Scope) -> Principal:
        authorization = Headers(scope=scope).get("authorization")
        asset = is_asset(scope["path"].removeprefix(self._prefix))  # as the bridge dispatches
        path = PATH.encode() + scope["raw_path"].partition(PATH.encode())[2]
        token = _redact(scope) if asset else None
        if token is not None and self._doors.closed:
            address = self._proxies.client(scope)
            principal = await self._ask(self._doors.caller_of, path, token, authorization, address)
        elif authorization is not None and self._doors.closed:
            principal = await self._ask(self._doors.caller, authorization, self._proxies.client(scope))
        else:
            principal = ANONYMOUS if self._doors.closed else EVERYBODY
        if asset and self._doors.closed and not principal.known and scope["method"] != "OPTIONS":
            raise demand()
        return principal

    async def _ask(self, function: Callable[..., Principal], *arguments: object) -> Principal:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


class Guarded:
    """Lets nobody but known callers to what is not public, by the path that the routes will match.

    To be mounted right around the routes, where no wrapper and no header changes the path any more.
    """

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self.app, self._doors = app, doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        known = scope["type"] != "http" or scope["stacbridge.principal"].known
        if known or self._doors.is_public(get_route_path(scope)):
            await self.app(scope, receive, send)
        else:
            await refuse(demand(), scope, receive, send)


async def refuse(failure: StacbridgeError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a failure in the one shape, for pages of other sites to read, too."""
    response = answer(failure)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "no-store"
    await response(scope, receive, send)


def _redact(scope: Scope) -> str | None:
    """Take the signature out of the server's own scope, which it writes into its log, and return it."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    tokens = [value for name, value in pairs if name == PARAMETER]
    if any(name.lower() in SECRET_PARAMETERS for name, _ in pairs):
        scope["query_string"] = urlencode(list(_without_secrets(pairs))).encode()
    return tokens[0] if tokens else None


def _without_secrets(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((name, REDACTED if name.lower() in SECRET_PARAMETERS else value) for name, value in pairs)


def _discreet(send: Send) -> Send:
    """Keep answers, and URLs that hold a signature, from other users of a cache, and from other sites.

    Whoever found that the caller must be known, the answer says which credentials would do.
    """

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            headers.add_vary_header("Authorization")
            headers.setdefault("Cache-Control", "private")
            headers["Referrer-Policy"] = "no-referrer"
            if message["status"] == HTTPStatus.UNAUTHORIZED:
                for challenge in CHALLENGES:
                    headers.append("WWW-Authenticate", challenge)
            message = {**message, "headers": headers.raw}
        await send(message)

    return told
