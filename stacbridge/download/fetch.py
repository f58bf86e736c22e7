"""The conversation before the first byte: credentials, redirects, and refusals."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urldefrag, urlencode, urljoin, urlsplit

import aiohttp

from stacbridge.catalogue import Catalogue
from stacbridge.download.delivery import Delivery, Wanted, delivery
from stacbridge.download.pump import Body, Transfers, asked, drop
from stacbridge.download.ranges import unsatisfiable
from stacbridge.download.refusals import EXCERPT_BYTES, refusal
from stacbridge.errors import Forbidden, StacbridgeError, UpstreamError
from stacbridge.model import Ready, Reply, Request
from stacbridge.settings import Settings

InThread = Callable[..., Awaitable[Any]]
"""Runs a blocking function with its arguments somewhere else, and returns what it returns."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PLAIN = frozenset({200, 206})
"""Answers that are the file, or the part of it that was asked for."""
NO_HEAD = frozenset({405, 501})
"""Answers of an upstream that does not know HEAD; a GET that is cut after its headers tells the same."""
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
"""What stays as it is in a Location that should be, but is not always, escaped already."""


class Fetch:
    """One asset's conversation with its upstream; credentials go only where the catalogue gives some."""

    def __init__(
        self, catalogue: Catalogue, transfers: Transfers, settings: Settings, in_thread: InThread
    ) -> None:
        self._catalogue = catalogue
        self._transfers = transfers
        self._settings = settings
        self._in_thread = in_thread
        self._renewed = False
        self._credentials: dict[str, str] = {}
        self._asked = ""
        self._said = b""

    @asynccontextmanager
    async def open(self, ready: Ready, wanted: Wanted) -> AsyncIterator[tuple[Delivery, Body]]:
        """Give the answer that holds the file, checked, and its body; its connection is gone on leaving.

        Raises `RangeNotSatisfiable`, and whatever an answer that is not the file stands for.
        """
        if wanted.head or not ready.ranges:
            wanted = Wanted(head=wanted.head)
        response = await self._answer(ready.request, wanted)
        try:
            if response.status not in PLAIN:
                raise self._refusal(response, wanted, ready.advice)
            checked = self._checked(response, ready, wanted)
            yield checked, Body(response, checked.length, self._catalogue.id, self._asked)
        finally:
            drop(response)

    async def _answer(self, request: Request, wanted: Wanted) -> aiohttp.ClientResponse:
        headers = {**request.headers, **wanted.headers()}
        if wanted.head and request.method == "GET":
            response = await self._follow("HEAD", _url(request), headers)
            if response.status not in NO_HEAD:
                return response
            drop(response)
        return await self._follow(request.method, _url(request), headers)

    async def _follow(self, method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        for _ in range(self._settings.max_redirects + 1):
            response = await self._ask(method, url, headers)
            if response.status not in REDIRECTS:
                return response
            drop(response)
            url = self._next(url, response.headers.get("Location", ""))
        raise self._failure(f"The upstream redirected more than {self._settings.max_redirects} times.")

    async def _ask(self, method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        """Ask with the account's credentials, and once more with fresh ones if those were refused."""
        self._asked = asked(method, url)
        self._credentials = await self._in_thread(self._catalogue.authorize, url)
        response = await self._once(method, url, headers)
        if response.status < 400 or not self._credentials or self._renewed:
            return response
        if not self._catalogue.expired(self._reply(response)):
            return response
        drop(response)
        self._renewed = True
        self._credentials = await self._in_thread(self._catalogue.reauthorize, url, self._credentials)
        return await self._once(method, url, headers)

    async def _once(self, method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        response = await self._transfers.ask(self._catalogue.id, method, url, headers | self._credentials)
        if response.status not in PLAIN | REDIRECTS:
            self._said = await self._beginning(response)
        return response

    def _next(self, url: str, location: str) -> str:
        target = _target(url, location)
        if target is None:
            raise self._failure("The upstream redirected to no safe HTTP address.", location)
        if not self._catalogue.may_follow(target):
            raise self._failure(
                "The upstream redirected to a host that the catalogue does not trust.", target
            )
        return target

    def _checked(self, response: aiohttp.ClientResponse, ready: Ready, wanted: Wanted) -> Delivery:
        try:
            return delivery(response.status, response.headers, ready, wanted)
        except UpstreamError as failure:
            failure.upstream, failure.asked = self._catalogue.id, self._asked
            raise

    def _refusal(
        self, response: aiohttp.ClientResponse, wanted: Wanted, advice: str | None
    ) -> StacbridgeError:
        if response.status == 416 and wanted.range is not None:
            return unsatisfiable(str(wanted.range), response.headers.get("Content-Range"))
        failure = refusal(self._reply(response), upstream=self._catalogue.id, asked=self._asked)
        if isinstance(failure, Forbidden) and advice is not None:
            failure.advice = advice
        return failure

    def _reply(self, response: aiohttp.ClientResponse) -> Reply:
        """Return a refusal as far as it was read, without the credentials that it may echo."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = self._said
        for secret in self._credentials.values():
            body = body.replace(secret.split()[-1].encode(), b"***")
        return Reply(response.status, headers, body)

    async def _beginning(self, response: aiohttp.ClientResponse) -> bytes:
        """Read the start of an error body; nothing where it does not come, since the status tells enough."""
        try:
            async with asyncio.timeout(self._settings.download_idle_timeout):
                return await response.content.read(EXCERPT_BYTES)
        except (aiohttp.ClientError, TimeoutError):
            return b""

    def _failure(self, description: str, location: str | None = None) -> UpstreamError:
        answered = None if location is None else f"Location: {location.partition('?')[0][:200]}"
        return UpstreamError(description, upstream=self._catalogue.id, asked=self._asked, answered=answered)


def _url(request: Request) -> str:
    if not request.params:
        return request.url
    return f"{request.url}{'&' if '?' in request.url else '?'}{urlencode(request.params, quote_via=quote)}"


def _target(url: str, location: str) -> str | None:
    """Return the address that `location` means on an answer of `url`, if it is HTTP and no less safe.

    An address with a user's name is none: it would replace the account's credentials.
    """
    try:
        target = urlsplit(urldefrag(urljoin(url, quote(location, safe=_URL_CHARACTERS))).url)
        sound = location != "" and target.hostname and target.port != 0 and "@" not in target.netloc
    except ValueError:
        return None
    secure = target.scheme == "https" or (target.scheme == "http" and not url.startswith("https:"))
    return target.geturl() if sound and secure else None
