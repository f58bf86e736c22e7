"""The conversation before the first byte: credentials, redirects, and refusals."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from stacbridge.catalogue import Gate
from stacbridge.download.body import Body, Pace
from stacbridge.download.breakers import Attempt, Breakers
from stacbridge.download.delivery import Delivery, Wanted, check_type, delivery
from stacbridge.download.ranges import unsatisfiable
from stacbridge.download.refusals import EXCERPT_BYTES, refusal
from stacbridge.download.rest import Rest
from stacbridge.download.signatures import ENOUGH, mismatch
from stacbridge.download.transfers import Transfers, asked, drop
from stacbridge.download.urls import target_of, url_of
from stacbridge.download.verify import InThread
from stacbridge.errors import Forbidden, StacbridgeError, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from stacbridge.model import Ready, Reply, Request
from stacbridge.settings import Settings
from stacbridge.wire.answers import retry_after

log = logging.getLogger(__name__)

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


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer that holds the file, or the part of it that was asked for: checked, its first bytes too."""

    delivery: Delivery
    body: Body


class Fetch:
    """One asset's conversation with its upstream; credentials go only where the catalogue gives some."""

    _attempt: Attempt

    def __init__(
        self,
        catalogue: Gate,
        transfers: Transfers,
        settings: Settings,
        in_thread: InThread,
        breakers: Breakers,
        on_busy: Callable[[int, int | None], None] = lambda status, seconds: None,
        on_pace: Callable[[float, int], None] = lambda waited, count: None,
    ) -> None:
        """Talk about assets of `catalogue`, as its `breakers` allow.

        `on_busy` hears of every 429 and 503, and the wait it states; `on_pace` as `Pace.note`.
        """
        self.stated: int | None = None
        """Seconds that the last refusal asked to wait, where it said so."""
        self.flaps = False
        """Whether the last refusal was the upstream's own failure (5xx), which may soon be gone."""
        self.place: tuple[str, dict[str, str]] = ("", {})
        """The URL that was asked last, redirects followed, and the credentials that it was asked with."""
        self._catalogue = catalogue
        self._transfers = transfers
        self._settings = settings
        self._in_thread = in_thread
        self._pace = Pace(settings.download_idle_timeout, settings.download_min_rate, on_pace)
        self._breakers = breakers
        self._on_busy = on_busy
        self._renewed = False
        self._credentials: dict[str, str] = {}
        self._asked = ""
        self._said = b""

    async def open(self, ready: Ready, wanted: Wanted) -> Opened:
        """Return the answer that holds the file, checked; close its body in the end.

        Raises `RangeNotSatisfiable`, and whatever an answer that is not the file stands for.
        """
        if wanted.head or not ready.ranges:
            wanted = Wanted(head=wanted.head)
        return await self._answered(ready, wanted, lambda response: self._opened(response, ready, wanted))

    async def resume(self, ready: Ready, rest: Rest) -> Body | None:
        """Return the body that goes on with `rest` of the file; None where the file has changed meanwhile.

        Raises as `open` does.
        """
        wanted = Wanted(range=rest.range, if_range=rest.version.etag)
        return await self._answered(ready, wanted, lambda response: self._resumed(response, ready, rest))

    async def _answered(
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

    async def _good(self, ready: Ready, wanted: Wanted) -> aiohttp.ClientResponse:
        response = await self._answer(ready.request, wanted)
        if response.status in PLAIN:
            return response
        drop(response)
        raise self._refusal(response, wanted, ready.advice)

    async def _opened(self, response: aiohttp.ClientResponse, ready: Ready, wanted: Wanted) -> Opened:
        checked = self._checked(response, ready, wanted)
        self._measure(checked, ready)
        body = self._body(response, checked.length)
        if not wanted.head:
            await self._sniff(body, ready, checked.first)
        return Opened(checked, body)

    async def _resumed(self, response: aiohttp.ClientResponse, ready: Ready, rest: Rest) -> Body | None:
        check_type(response.headers, ready)
        place = rest.found(response.status, response.headers)
        if place is None:
            drop(response)
            return None
        body = self._body(response, place.length)
        await body.skip(place.before)
        await body.begin(1)
        return body

    def _body(self, response: aiohttp.ClientResponse, length: int | None) -> Body:
        return Body(response, length, (self._catalogue.id, self._asked), self._pace)

    def _measure(self, delivery: Delivery, ready: Ready) -> None:
        total = delivery.version.total
        if total is None or ready.size is None or total == ready.size:
            return
        failure = self._failure(f"The upstream has a file of {total} bytes, and states {ready.size} for it.")
        if self._catalogue.id not in self._settings.unchecked:
            raise failure
        log.warning("%s Passed on all the same, as the settings say.", failure)

    async def _sniff(self, body: Body, ready: Ready, first: int) -> None:
        """Wait for the first bytes, which tell the format where they are the file's."""
        began = await body.begin(1 if first else ENOUGH)
        found = None if first else mismatch(began, ready.media_type)
        if found is not None:
            raise self._failure(f"The upstream sent {found} instead of the file.")

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
        raise self._failure(f"The upstream redirected more than {self._settings.max_redirects} times.")

    async def _ask(self, method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        """Ask with the account's credentials, and once more with fresh ones if those were refused."""
        self._asked = asked(method, url)
        self._credentials = await self._in_thread(self._catalogue.authorize, url, method)
        response = await self._once(method, url, headers)
        if response.status < 400 or not self._credentials or self._renewed:
            return response
        if not self._catalogue.expired(self._reply(response)):
            return response
        drop(response)
        await self._renew(url, method)
        return await self._once(method, url, headers)

    async def _renew(self, url: str, method: str) -> None:
        self._renewed = True
        reauthorize = self._catalogue.reauthorize
        self._credentials = await self._in_thread(reauthorize, url, self._credentials, method)

    async def _once(self, method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        self.place = (url, self._credentials)
        self._attempt = self._admitted(url)
        asking = self._transfers.ask(self._catalogue.id, method, url, headers | self._credentials)
        response = await self._attempt.heard(asking)
        if response.status not in PLAIN | REDIRECTS:
            self._said = await self._beginning(response)
        return response

    def _admitted(self, url: str) -> Attempt:
        try:
            return self._breakers.admit(url)
        except UpstreamUnavailable as failure:
            self.stated, self.flaps = failure.retry_after, False
            failure.asked = self._asked
            raise

    def _next(self, url: str, location: str) -> str:
        target = target_of(url, location)
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
        reply = self._reply(response)
        self.stated, self.flaps = retry_after(reply.headers), response.status >= 500
        if response.status in BUSY:
            self._on_busy(response.status, self.stated)
        failure = refusal(reply, upstream=self._catalogue.id, asked=self._asked)
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

    def _failure(self, description: str, location: str | None = None) -> UpstreamError:
        answered = None if location is None else f"Location: {location.partition('?')[0][:200]}"
        return UpstreamError(description, upstream=self._catalogue.id, asked=self._asked, answered=answered)
