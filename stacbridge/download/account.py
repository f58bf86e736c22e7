"""One catalogue's account: whose turn it is, what its users took, and streams of its files."""

from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager

from stacbridge.catalogue import Catalogue, Metered
from stacbridge.download.accel import handover
from stacbridge.download.delivery import Wanted
from stacbridge.download.fetch import Fetch
from stacbridge.download.ledger import Ledger
from stacbridge.download.multihash import Checksum
from stacbridge.download.ranges import ByteRange
from stacbridge.download.signatures import ENOUGH
from stacbridge.download.slots import Slots
from stacbridge.download.stream import Patience, Stream
from stacbridge.download.transfers import Transfers
from stacbridge.download.verify import InThread, Source, Verified
from stacbridge.model import Json, Ready
from stacbridge.settings import Settings


class Account:
    """The account of `catalogue`, shared fairly by all users of this bridge."""

    def __init__(
        self,
        catalogue: Catalogue,
        settings: Settings,
        transfers: Transfers,
        ledger: Ledger,
        threads: Executor,
        in_thread: InThread,
    ) -> None:
        self.catalogue = catalogue
        self.slots = Slots(
            catalogue.id, catalogue.connections, settings.download_queue, settings.download_wait
        )
        self._settings = settings
        self._transfers = transfers
        self._ledger = ledger
        self._threads = threads
        self._in_thread = in_thread

    @asynccontextmanager
    async def stream(self, ready: Ready, wanted: Wanted, user: str) -> AsyncIterator[Stream]:
        """Give what is `wanted` of a file, in `user`'s turn; the slot is free again on leaving.

        Raises `NotStaged` without a slot, and what `Stream` raises.
        """
        fetch = Fetch(self.catalogue, self._transfers, self._settings, self._in_thread, self.slots.refused)
        stream = Stream(fetch, ready, wanted, self._settings, Patience(self._settings))
        async with self.slots.hold(user):
            try:
                async with stream:
                    yield stream
            finally:
                if stream.received:
                    self._threads.submit(self._ledger.add, self.catalogue.id, user, stream.received)

    async def handover(self, ready: Ready, user: str, location: str) -> dict[str, str]:
        """Return the headers that make nginx send a file, once its first bytes are seen to be sound.

        Raises as `stream` does.
        """
        async with self.stream(ready, Wanted(range=ByteRange(0, ENOUGH - 1)), user) as stream:
            return handover(location, self.catalogue.id, *stream.place, ready)

    def verified(self, stream: Stream, ready: Ready) -> Source:
        """Return the stream, checked against the file's checksum where it is all of the file."""
        checksum = Checksum.of(ready.checksum) if ready.checksum and stream.delivery.whole else None
        if checksum is None:
            return stream
        lenient = self.catalogue.id in self._settings.unchecked
        return Verified(stream, checksum, self.catalogue.id, self._in_thread, lenient=lenient)

    def status(self, user: str) -> Json:
        """Return how busy the account is, and what `user` and all have taken in thirty days."""
        return self.slots.status(user) | {
            "bytes_30_days": self._ledger.total(self.catalogue.id),
            "your_bytes_30_days": self._ledger.total(self.catalogue.id, user),
        }

    def warnings(self) -> list[str]:
        """Return what the account's holder should see to."""
        quota = self.catalogue.quota if isinstance(self.catalogue, Metered) else None
        warning = None if quota is None else self._ledger.warning(self.catalogue.id, quota)
        return [] if warning is None else [warning]
