"""SQLite files that the bridges of one machine share, where the last second may be lost with its power."""

import sqlite3
from pathlib import Path

PATIENCE = 30.0
"""Seconds that a statement waits for another process' transaction."""


def open_file(file: Path | None, schema: str) -> sqlite3.Connection:
    """Return the database in `file`, else one in memory, with the table of `schema`; for any thread.

    Raises `sqlite3.Error` for a file that is something else.
    """
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
