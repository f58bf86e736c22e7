"""A file, or a part of it, over as many connections and tokens as it takes."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from stacbridge.download.budget import RetryBudget
from stacbridge.download.delivery import Delivery, Wanted
from stacbridge.download.fetch import Fetch, Opened
from stacbridge.download.pieces import Drain, Piece
from stacbridge.download.rest import Rest
from stacbridge.errors import (
    StacbridgeError,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.model import Ready
from stacbridge.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]
PASSING = (UpstreamTimeout, UpstreamUnavailable)
"""Failures before the first byte that may be gone at the next try."""


@dataclass(slots=True)
class Patience:
    """How often a download turns to its upstream again, and how long it waits before.

    Waits are random up to a bound that doubles with each failure in a row (full jitter), so that downloads
    which were cut together do not come back together; a wait that the upstream states is kept to. Each try
    is taken out of the account's `budget`.
    """

    settings: Settings
    budget: RetryBudget
    sleep: Sleep = asyncio.sleep
    chance: Callable[[], float] = random.random
    in_row: int = 0
    total: int = field(default=0)

    async def wait(self, failure: StacbridgeError, stated: int | None, longest: float) -> None:
        """Wait before the next try; raise `failure` if there is to be none, or it asks for longer."""
        settings = self.settings
        if self.in_row >= settings.download_retries or self.total >= settings.download_resumes:
            raise failure
        pause = self.chance() * settings.retry_wait * 2**self.in_row if stated is None else stated
        if pause > longest:
            raise failure
        self.budget.take(failure)
        self.in_row += 1
        self.total += 1
        await self.sleep(pause)


class Stream:
    """The bytes of `ready` that are `wanted`, once `delivery` says what they are; close it in the end."""

    delivery: Delivery

    def __init__(
        self, fetch: Fetch, ready: Ready, wanted: Wanted, settings: Settings, patience: Patience
    ) -> None:
        self._fetch = fetch
        self._ready = ready
        self._wanted = wanted
        self._settings = settings
        self._patience = patience
        self._opened: Opened | None = None
        self._sent = 0
        self._spent = 0

    @property
    def received(self) -> int:
        """Bytes that the upstream has sent, those that were thrown away included."""
        return self._spent + (self._body.received if self._opened else 0)

    async def __aenter__(self) -> Self:
        """Ask for the first bytes, again where a failure may pass soon. Raises as `Fetch.open`."""
        while True:
            try:
                self._opened = await self._fetch.open(self._ready, self._wanted)
            except UpstreamError as failure:
                passing = isinstance(failure, PASSING) or self._fetch.talk.flaps
                if not passing or self._ready.request.method == "POST":
                    raise
                await self._patience.wait(failure, self._fetch.talk.stated, self._settings.retry_patience)
            else:
                self.delivery, self._body = self._opened.delivery, self._opened.body
                self._patience.in_row = 0
                return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the connection."""
        self._body.close()

    @property
    def place(self) -> tuple[str, dict[str, str]]:
        """The URL that the bytes come from, and the credentials that it wants."""
        return self._fetch.talk.place

    async def read(self) -> Piece:
        """Return the next piece, empty at the end; a connection that fails meanwhile is replaced.

        Raises `UpstreamError` and its kin where that is not possible: the client must then be cut.
        """
        return await self._lasting(lambda: self._body.read(), len)

    async def flow(self, drain: Drain) -> int:
        """Give what comes next to `drain`, which is open; return how many bytes, 0 at the end.

        Raises as `read` does.
        """
        return await self._lasting(lambda: self._body.flow(drain), int)

    async def _lasting(self, step: Callable[[], Awaitable[T]], count: Callable[[T], int]) -> T:
        while True:
            try:
                came = await step()
            except UpstreamError as failure:
                await self._resume(failure)
            else:
                self._sent += count(came)
                if came:
                    self._patience.in_row = 0
                return came

    async def _resume(self, failure: StacbridgeError) -> None:
        rest = self._rest()
        self._let_go()
        if rest is None:
            raise failure
        stated = None
        while True:
            log.warning("%s Going on from byte %d.", failure, rest.offset)
            await self._patience.wait(failure, stated, self._settings.download_wait)
            try:
                body = await self._fetch.resume(self._ready, rest)
            except UpstreamRefused:
                raise
            except UpstreamError as another:
                failure, stated = another, self._fetch.talk.stated
                continue
            if body is None:
                raise UpstreamError(
                    "The upstream's file changed while it was sent.",
                    upstream=failure.upstream,
                    asked=failure.asked,
                ) from failure
            self._body = body
            return

    def _rest(self) -> Rest | None:
        """Return what is still to come; None where that cannot be asked for, or not be told from another."""
        delivery = self.delivery
        if not self._ready.ranges or not delivery.version.known or self._ready.request.method != "GET":
            return None
        last = None if delivery.length is None else delivery.first + delivery.length - 1
        offset = delivery.first + self._sent
        return None if last is not None and offset > last else Rest(offset, last, delivery.version)

    def _let_go(self) -> None:
        self._spent += self._body.received
        self._body.close()
        self._body.received = 0
