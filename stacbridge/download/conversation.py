"""What is said to an upstream before the first byte of a file: credentials, redirects, and refusals."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp

from stacbridge.download.breakers import Attempt, Breakers
from stacbridge.download.delivery import Wanted
from stacbridge.download.gates import AsyncGate
from stacbridge.download.ranges import unsatisfiable
from stacbridge.download.refusals import EXCERPT_BYTES, refusal
from stacbridge.download.transfers import Transfers, asked, drop
from stacbridge.download.urls import target_of, url_of
from stacbridge.errors import Forbidden, StacbridgeError, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from stacbridge.model import Ready, Reply, Request
from stacbridge.settings import Settings
from stacbridge.wire.answers import retry_after

T = TypeVar("T")

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PLAIN = frozenset({200, 206})
"""Answers that are the file, or the part of it that was asked for."""
LONG = re.compile(r"\w{16,}")
"""Words of a credential that are secrets, or ids of keys."""
NO_HEAD = frozenset({405, 501})
"""Answers of an upstream that does not know HEAD; a GET that is cut after its headers tells the same."""
BUSY = frozenset({429, 503})
"""Answers of an upstream that has enough to do, with this account or at all."""


class Conversation:
    """What is said of one asset; credentials go only where the catalogue gives some."""

    _attempt: Attempt

    def __init__(
        self,
        gate: AsyncGate,
        transfers: Transfers,
        settings: Settings,
        breakers: Breakers,
        on_busy: Callable[[int, int | None], None] = lambda status, seconds: None,
    ) -> None:
        """Talk about an asset behind `gate`, as its `breakers` allow.

        `on_busy` hears of every 429 and 503, and the wait it states.
        """
        self.upstream = gate.id
        """Who is talked to, as failures name it."""
        self.stated: int | None = None
        """Seconds that the last refusal asked to wait, where it said so."""
        self.flaps = False
        """Whether the last refusal was the upstream's own failure (5xx), which may soon be gone."""
        self.place: tuple[str, dict[str, str]] = ("", {})
        """The URL that was asked last, redirects followed, and the credentials that it was asked with."""
        self.asked = ""
        """The request that was made last, as failures name it."""
        self._gate = gate
        self._transfers = transfers
        self._settings = settings
        self._breakers = breakers
        self._on_busy = on_busy
        self._renewed = False
        self._credentials: dict[str, str] = {}
        self._said = b""

    async def answered(
        self, ready: Ready, wanted: Wanted, read: Callable[[aiohttp.ClientResponse], Awaitable[T]]
    ) -> T:
        """Return what `read` makes of a 200 or 206.

        A page in place of the file is taken for a login page, once: the upstream is asked again with fresh
        credentials.
        """
        self._renewed, self.stated, self.flaps = False, None, False
        while True:
            response = await self._good(ready, wanted)
            try:
                found = await read(response)
                self._attempt.passed()
                return found
            except BaseException as failure:
                drop(response)
                self._attempt.ended(failure)
                passing = isinstance(failure, UpstreamTimeout | UpstreamUnavailable)
                page = isinstance(failure, UpstreamError) and not passing
                if not page or self._renewed or not self._credentials:
                    raise
            await self._renew(str(response.url), response.method)

    def failure(self, description: str, location: str | None = None) -> UpstreamError:
        """Return the failure of what was asked last."""
        answered = None if location is None else f"Location: {location.partition('?')[0][:200]}"
        return UpstreamError(description, upstream=self.upstream, asked=self.asked, answered=answered)

    async def _good(self, ready: Ready, wanted: Wanted) -> aiohttp.ClientResponse:
        response = await self._answer(ready.request, wanted)
        if response.status in PLAIN:
            return response
        drop(response)
        raise self._refusal(response, wanted, ready.advice)

    async def _answer(self, request: Request, wanted: Wanted) -> aiohttp.ClientResponse:
        headers = {**request.headers, **wanted.headers()}
        if wanted.head and request.method == "GET":
            response = await self._follow("HEAD", url_of(request), headers)
            if response.status not in NO_HEAD:
                return response
            drop(response)
        return await self._follow(request.method, url_of(request), headers)

    async def _follow(self, method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        for _ in range(self._settings.max_redirects + 1):
            response = await self._ask(method, url, headers)
            if response.status not in REDIRECTS:
                return response
            drop(response)
            url = self._next(url, response.headers.get("Location", ""))
        raise self.failure(f"The upstream redirected more than {self._settings.max_redirects} times.")

    async def _ask(self, method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        """Ask with the account's credentials, and once more with fresh ones if those were refused."""
        self.asked = asked(method, url)
        self._credentials = await self._gate.authorize(url, method)
        response = await self._once(method, url, headers)
        if response.status < 400 or not self._credentials or self._renewed:
            return response
        if not self._gate.expired(self._reply(response)):
            return response
        drop(response)
        await self._renew(url, method)
        return await self._once(method, url, headers)

    async def _renew(self, url: str, method: str) -> None:
        self._renewed = True
        self._credentials = await self._gate.reauthorize(url, self._credentials, method)

    async def _once(self, method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        self.place = (url, self._credentials)
        self._attempt = self._admitted(url)
        asking = self._transfers.ask(self.upstream, method, url, headers | self._credentials)
        response = await self._attempt.heard(asking)
        if response.status not in PLAIN | REDIRECTS:
            self._said = await self._beginning(response)
        return response

    def _admitted(self, url: str) -> Attempt:
        try:
            return self._breakers.admit(url)
        except UpstreamUnavailable as failure:
            self.stated, self.flaps = failure.retry_after, False
            failure.asked = self.asked
            raise

    def _next(self, url: str, location: str) -> str:
        target = target_of(url, location)
        if target is None:
            raise self.failure("The upstream redirected to no safe HTTP address.", location)
        if not self._gate.may_follow(target):
            raise self.failure("The upstream redirected to a host that the catalogue does not trust.", target)
        return target

    def _refusal(
        self, response: aiohttp.ClientResponse, wanted: Wanted, advice: str | None
    ) -> StacbridgeError:
        if response.status == 416 and wanted.range is not None:
            return unsatisfiable(str(wanted.range), response.headers.get("Content-Range"))
        reply = self._reply(response)
        self.stated, self.flaps = retry_after(reply.headers), response.status >= 500
        if response.status in BUSY:
            self._on_busy(response.status, self.stated)
        failure = refusal(reply, upstream=self.upstream, asked=self.asked)
        if isinstance(failure, Forbidden) and advice is not None:
            failure.advice = advice
        return failure

    def _reply(self, response: aiohttp.ClientResponse) -> Reply:
        """Return a refusal as far as it was read, without the credentials that it may echo."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = self._said
        for secret in self._credentials.values():
            for word in (secret.split()[-1], *LONG.findall(secret)):
                body = body.replace(word.encode(), b"***")
        return Reply(response.status, headers, body)

    async def _beginning(self, response: aiohttp.ClientResponse) -> bytes:
        """Read the start of an error body; nothing where it does not come, since the status tells enough."""
        try:
            async with asyncio.timeout(self._settings.download_idle_timeout):
                return await response.content.read(EXCERPT_BYTES)
        except (aiohttp.ClientError, TimeoutError):
            return b""
