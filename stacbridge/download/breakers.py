"""The circuit breakers of the hosts that a catalogue's files come from."""

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from stacbridge.breaker import Breaker
from stacbridge.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from stacbridge.model import Json
from stacbridge.settings import Settings

HOSTS = 100
"""Hosts of a catalogue that are remembered, those asked last: a redirect can lead to any."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request for a file.

    It failed if no answer came, one of 5xx, or one without the bytes that it promised; other refusals say
    nothing of the host. What breaks off later is an attempt that succeeded: the next one goes on from there.
    """

    breaker: Breaker
    number: int

    async def heard(self, answer: Awaitable[aiohttp.ClientResponse]) -> aiohttp.ClientResponse:
        """Return the answer; one of 2xx counts only once its first bytes are there (`passed`)."""
        try:
            response = await answer
        except BaseException as failure:
            self._end(self.breaker.failed if isinstance(failure, UpstreamError) else self.breaker.withdrawn)
            raise
        if response.status >= 500:
            self._end(self.breaker.failed)
        elif 300 <= response.status < 400:
            self._end(self.breaker.passed)
        elif response.status >= 400:
            self._end(self.breaker.withdrawn)
        return response

    def passed(self) -> None:
        """Note that its first bytes came."""
        self._end(self.breaker.passed)

    def ended(self, failure: BaseException) -> None:
        """Note what came in place of the first bytes: nothing in time, or something else than the file."""
        passing = isinstance(failure, UpstreamTimeout | UpstreamUnavailable)
        self._end(self.breaker.failed if passing else self.breaker.withdrawn)

    def _end(self, how: Callable[[int], None]) -> None:
        how(self.number)  # of an attempt that has ended already, it counts no more


class Breakers:
    """The breakers of one catalogue, by host; all its accounts share them, and no other catalogue."""

    def __init__(
        self, catalogue: str, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._clock = clock
        self._hosts: OrderedDict[str, Breaker] = OrderedDict()

    def check(self, url: str) -> None:
        """Raise `UpstreamUnavailable` while the host of `url` is left alone; nobody need wait to hear so."""
        host = urlsplit(url).netloc
        if host in self._hosts and self._hosts[host].wait() > 0:
            raise self._resting(host)

    def admit(self, url: str) -> Attempt:
        """Return a new attempt at `url`; raises as `check` does, and to all but one when a host is tried."""
        host = urlsplit(url).netloc
        breaker = self._of(host)
        number = breaker.admit()
        if number is None:
            raise self._resting(host)
        return Attempt(breaker, number)

    def standing(self) -> Json:
        """Return how each host is: the breaker's state, and the seconds until it may be tried."""
        return {
            host: {"state": breaker.state(), "retry_after": math.ceil(breaker.wait())}
            for host, breaker in self._hosts.items()
        }

    def _of(self, host: str) -> Breaker:
        settings = self._settings
        if host not in self._hosts:
            patience = settings.connect_timeout + settings.processing_timeout + settings.download_idle_timeout
            self._hosts[host] = Breaker(
                settings.download_breaker_failures,
                settings.download_breaker_seconds,
                patience,
                clock=self._clock,
            )
        self._hosts.move_to_end(host)
        while len(self._hosts) > HOSTS:
            self._hosts.popitem(last=False)
        return self._hosts[host]

    def _resting(self, host: str) -> UpstreamUnavailable:
        return UpstreamUnavailable(
            f"{host} has failed several times in a row, and is asked for no file for now.",
            upstream=self._catalogue,
            retry_after=max(1, math.ceil(self._hosts[host].wait())),
            advice="Ask again later.",
        )
