"""How many bytes each user took from each account, by day, for thirty days."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from time import time
from weakref import finalize

from stacbridge.download.database_file import open_file, transaction
from stacbridge.errors import StoreUnavailable

log = logging.getLogger(__name__)

DAYS = 30
DAY = 86400
WARNING = 0.8
"""Part of a quota from which on its account's holder is warned."""

_SCHEMA = """
create table if not exists transferred (
    account text not null, user text not null, day integer not null, bytes integer not null,
    primary key (account, user, day)
) without rowid
"""
_ADD = """
insert into transferred values (?, ?, ?, ?) on conflict do update set bytes = bytes + excluded.bytes
"""
_TOTALS = "select user, sum(bytes) from transferred where account = ? and day > ? group by user"


class Ledger:
    """Bytes by account, user and day (UTC); usable from any thread, and by several processes on one file."""

    def __init__(self, file: Path | None, wall: Callable[[], float] = time) -> None:
        """Keep the ledger in `file`, else in memory, where it is forgotten when the bridge ends.

        Raises `Misconfigured` for a file that cannot be used.
        """
        self._wall = wall
        self._lock, self._noting = Lock(), Lock()
        self._database = open_file(file, _SCHEMA)
        finalize(self, self._database.close)  # of an app that was made and never served, nobody closes it
        self._unwritten: Counter[tuple[str, str, int]] = Counter()
        self._kept_from = 0
        self.write()

    def add(self, account: str, user: str, count: int) -> None:
        """Note that `user` took `count` bytes today. They count at once, here; `write` tells the others.

        Waits for no file.
        """
        with self._noting:
            self._unwritten[account, user, self._today()] += count

    def write(self) -> None:
        """Write what was noted, and forget, once a day, what is older than thirty days.

        Bytes that cannot be written are kept in mind, and written the next time.
        """
        with self._lock:
            self._write()

    def total(self, account: str, user: str | None = None) -> int:
        """Return the bytes of the last thirty days, of one user or of all. Raises `StoreUnavailable`."""
        return sum(count for name, count in self._rows(account) if user in (None, name))

    def warning(self, account: str, quota: int) -> str | None:
        """Say so when an account has used most of what its upstream gives it in thirty days.

        Say so, too, when nobody can tell.
        """
        try:
            used = self.total(account)
        except StoreUnavailable as failure:
            return str(failure)
        if used < WARNING * quota:
            return None
        return (
            f"{used / 1e9:.1f} of the {quota / 1e9:.1f} GB that the upstream gives this account in {DAYS}"
            " days have been downloaded."
        )

    def close(self) -> None:
        """Write what was noted, and close the file."""
        with self._lock:
            self._write()
            self._database.close()

    def _write(self) -> None:
        first, noted = self._today() - DAYS + 1, self._noted()
        if not noted and self._kept_from >= first:
            return
        try:
            with transaction(self._database) as database:
                database.executemany(_ADD, [(*key, count) for key, count in noted.items()])
                if self._kept_from < first:
                    database.execute("delete from transferred where day < ?", (first,))
        except sqlite3.Error as error:
            log.error("The ledger cannot be written for now; %d bytes wait: %s", noted.total(), error)
            return
        self._kept_from = max(self._kept_from, first)
        with self._noting:
            self._unwritten -= noted

    def _rows(self, account: str) -> list[tuple[str, int]]:
        since = self._today() - DAYS
        with self._lock:
            unwritten = [
                (user, count)
                for (name, user, day), count in self._noted().items()
                if name == account and day > since
            ]
            try:
                return [*self._database.execute(_TOTALS, (account, since)), *unwritten]
            except sqlite3.Error as error:
                raise StoreUnavailable(
                    "The ledger of what was downloaded cannot be read for now.",
                    answered=str(error),
                    advice="See who locks the file of the setting ledger, and how its disk is.",
                ) from error

    def _noted(self) -> Counter[tuple[str, str, int]]:
        with self._noting:
            return self._unwritten.copy()

    def _today(self) -> int:
        return int(self._wall() // DAY)
