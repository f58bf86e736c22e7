"""Files that an upstream cannot send in parts, by way of the spool."""

from typing import Self

from stacbridge import metrics
from stacbridge.download.account import Account
from stacbridge.download.client import Answer
from stacbridge.download.delivery import Wanted
from stacbridge.download.depot import Label
from stacbridge.download.entry import Entry
from stacbridge.download.gates import InThread
from stacbridge.download.pump import Piecewise, pump
from stacbridge.download.remote import Remote
from stacbridge.download.spool import Spool, key_of
from stacbridge.download.spooled import Reader, slice_of
from stacbridge.download.transfers import Transfers
from stacbridge.errors import Misconfigured, NotStaged
from stacbridge.model import Json, Ready
from stacbridge.settings import Settings


class Shelf:
    """Serves files from a spool, into which they are fetched first."""

    def __init__(self, spool: Spool, remote: Remote | None, settings: Settings, in_thread: InThread) -> None:
        self._spool = spool
        self._remote = remote
        self._settings = settings
        self._in_thread = in_thread

    @classmethod
    def of(cls, settings: Settings, transfers: Transfers, in_thread: InThread) -> Self | None:
        """Return the shelf that the settings ask for, if they do. Raises `Misconfigured`."""
        if settings.spool_folder is None:
            if settings.spool_bucket is not None:
                raise Misconfigured("spool_bucket needs spool_folder, from which files go to the bucket.")
            return None
        spool = Spool(
            settings.spool_folder,
            settings.spool_bytes,
            settings.spool_seconds,
            settings.download_idle_timeout,
            in_thread,
        )
        remote = Remote.of(settings, transfers, in_thread, spool.whole)
        return cls(spool, remote, settings, in_thread)

    def check(self) -> None:
        """Raise `NotStaged` where nothing can be kept. Blocks."""
        self._spool.check()

    def standing(self) -> Json:
        """Return how full the folder is, and how the bucket is, where there is one."""
        bucket = {} if self._remote is None else {"bucket": self._remote.standing()}
        return {"folder": self._spool.standing(), **bucket}

    async def close(self) -> None:
        """End what is being fetched, and what goes to the bucket."""
        await self._spool.close()
        if self._remote is not None:
            await self._in_thread(self._remote.close)

    async def serve(self, account: Account, ready: Ready, wanted: Wanted, answer: Answer, user: str) -> bool:
        """Answer from the spool; return whether that was done.

        It is not for a HEAD of what has not begun to come, since that fetches nothing and waits for nobody,
        nor for a whole file that there is no room for, since that needs none. Raises `NotStaged` for parts of
        such a file.
        """
        key, owner = _key(account, ready), _owner(account)
        if self._spool.find(key) is None and await self._from_bucket(key, owner, ready, wanted, answer):
            return True
        entry = self._entry(key, account, ready, wanted, user)
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
            self._note(entry, owner, ready)
        metrics.SPOOLED.labels("folder").inc()
        return True

    async def _answer(self, entry: Entry, ready: Ready, wanted: Wanted, answer: Answer) -> None:
        part = await slice_of(entry, ready, wanted, self._settings.spool_wait)
        reader = Reader(entry, part, self._in_thread)
        try:
            await answer.start(part.status, part.headers)
            if wanted.head:
                await answer.end()
            else:
                await pump(Piecewise(reader), answer, self._settings.download_idle_timeout)
        finally:
            reader.close()

    async def _from_bucket(self, key: str, owner: str, ready: Ready, wanted: Wanted, answer: Answer) -> bool:
        return self._remote is not None and await self._remote.serve(key, owner, ready, wanted, answer)

    def _note(self, entry: Entry, owner: str, ready: Ready) -> None:
        """Have a file that is used noted in the bucket, or put there."""
        if self._remote is not None and entry.done:
            label = Label(entry.key, entry.version, owner, ready.name, ready.media_type)
            self._remote.note(label, entry.path)

    def _entry(self, key: str, account: Account, ready: Ready, wanted: Wanted, user: str) -> Entry | None:
        entry = self._spool.find(key)
        if wanted.head:
            return entry if entry is not None and entry.begun else None
        if entry is not None:
            return entry

        async def fill(entry: Entry) -> None:
            async with account.stream(ready, Wanted(), user) as stream:
                source = account.verified(stream, ready)
                await self._spool.store(entry, source, stream.delivery.version.total)
            self._note(entry, _owner(account), ready)

        return self._spool.fetch(key, fill)


def _owner(account: Account) -> str:
    return key_of(account.catalogue.id, account.scope)


def _key(account: Account, ready: Ready) -> str:
    asked = (ready.request.method, ready.request.url, repr(ready.request.params), ready.name)
    stated = (str(ready.size), str(ready.checksum))
    return key_of(account.catalogue.id, account.scope, *asked, *stated)
