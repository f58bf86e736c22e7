"""One catalogue's account: whose turn it is, what its users took, and streams of its files."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from stacbridge import metrics
from stacbridge.catalogue import Catalogue, Metered
from stacbridge.download.accel import Sound, handover
from stacbridge.download.background import Background
from stacbridge.download.breakers import Breakers
from stacbridge.download.budget import RetryBudget
from stacbridge.download.conversation import Conversation
from stacbridge.download.delivery import Wanted
from stacbridge.download.detours import REFUSALS, Detours
from stacbridge.download.fetch import Fetch
from stacbridge.download.gates import AsyncCatalogue
from stacbridge.download.hooks import NO_HOOKS, Hooks
from stacbridge.download.leases import Leases, Share
from stacbridge.download.ledger import Ledger
from stacbridge.download.multihash import Checksum
from stacbridge.download.ranges import ByteRange
from stacbridge.download.signatures import ENOUGH
from stacbridge.download.slots import Slots
from stacbridge.download.stream import Patience, Stream
from stacbridge.download.throughput import Throughput
from stacbridge.download.transfers import Transfers
from stacbridge.download.urls import url_of
from stacbridge.download.verify import Source, Verified
from stacbridge.errors import Misconfigured, StoreUnavailable
from stacbridge.model import Json, Ready
from stacbridge.settings import Settings


@dataclass(frozen=True, slots=True)
class Means:
    """What all accounts of a bridge share. With `leases`, their connections are shared with other bridges."""

    settings: Settings
    transfers: Transfers
    ledger: Ledger
    leases: Leases | None
    threads: Executor
    background: Background
    hooks: Hooks = NO_HOOKS
    clock: Callable[[], float] = time.monotonic

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function that blocks in a thread, and return what it returns."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, *arguments)


class Account:
    """The account of `catalogue` that `scope` names, shared fairly by all its users of this bridge.

    `breakers` are those of the catalogue's hosts.
    """

    def __init__(self, catalogue: Catalogue, scope: str, means: Means, breakers: Breakers) -> None:
        settings = means.settings
        self.catalogue = catalogue
        self.gate = AsyncCatalogue(catalogue, means.in_thread)
        self.scope = scope
        self._quota = catalogue.quota if isinstance(catalogue, Metered) else None
        throughput = self._throughput = Throughput(catalogue.id, settings, self._quota, means.clock)
        self._retries = RetryBudget(catalogue.id, settings, means.clock)
        self.slots = Slots(
            catalogue.id,
            catalogue.connections,
            settings.download_queue,
            settings.download_wait,
            most=lambda: throughput.connections,
        )
        self._judging = Lock()
        self._means = means
        self._breakers = breakers
        self._sound = Sound(means.settings.accel_seconds, means.clock)
        self._detours = Detours(catalogue.id, settings.login_pause)

    @asynccontextmanager
    async def stream(self, ready: Ready, wanted: Wanted, user: str) -> AsyncIterator[Stream]:
        """Give what is `wanted` of a file, in `user`'s turn; the slot is free again on leaving.

        Raises `NotStaged` without a slot, `UpstreamUnavailable` while the host is left alone, and what
        `Stream` raises.
        """
        means = self._means
        self._breakers.check(url_of(self._detours.place(ready).request))
        async with self.slots.hold(user), self._lease(), AsyncExitStack() as stack:
            self._retries.began()
            stream = await self._begun(ready, wanted, stack)
            try:
                yield stream
            finally:
                if stream.received:
                    metrics.RECEIVED.labels(self.catalogue.id).inc(stream.received)
                    means.ledger.add(self.scope, user, stream.received)
                    means.background.later(self._settle)

    async def _begun(self, ready: Ready, wanted: Wanted, stack: AsyncExitStack) -> Stream:
        """Return a stream whose first bytes are there: from elsewhere, if the file's storage refuses it.

        Only before the first byte: of two places nobody can tell that their bytes are of one version.
        """
        place = self._detours.place(ready)
        try:
            return await self._opened(place, wanted, stack)
        except REFUSALS as refusal:
            other = self._detours.refused(place, refusal)
            if other is None:
                raise
            try:
                return await self._opened(other, wanted, stack)
            except Misconfigured:
                raise refusal from None

    async def _opened(self, ready: Ready, wanted: Wanted, stack: AsyncExitStack) -> Stream:
        """Return a stream of what is wanted: all of the file, where its upstream gave a part of another
        version than the client has (`If-Range`)."""
        stream = await stack.enter_async_context(self._stream(ready, wanted))
        version = stream.delivery.version
        told = {version.etag, version.modified} - {None}
        part = stream.delivery.status == 206 and wanted.if_range is not None
        if not part or not told or wanted.if_range in told:
            return stream
        await stack.aclose()
        return await stack.enter_async_context(self._stream(ready, Wanted()))

    def _stream(self, ready: Ready, wanted: Wanted) -> Stream:
        settings = self._means.settings
        return Stream(self._fetch(), ready, wanted, settings, Patience(settings, self._retries))

    def _fetch(self) -> Fetch:
        means = self._means
        talk = Conversation(
            self.gate,
            means.transfers,
            means.settings,
            self._breakers,
            self.slots.refused,
        )
        return Fetch(talk, means.settings, self._paced)

    def _paced(self, waited: float, count: int) -> None:
        """Note how fast the upstream sent, and have it judged."""
        if self._throughput.note(waited, count):
            self._means.background.later(self._settle)

    def _settle(self) -> None:
        """Write the bytes that were counted, and judge the upstream's pace by what is used of the quota."""
        self._means.ledger.write()
        # One at a time, or who counted earlier would have the last word; the warnings tell of a failure.
        with self._judging, suppress(StoreUnavailable):
            self._throughput.judge(self._means.ledger.total(self.scope))

    def _lease(self) -> AbstractAsyncContextManager[None]:
        means = self._means
        if means.leases is None:
            return nullcontext()
        upstream = self.catalogue.id
        share = Share(means.leases, self.scope, upstream, lambda: self.slots.allowed, means.in_thread)
        return share.held(means.settings.download_wait)

    async def handover(self, ready: Ready, user: str, location: str) -> dict[str, str] | None:
        """Return the headers that make nginx send a file, once its first bytes were seen to be sound.

        None where it could not: it is told one header for the upstream, and storage wants several.

        Raises as `stream` does.
        """
        asked = url_of(self._detours.place(ready).request)
        place, credentials = await self._known(asked) or await self._seen(ready, asked, user)
        if len(credentials) > 1:
            return None
        return handover(location, self.catalogue.id, place, credentials, ready)

    async def _known(self, asked: str) -> tuple[str, dict[str, str]] | None:
        place = self._sound.place(asked)
        if place is None:
            return None
        self._breakers.check(place)
        return place, await self.gate.authorize(place)

    async def _seen(self, ready: Ready, asked: str, user: str) -> tuple[str, dict[str, str]]:
        async with self.stream(ready, Wanted(range=ByteRange(0, ENOUGH - 1)), user) as stream:
            self._sound.note(asked, stream.place[0])
            return stream.place

    def verified(self, stream: Stream, ready: Ready) -> Source:
        """Return the stream, checked against the file's checksum where it is all of the file."""
        checksum = Checksum.of(ready.checksum) if ready.checksum and stream.delivery.whole else None
        if checksum is None:
            return stream
        lenient = self.catalogue.id in self._means.settings.unchecked
        return Verified(stream, checksum, self.catalogue.id, self._means.in_thread, lenient=lenient)

    async def status(self, user: str) -> Json:
        """Return how busy the account is, and what `user` and all have taken in thirty days."""
        return {**self.slots.status(user), **await self._means.in_thread(self._taken, user)}

    def _taken(self, user: str) -> Json:
        ledger, warnings = self._means.ledger, self.warnings()
        return {
            "bytes_30_days": ledger.total(self.scope),
            "your_bytes_30_days": ledger.total(self.scope, user),
            **({"warnings": warnings} if warnings else {}),
        }

    def warnings(self) -> list[str]:
        """Return what the account's holder should see to."""
        quota = self._quota
        used = None if quota is None else self._means.ledger.warning(self.scope, quota.bytes_30_days)
        told = [warning for warning in (used, self._throughput.warning()) if warning is not None]
        return [*told, *self._detours.warnings()]

    def standing(self) -> Json:
        """Return how its downloads fare: the hosts that they come from, retries, and how fast they come."""
        return {
            "hosts": self._breakers.standing(),
            "retries": self._retries.standing(),
            **self._throughput.standing(),
        }
