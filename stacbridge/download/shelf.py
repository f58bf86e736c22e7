"""Files that an upstream cannot send in parts, by way of the spool."""

from typing import Self

from stacbridge.download.account import Account
from stacbridge.download.client import Answer
from stacbridge.download.delivery import Wanted
from stacbridge.download.pump import Piecewise, pump
from stacbridge.download.spool import Entry, Spool, key_of
from stacbridge.download.spooled import Reader, slice_of
from stacbridge.download.verify import InThread
from stacbridge.errors import NotStaged
from stacbridge.model import Ready
from stacbridge.settings import Settings


class Shelf:
    """Serves files from a spool, into which they are fetched first."""

    def __init__(self, spool: Spool, settings: Settings, in_thread: InThread) -> None:
        self._spool = spool
        self._settings = settings
        self._in_thread = in_thread

    @classmethod
    def of(cls, settings: Settings, in_thread: InThread) -> Self | None:
        """Return the shelf that the settings ask for, if they do. Raises `Misconfigured`."""
        if settings.spool_folder is None:
            return None
        spool = Spool(
            settings.spool_folder,
            settings.spool_bytes,
            settings.spool_seconds,
            settings.download_idle_timeout,
            in_thread,
        )
        return cls(spool, settings, in_thread)

    def check(self) -> None:
        """Raise `NotStaged` where nothing can be kept. Blocks."""
        self._spool.check()

    async def close(self) -> None:
        """End what is being fetched."""
        await self._spool.close()

    async def serve(self, account: Account, ready: Ready, wanted: Wanted, answer: Answer, user: str) -> bool:
        """Answer from the spool; return whether that was done.

        It is not for a HEAD of what nobody has asked for yet, since that must fetch nothing, nor for a whole
        file that there is no room for, since that needs none. Raises `NotStaged` for parts of such a file.
        """
        entry = self._entry(account, ready, wanted, user)
        if entry is None:
            return False
        self._spool.enter(entry)
        try:
            await self._answer(entry, ready, wanted, answer)
        except NotStaged:
            if not entry.full or wanted.range is not None or answer.started:
                raise
            return False
        finally:
            self._spool.leave(entry)
        return True

    async def _answer(self, entry: Entry, ready: Ready, wanted: Wanted, answer: Answer) -> None:
        part = await slice_of(entry, ready, wanted, self._settings.spool_wait)
        reader = Reader(entry, part, self._in_thread)
        try:
            await answer.start(part.status, part.headers)
            if wanted.head:
                await answer.end()
            else:
                await pump(Piecewise(reader), answer.send, self._settings.download_idle_timeout)
        finally:
            reader.close()

    def _entry(self, account: Account, ready: Ready, wanted: Wanted, user: str) -> Entry | None:
        told = (ready.request.method, ready.request.url, repr(ready.request.params), ready.name)
        stated = (str(ready.size), str(ready.checksum))
        key = key_of(account.catalogue.id, account.scope, *told, *stated)
        entry = self._spool.find(key)
        if entry is not None or wanted.head:
            return entry

        async def fill(entry: Entry) -> None:
            async with account.stream(ready, Wanted(), user) as stream:
                source = account.verified(stream, ready)
                await self._spool.store(entry, source, stream.delivery.version.total)

        return self._spool.fetch(key, fill)
