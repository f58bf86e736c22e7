"""One asset's answer from its upstream, taken for the file only once it is seen to be that."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from stacbridge.download.body import Body, Pace
from stacbridge.download.conversation import Conversation
from stacbridge.download.delivery import Delivery, Wanted, check_type, delivery
from stacbridge.download.rest import Rest
from stacbridge.download.signatures import ENOUGH, mismatch
from stacbridge.download.transfers import drop
from stacbridge.errors import UpstreamError
from stacbridge.model import Ready
from stacbridge.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer that holds the file, or the part of it that was asked for: checked, its first bytes too."""

    delivery: Delivery
    body: Body


class Fetch:
    """Opens the answer that holds a file, and others that go on with the rest of it."""

    def __init__(
        self,
        talk: Conversation,
        settings: Settings,
        on_pace: Callable[[float, int], None] = lambda waited, count: None,
    ) -> None:
        """Ask as `talk` goes; `on_pace` hears what `Pace.note` does."""
        self.talk = talk
        self._pace = Pace(settings.download_idle_timeout, settings.download_min_rate, on_pace)
        self._lenient = talk.upstream in settings.unchecked

    async def open(self, ready: Ready, wanted: Wanted) -> Opened:
        """Return the answer that holds the file, checked; close its body in the end.

        Raises `RangeNotSatisfiable`, and whatever an answer that is not the file stands for.
        """
        if wanted.head or not ready.ranges:
            wanted = Wanted(head=wanted.head)
        return await self.talk.answered(ready, wanted, lambda response: self._opened(response, ready, wanted))

    async def resume(self, ready: Ready, rest: Rest) -> Body | None:
        """Return the body that goes on with `rest` of the file; None where the file has changed meanwhile.

        Raises as `open` does.
        """
        wanted = Wanted(range=rest.range, if_range=rest.version.etag)
        return await self.talk.answered(ready, wanted, lambda response: self._resumed(response, ready, rest))

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
        return Body(response, length, (self.talk.upstream, self.talk.asked), self._pace)

    def _measure(self, delivery: Delivery, ready: Ready) -> None:
        total = delivery.version.total
        if total is None or ready.size is None or total == ready.size:
            return
        failure = self.talk.failure(
            f"The upstream has a file of {total} bytes, and states {ready.size} for it."
        )
        if not self._lenient:
            raise failure
        log.warning("%s Passed on all the same, as the settings say.", failure)

    async def _sniff(self, body: Body, ready: Ready, first: int) -> None:
        """Wait for the first bytes, which tell the format where they are the file's."""
        began = await body.begin(1 if first else ENOUGH)
        found = None if first else mismatch(began, ready.media_type)
        if found is not None:
            raise self.talk.failure(f"The upstream sent {found} instead of the file.")

    def _checked(self, response: aiohttp.ClientResponse, ready: Ready, wanted: Wanted) -> Delivery:
        try:
            return delivery(response.status, response.headers, ready, wanted)
        except UpstreamError as failure:
            failure.upstream, failure.asked = self.talk.upstream, self.talk.asked
            raise
