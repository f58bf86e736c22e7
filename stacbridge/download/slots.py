"""At most N streams from an upstream account at once; the others wait in a fair, bounded line."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stacbridge.errors import NotStaged

ASK_AGAIN = 30
"""Seconds after which a client that found no place should try again."""

Line = deque[asyncio.Future[None]]


class Slots:
    """The connections of one account, handed out first come, first served.

    A slot is free again only when its holder has closed the upstream, so the account never has more than
    `size` connections in use. A HEAD (`urgent`) takes a slot as well, since an upstream may count it like any
    connection, but goes ahead of waiting downloads: it lasts one round trip, and delays them by no more.
    """

    def __init__(self, account: str, size: int, queue: int, wait: float) -> None:
        """Share `size` slots of `account` among any number of callers.

        At most `queue` of them wait, each for at most `wait` seconds.
        """
        self._account = account
        self._free = size
        self._queue = queue
        self._wait = wait
        self._urgent: Line = deque()
        self._ordinary: Line = deque()

    @asynccontextmanager
    async def hold(self, urgent: bool = False) -> AsyncIterator[None]:
        """Hold a slot, after waiting for it in line if need be.

        Raises `NotStaged` when the line is full, and when no slot came free in time.
        """
        if self._free:
            self._free -= 1
        else:
            await self._stand_in(self._urgent if urgent else self._ordinary)
        try:
            yield
        finally:
            self._hand_on()

    async def _stand_in(self, line: Line) -> None:
        if len(self._urgent) + len(self._ordinary) >= self._queue:
            raise self._refusal(f"and {self._queue} downloads are waiting for one")
        place = asyncio.get_running_loop().create_future()
        line.append(place)
        try:
            async with asyncio.timeout(self._wait):
                await place
        except BaseException as left:
            if place.done() and not place.cancelled():
                self._hand_on()
            else:
                line.remove(place)
            if isinstance(left, TimeoutError):
                raise self._refusal(f"and none came free within {self._wait:g} s") from None
            raise

    def _hand_on(self) -> None:
        for line in (self._urgent, self._ordinary):
            for place in line:
                if not place.done():
                    line.remove(place)
                    place.set_result(None)
                    return
        self._free += 1

    def _refusal(self, reason: str) -> NotStaged:
        return NotStaged(
            f"All connections of the {self._account!r} account are in use, {reason}.",
            upstream=self._account,
            advice="Ask again later.",
            retry_after=ASK_AGAIN,
        )
