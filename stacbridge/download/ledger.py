"""How many bytes each user took from each account, by day, for thirty days."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from time import time
from weakref import finalize

from stacbridge.download.database_file import open_file

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
        """Keep the ledger in `file`, else in memory, where it is forgotten when the bridge ends."""
        self._wall = wall
        self._lock = Lock()
        self._database = open_file(file, _SCHEMA)
        finalize(self, self._database.close)  # of an app that was made and never served, nobody closes it
        self._kept_from = 0
        self._forget(self._today())

    def add(self, account: str, user: str, count: int) -> None:
        """Note that `user` took `count` bytes today; forget, once a day, what is older than thirty days."""
        today = self._today()
        with self._lock:
            self._database.execute(_ADD, (account, user, today, count))
            self._forget(today)

    def total(self, account: str, user: str | None = None) -> int:
        """Return the bytes of the last thirty days, of one user or of all."""
        return sum(count for name, count in self._rows(account) if user in (None, name))

    def warning(self, account: str, quota: int) -> str | None:
        """Say so when an account has used most of what its upstream gives it in thirty days."""
        used = self.total(account)
        if used < WARNING * quota:
            return None
        return (
            f"{used / 1e9:.1f} of the {quota / 1e9:.1f} GB that the upstream gives this account in {DAYS}"
            " days have been downloaded."
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _forget(self, today: int) -> None:
        if self._kept_from < today - DAYS + 1:
            self._kept_from = today - DAYS + 1
            self._database.execute("delete from transferred where day < ?", (self._kept_from,))

    def _rows(self, account: str) -> list[tuple[str, int]]:
        with self._lock:
            return self._database.execute(_TOTALS, (account, self._today() - DAYS)).fetchall()

    def _today(self) -> int:
        return int(self._wall() // DAY)
