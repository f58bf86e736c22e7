"""Connections of one account that several bridges share: a lease each, which ends where its holder dies."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from threading import Lock
from time import time
from typing import Protocol

from stacbridge.download.refusals import ASK_AGAIN
from stacbridge.download.verify import InThread
from stacbridge.errors import NotStaged

LIFE = 30.0
"""Seconds after which a lease that nobody renews is another's."""
POLL = 0.25
"""Seconds between two looks at whether a lease has come free."""

_SCHEMA = (
    "create table if not exists lease (holder text primary key, account text not null, until real not null)"
)
_TAKE = """
insert into lease select ?, ?, ? where (select count(*) from lease where account = ? and until > ?) < ?
"""


class Leases(Protocol):
    """Where leases are kept; methods block, and are called from any thread."""

    def take(self, account: str, most: int, holder: str) -> bool:
        """Take a lease for `holder`, unless the account has `most` already; tell whether that was done."""
        ...

    def renew(self, holder: str) -> None:
        """Let a lease live on."""
        ...

    def give_back(self, holder: str) -> None:
        """End a lease."""
        ...


class LeaseFile:
    """Leases in an SQLite file, for bridges on one machine: their clocks must agree."""

    def __init__(self, file: Path, wall: Callable[[], float] = time) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._wall = wall
        self._lock = Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, timeout=30, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.execute(_SCHEMA)

    def take(self, account: str, most: int, holder: str) -> bool:
        """Take a lease for `holder`, unless the account has `most` already; tell whether that was done."""
        now = self._wall()
        with self._lock:
            self._database.execute("delete from lease where until <= ?", (now,))
            taken = self._database.execute(_TAKE, (holder, account, now + LIFE, account, now, most))
            return taken.rowcount == 1

    def renew(self, holder: str) -> None:
        """Let a lease live on."""
        with self._lock:
            self._database.execute(
                "update lease set until = ? where holder = ?", (self._wall() + LIFE, holder)
            )

    def give_back(self, holder: str) -> None:
        """End a lease."""
        with self._lock:
            self._database.execute("delete from lease where holder = ?", (holder,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()


@asynccontextmanager
async def leased(
    leases: Leases, account: str, most: Callable[[], int], wait: float, in_thread: InThread
) -> AsyncIterator[None]:
    """Hold one of the leases of `account`, and renew it. Raises `NotStaged` after `wait` seconds."""
    holder = token_hex(8)
    try:
        await _taken(leases, account, most, wait, in_thread, holder)
        renewing = asyncio.create_task(_renew(leases, holder, in_thread))
        try:
            yield
        finally:
            renewing.cancel()
    finally:
        await asyncio.shield(in_thread(leases.give_back, holder))


async def _taken(
    leases: Leases, account: str, most: Callable[[], int], wait: float, in_thread: InThread, holder: str
) -> None:
    try:
        async with asyncio.timeout(wait):
            while not await in_thread(leases.take, account, most(), holder):
                await asyncio.sleep(POLL)
    except TimeoutError:
        raise NotStaged(
            f"Other bridges use all connections of the {account!r} account.",
            upstream=account,
            advice="Ask again later.",
            retry_after=ASK_AGAIN,
        ) from None


async def _renew(leases: Leases, holder: str, in_thread: InThread) -> None:
    while True:
        await asyncio.sleep(LIFE / 3)
        await in_thread(leases.renew, holder)
