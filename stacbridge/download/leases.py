"""Connections of one account that several bridges share: a lease each, which ends where its holder dies."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Protocol

from stacbridge.download.gates import InThread
from stacbridge.download.refusals import ASK_AGAIN
from stacbridge.errors import NotStaged, StoreUnavailable

log = logging.getLogger(__name__)

LIFE = 30.0
"""Seconds after which a lease that nobody renews is another's."""
SURE = LIFE - 1
"""Seconds for which its holder relies on it: within the last one the connection is closed."""
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


@dataclass(slots=True)
class Share:
    """One lease of `account` at a catalogue, `upstream`, of which there are `most` at the moment."""

    leases: Leases
    account: str
    upstream: str
    most: Callable[[], int]
    in_thread: InThread
    holder: str = field(default_factory=lambda: token_hex(8))
    _asked: asyncio.Future[bool] | None = field(default=None, init=False)

    @asynccontextmanager
    async def held(self, wait: float, beat: float = LIFE / 3) -> AsyncIterator[None]:
        """Hold the lease, renewed every `beat` seconds.

        Raises `NotStaged` after `wait` seconds without one, as soon as it is found to be another's, and when
        it was not renewed for so long that it may be: a bridge that was stopped, or whose store does not
        answer, must not go on with a connection too many.
        """
        try:
            sure_until = await self._taken(wait)
            try:
                async with asyncio.timeout_at(sure_until) as end:
                    renewing = asyncio.create_task(self._renew(beat, end))
                    try:
                        yield
                    finally:
                        renewing.cancel()
            except TimeoutError:
                if not end.expired():
                    raise
                raise self._refusal("Another bridge may have got this connection") from None
        finally:
            # Who comes next finds the lease free, but nobody who leaves waits for a store that is slow.
            await asyncio.wait([asyncio.create_task(self._give_back())], timeout=POLL)

    async def _taken(self, wait: float) -> float:
        """Take the lease, and return until when it is sure, by the loop's clock."""
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(wait):
                while True:
                    asked = clock()
                    if await self._take():
                        return asked + SURE
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise self._refusal("Other bridges use all connections") from None

    async def _renew(self, beat: float, end: asyncio.Timeout) -> None:
        """Renew the lease, and put its `end` off; one that ended is taken anew where there is another."""
        clock = asyncio.get_running_loop().time
        held = True
        while held:
            await asyncio.sleep(beat)
            asked = clock()
            try:
                held = await self._ask(self.leases.renew, self.holder) or await self._take()
            except StoreUnavailable as failure:
                log.warning("A lease of %s is not renewed for now: %s", self.account, failure)
                continue
            if end.expired():
                return
            end.reschedule(asked + SURE if held else asked)

    async def _take(self) -> bool:
        return await self._ask(self.leases.take, self.account, self.most(), self.holder)

    async def _ask(self, question: Callable[..., bool], *arguments: Any) -> bool:
        """Ask the store; it goes on with what it was asked even where nobody waits for that any more."""
        self._asked = asyncio.ensure_future(self.in_thread(question, *arguments))
        await asyncio.wait([self._asked])
        return self._asked.result()

    async def _give_back(self) -> None:
        """End the lease, once the store has done what it was asked before: it might take it only then."""
        try:
            with suppress(StoreUnavailable):
                if self._asked is not None:
                    await self._asked
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
