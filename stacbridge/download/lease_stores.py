"""Where leases are kept: in a file for the bridges on one machine, in PostgreSQL for those on several."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import time

from stacbridge.download.database_file import open_file, transaction
from stacbridge.download.leases import LIFE, Leases
from stacbridge.errors import StoreUnavailable
from stacbridge.orders.database import Database
from stacbridge.orders.store import is_server, open_store
from stacbridge.settings import Settings

_FILE = (
    "create table if not exists lease (holder text primary key, account text not null, until real not null)"
)
_TAKE_IN_FILE = """
insert into lease select ?, ?, ? where (select count(*) from lease where account = ?) < ?
"""
_TABLE = """
CREATE TABLE IF NOT EXISTS leases (holder TEXT PRIMARY KEY, account TEXT NOT NULL, until TIMESTAMPTZ NOT NULL)
"""
_UNTIL = f"clock_timestamp() + interval '{LIFE:g} seconds'"
_TAKE_IN_TABLE = f"""
INSERT INTO leases SELECT CAST(? AS text), CAST(? AS text), {_UNTIL}
WHERE (SELECT count(*) FROM leases WHERE account = ?) < ? RETURNING holder
"""
LEASES = 0x57AD
"""First number of the advisory locks under which leases are taken; the second stands for the account."""


def open_leases(settings: Settings) -> Leases | None:
    """Return what the settings choose: a file, else the order book's PostgreSQL, else nothing is shared.

    Raises `Misconfigured`, and `StoreUnavailable` where the database does not answer.
    """
    if settings.leases is not None:
        return LeaseFile(settings.leases)
    return LeaseTable(open_store(settings)) if is_server(settings) else None


class LeaseFile:
    """Leases in an SQLite file, for bridges on one machine: their clock tells when one ends."""

    def __init__(self, file: Path, wall: Callable[[], float] = time) -> None:
        self._wall = wall
        self._lock = Lock()
        self._database = open_file(file, _FILE)

    def take(self, account: str, most: int, holder: str) -> bool:
        """Take a lease for `holder`, unless the account has `most` already; tell whether that was done."""
        now = self._wall()
        with self._used() as database, transaction(database):
            database.execute("delete from lease where until <= ?", (now,))
            taken = database.execute(_TAKE_IN_FILE, (holder, account, now + LIFE, account, most))
            return taken.rowcount == 1

    def renew(self, holder: str) -> bool:
        """Let a lease live on; tell whether it still was the holder's."""
        now = self._wall()
        with self._used() as database:
            values = (now + LIFE, holder, now)
            renewed = database.execute("update lease set until = ? where holder = ? and until > ?", values)
            return renewed.rowcount == 1

    def give_back(self, holder: str) -> None:
        """End a lease."""
        with self._used() as database:
            database.execute("delete from lease where holder = ?", (holder,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _used(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._database
            except sqlite3.Error as error:
                raise StoreUnavailable(
                    "The file of leases cannot be used for now.",
                    answered=str(error),
                    advice="See who locks the file of the setting leases, and whether its disk is full.",
                ) from error


class LeaseTable:
    """Leases in PostgreSQL, for bridges on any machines: its clock alone tells when one ends."""

    def __init__(self, database: Database) -> None:
        """Make the table. Raises `StoreUnavailable`."""
        self._database = database
        with database.writing() as execute:
            execute("SELECT pg_advisory_xact_lock(?, 0)", LEASES)
            execute(_TABLE)

    def take(self, account: str, most: int, holder: str) -> bool:
        """Take a lease for `holder`, unless the account has `most` already; tell whether that was done."""
        with self._database.writing() as execute:
            execute("SELECT pg_advisory_xact_lock(?, hashtext(?))", LEASES, account)
            execute("DELETE FROM leases WHERE account = ? AND until <= clock_timestamp()", account)
            return bool(execute(_TAKE_IN_TABLE, holder, account, account, most))

    def renew(self, holder: str) -> bool:
        """Let a lease live on; tell whether it still was the holder's."""
        with self._database.writing() as execute:
            renewed = f"UPDATE leases SET until = {_UNTIL} WHERE holder = ? AND until > clock_timestamp()"
            return bool(execute(f"{renewed} RETURNING holder", holder))

    def give_back(self, holder: str) -> None:
        """End a lease."""
        with self._database.writing() as execute:
            execute("DELETE FROM leases WHERE holder = ?", holder)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()
