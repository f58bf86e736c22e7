"""Files of the spool that are in its bucket, for clients: streamed from there, or left to them by a 307."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from stacbridge import metrics
from stacbridge.bucket import Bucket
from stacbridge.download.breakers import Breakers
from stacbridge.download.budget import RetryBudget
from stacbridge.download.client import Answer
from stacbridge.download.conversation import Conversation
from stacbridge.download.delivery import Wanted
from stacbridge.download.depot import Depot, Label
from stacbridge.download.entry import Entry
from stacbridge.download.fetch import Fetch
from stacbridge.download.gates import AsyncGate, InThread
from stacbridge.download.keeper import Keeper
from stacbridge.download.multihash import Checksum
from stacbridge.download.objects import Objects
from stacbridge.download.outage import Outage
from stacbridge.download.pump import Piecewise, pump
from stacbridge.download.ranges import ByteRange
from stacbridge.download.s3 import S3, UPSTREAM
from stacbridge.download.spooled import Slice, slice_of
from stacbridge.download.stream import Patience, Stream
from stacbridge.download.transfers import Transfers
from stacbridge.download.verify import Source, Verified
from stacbridge.errors import NotFound, StacbridgeError, UpstreamError
from stacbridge.model import Json, Ready, Request
from stacbridge.settings import Settings

ONE_MORE = 0.1
"""Seconds before a request that a client waits for is made again."""

log = logging.getLogger(__name__)


class Remote:
    """Serves files from the bucket, and has them put there. One that is down is as one that has nothing."""

    def __init__(
        self,
        bucket: Bucket,
        settings: Settings,
        transfers: Transfers,
        in_thread: InThread,
        unfinished: frozenset[str],
    ) -> None:
        """Begin with uploads left `unfinished`, of files by these names."""
        outage = Outage(UPSTREAM, settings)
        self._quick = S3(bucket, settings.model_copy(update=_hasty(settings)), outage)
        self._gate = AsyncGate(self._quick, in_thread)
        self._patient = S3(bucket, settings, outage)
        objects = (Objects(s3, bucket.prefix) for s3 in (self._quick, self._patient))
        self._depot = Depot(bucket, *objects)
        self._keeper = Keeper(self._depot, outage, unfinished)
        self._breakers = Breakers(UPSTREAM, settings)
        self._retries = RetryBudget(UPSTREAM, settings)
        self._presigned = bucket.presigned
        self._settings = settings
        self._transfers = transfers
        self._in_thread = in_thread

    @classmethod
    def of(
        cls, settings: Settings, transfers: Transfers, in_thread: InThread, unfinished: frozenset[str]
    ) -> Self | None:
        """Return what the settings ask for, if they do."""
        bucket = settings.spool_bucket
        return None if bucket is None else cls(bucket, settings, transfers, in_thread, unfinished)

    def note(self, label: Label, path: Path) -> None:
        """Note that the file at `path` is used, and have it put into the bucket if it is not there."""
        self._keeper.note(label, path)

    def standing(self) -> Json:
        """Return how the bucket is."""
        return self._keeper.standing()

    def close(self) -> None:
        """End what is being put there. Blocks."""
        self._keeper.close()
        self._quick.close()
        self._patient.close()

    async def serve(self, key: str, owner: str, ready: Ready, wanted: Wanted, answer: Answer) -> bool:
        """Answer from the bucket; return whether that was done.

        What fails before the answer has begun is as if it were not there. Raises `RangeNotSatisfiable`.
        """
        label = await self._in_thread(self._depot.find, key, owner)
        if label is None:
            return False
        part = await slice_of(_entry(label), ready, wanted, 0)
        try:
            await self._answer(label, part, ready, wanted, answer)
        except StacbridgeError as failure:
            log.warning("%s is not read from the bucket of the spool: %s", label.file, failure)
            wrong = part.status == 200 and type(failure) is UpstreamError
            if wrong or isinstance(failure, NotFound):
                await self._drop(label)
            if answer.started:
                raise
            return False
        self._keeper.note(label, None)
        return True

    async def _answer(self, label: Label, part: Slice, ready: Ready, wanted: Wanted, answer: Answer) -> None:
        place = "bucket"
        if wanted.head:
            await answer.start(part.status, part.headers)
            await answer.end()
        elif self._presigned is not None and wanted.if_range is None:
            place = "redirect"
            await answer.start(307, await self._place(label, self._presigned))
            await answer.end()
        else:
            async with self._opened(label, part, ready) as source:
                await answer.start(part.status, part.headers)
                await pump(Piecewise(source), answer, self._settings.download_idle_timeout)
        metrics.SPOOLED.labels(place).inc()

    async def _place(self, label: Label, seconds: int) -> dict[str, str]:
        """Return the headers that send a client to the bucket, once the file is seen to be there."""
        if not await self._in_thread(self._depot.is_there, label):
            raise NotFound("The file is not in the bucket of the spool any more.", upstream=UPSTREAM)
        url = self._quick.presigned(self._depot.url(label), seconds)
        return {"Location": url, "Cache-Control": "no-store"}

    @asynccontextmanager
    async def _opened(self, label: Label, part: Slice, ready: Ready) -> AsyncIterator[Source]:
        """Give the bytes of a part; all of a file are held against its checksum."""
        place = replace(ready, request=Request("GET", self._depot.url(label)), ranges=True, size=label.size)
        whole = part.status == 200
        wanted = Wanted(range=None if whole else ByteRange(part.first, (part.end or 0) - 1))
        self._retries.began()
        patience = Patience(self._settings, self._retries)
        async with Stream(self._fetch(), place, wanted, self._settings, patience) as stream:
            if stream.delivery.status != part.status:
                raise UpstreamError("The bucket of the spool knows no ranges.", upstream=UPSTREAM)
            checksum = Checksum.of(label.checksum) if whole else None
            yield stream if checksum is None else Verified(stream, checksum, UPSTREAM, self._in_thread)

    def _fetch(self) -> Fetch:
        settings = self._settings
        talk = Conversation(self._gate, self._transfers, settings, self._breakers)
        return Fetch(talk, settings)

    async def _drop(self, label: Label) -> None:
        """Remove a file that is gone, or not what was put there."""
        with suppress(StacbridgeError):
            await self._in_thread(self._depot.drop, label)


def _hasty(settings: Settings) -> Json:
    """Return the settings of requests that a client waits for: one more try, for a connection that ended."""
    return {
        "read_timeout": settings.connect_timeout,
        "retries": min(1, settings.retries),
        "retry_wait": min(ONE_MORE, settings.retry_wait),
    }


def _entry(label: Label) -> Entry:
    return Entry(label.key, label.version, Path(), label.size, label.size, done=True, begun=True)
