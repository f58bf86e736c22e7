"""SQLite files that the bridges of one machine share, where the last second may be lost with its power."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stacbridge.errors import Misconfigured

PATIENCE = 30.0
"""Seconds that a statement waits for another process' transaction."""


def open_file(file: Path | None, schema: str) -> sqlite3.Connection:
    """Return the database in `file`, else one in memory, with the table of `schema`; for any thread.

    Raises `Misconfigured` for a file that cannot be made, or is something else.
    """
    try:
        return _opened(file, schema)
    except (OSError, sqlite3.Error) as error:
        raise Misconfigured(
            f"{file} cannot be opened as a database.",
            answered=str(error),
            advice="See what is there and who may write there, or name another file in the settings.",
        ) from error


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Do all of what follows or nothing, while no other process writes. Raises `sqlite3.Error`."""
    database.execute("begin immediate")
    try:
        yield database
        database.execute("commit")
    finally:
        if database.in_transaction:
            database.rollback()


def _opened(file: Path | None, schema: str) -> sqlite3.Connection:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    place = ":memory:" if file is None else file
    database = sqlite3.connect(place, check_same_thread=False, timeout=PATIENCE, isolation_level=None)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = normal")
        database.execute(schema)
    except BaseException:
        database.close()
        raise
    return database
