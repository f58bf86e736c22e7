"""The order book in one file, for the processes of one machine."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from stacbridge.errors import Misconfigured, StoreUnavailable
from stacbridge.orders.database import Execute, Row, prepare

BUSY_SECONDS = 5.0
"""How long to wait for another process that writes."""

PLACE = "See who may write there, or name another file by order_store."
REPAIR = (
    "Keep a copy of the file; repair it (sqlite3 … .recover), put a backup in its place, or set order_store "
    "to another one. What had been ordered upstream stays ordered there."
)


class SQLite:
    """A file in WAL mode. What is committed is on disk: `synchronous` is FULL.

    One connection writes and one reads, each for one thread at a time: several that write have SQLite's busy
    handler choose between them, which is unfair.
    """

    lock = skip = ""

    def __init__(self, path: Path) -> None:
        """Open the file, making it where it is missing. Raises `Misconfigured` where it is no order book."""
        self.path = path
        self._locks = {True: Lock(), False: Lock()}
        with ExitStack() as opened:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
                self._connections = {writes: _open(path, opened) for writes in (True, False)}
                self._prepare()
            except (OSError, sqlite3.Error) as error:
                raise _unusable(path, error) from None
            opened.pop_all()

    def _prepare(self) -> None:
        with closing(self._connections[True].execute("PRAGMA quick_check(1)")) as found:
            if (told := found.fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(told)
        with self.writing() as execute:
            prepare(execute, "INTEGER", str(self.path))

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        """Open a transaction, which is on disk once the block has ended."""
        with self._transaction("BEGIN IMMEDIATE", True) as execute:
            yield execute

    @contextmanager
    def reading(self) -> Iterator[Execute]:
        """Open a transaction that only reads, beside the one that writes."""
        with self._transaction("BEGIN", False) as execute:
            yield execute

    def close(self) -> None:
        """Close the connections."""
        for writes, connection in self._connections.items():
            with self._locks[writes]:
                connection.close()

    @contextmanager
    def _transaction(self, begin: str, writes: bool) -> Iterator[Execute]:
        connection = self._connections[writes]
        with self._locks[writes]:
            try:
                connection.execute(begin)
                try:
                    yield lambda sql, *values: _rows(connection, sql, values)
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise StoreUnavailable(
                    "The order book cannot be used for now.",
                    answered=str(error),
                    advice=f"Make room on the disk of {self.path}, or see who locks it.",
                ) from error


def _open(path: Path, opened: ExitStack) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    opened.callback(connection.close)
    connection.row_factory = sqlite3.Row
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _rows(connection: sqlite3.Connection, sql: str, values: tuple[Any, ...]) -> list[Row]:
    return [dict(row) for row in connection.execute(sql, values).fetchall()]


def _unusable(path: Path, error: Exception) -> Misconfigured:
    there = path.is_file()
    return Misconfigured(
        f"The order book {path} cannot be {'opened' if there else 'made'}.",
        answered=str(error),
        advice=REPAIR if there else PLACE,
    )
