"""Connections of one account that several bridges share: a lease each, which ends where its holder dies."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Protocol

from stacbridge.download.gates import InThread
from stacbridge.download.refusals import ASK_AGAIN
from stacbridge.errors import NotStaged, StoreUnavailable

log = logging.getLogger(__name__)

LIFE = 30.0
"""Seconds after which a lease that nobody renews is another's."""
POLL = 0.25
"""Seconds between two looks at whether a lease has come free."""


class Leases(Protocol):
    """Where leases are kept; methods block, are called from any thread, and raise `StoreUnavailable`."""

    def take(self, account: str, most: int, holder: str) -> bool:
        """Take a lease for `holder`, unless the account has `most` already; tell whether that was done."""
        ...

    def renew(self, holder: str) -> bool:
        """Let a lease live on; tell whether it still was the holder's."""
        ...

    def give_back(self, holder: str) -> None:
        """End a lease."""
        ...

    def close(self) -> None:
        """Be done with it."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """One lease of `account` at a catalogue, `upstream`, of which there are `most` at the moment."""

    leases: Leases
    account: str
    upstream: str
    most: Callable[[], int]
    in_thread: InThread
    holder: str = field(default_factory=lambda: token_hex(8))

    @asynccontextmanager
    async def held(self, wait: float, beat: float = LIFE / 3) -> AsyncIterator[None]:
        """Hold the lease, renewed every `beat` seconds.

        Raises `NotStaged` after `wait` seconds without one, and as soon as it is found to be another's: a
        bridge that was stopped for longer than `LIFE` must not go on with a connection too many.
        """
        try:
            await self._taken(wait)
            try:
                async with asyncio.timeout(None) as lost:
                    renewing = asyncio.create_task(self._renew(beat, lost))
                    try:
                        yield
                    finally:
                        renewing.cancel()
            except TimeoutError:
                if not lost.expired():
                    raise
                raise self._refusal("Another bridge got this connection") from None
        finally:
            await asyncio.shield(self._give_back())

    async def _taken(self, wait: float) -> None:
        try:
            async with asyncio.timeout(wait):
                while not await self._take():
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise self._refusal("Other bridges use all connections") from None

    async def _take(self) -> bool:
        return bool(await self.in_thread(self.leases.take, self.account, self.most(), self.holder))

    async def _renew(self, beat: float, lost: asyncio.Timeout) -> None:
        """Renew the lease; one that ended is taken anew where there is another."""
        clock = asyncio.get_running_loop().time
        sure_until = clock() + LIFE
        while True:
            await asyncio.sleep(beat)
            asked = clock()
            try:
                held = await self.in_thread(self.leases.renew, self.holder) or await self._take()
            except StoreUnavailable as failure:
                log.warning("A lease of %s is not renewed for now: %s", self.account, failure)
                held = clock() + beat < sure_until
            else:
                sure_until = asked + LIFE
            if not held:
                lost.reschedule(clock())
                return

    async def _give_back(self) -> None:
        try:
            await self.in_thread(self.leases.give_back, self.holder)
        except StoreUnavailable as failure:
            log.warning("A lease of %s ends by itself in %g s: %s", self.account, LIFE, failure)

    def _refusal(self, what: str) -> NotStaged:
        return NotStaged(
            f"{what} of the {self.upstream!r} account.",
            upstream=self.upstream,
            advice="Ask again later.",
            retry_after=ASK_AGAIN,
        )
