"""What the order book needs of a database: transactions, in one SQL that SQLite and PostgreSQL both speak."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from stacbridge.errors import Misconfigured

Row = dict[str, Any]
Execute = Callable[..., list[Row]]
"""Runs one statement with `?` for its values, and returns its rows."""

VERSION = 2
"""Version of the tables. A book of a newer one is left alone, an older one is brought up to date."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS book (version BIGINT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS products (
        seq {serial} PRIMARY KEY,
        archive TEXT NOT NULL, catalogue TEXT NOT NULL, collection TEXT NOT NULL, item TEXT NOT NULL,
        state TEXT NOT NULL, since DOUBLE PRECISION NOT NULL, created DOUBLE PRECISION NOT NULL,
        reason TEXT, upstream_order TEXT,
        sends BIGINT NOT NULL, unclear BIGINT NOT NULL, doubts BIGINT NOT NULL, tries BIGINT NOT NULL,
        next_at DOUBLE PRECISION, release_at DOUBLE PRECISION, expires DOUBLE PRECISION,
        fence BIGINT NOT NULL, leased_until DOUBLE PRECISION NOT NULL,
        reorders BIGINT NOT NULL DEFAULT 0,
        UNIQUE (archive, catalogue, collection, item))""",
    "CREATE INDEX IF NOT EXISTS products_due ON products (next_at, seq)",
    "CREATE INDEX IF NOT EXISTS products_of ON products (collection, item)",
    "CREATE INDEX IF NOT EXISTS products_since ON products (since)",
    """CREATE TABLE IF NOT EXISTS requests (
        id TEXT PRIMARY KEY, product BIGINT NOT NULL REFERENCES products (seq),
        principal TEXT NOT NULL, asked DOUBLE PRECISION NOT NULL, canceled DOUBLE PRECISION,
        url TEXT NOT NULL, webhook TEXT,
        notice_at DOUBLE PRECISION, notice_since DOUBLE PRECISION, notice_tries BIGINT NOT NULL,
        owed DOUBLE PRECISION,
        UNIQUE (product, principal))""",
    "CREATE INDEX IF NOT EXISTS requests_of ON requests (principal, asked, id)",
    "CREATE INDEX IF NOT EXISTS requests_noticed ON requests (notice_at)",
    "CREATE INDEX IF NOT EXISTS requests_asked ON requests (asked)",
    """CREATE TABLE IF NOT EXISTS batches (
        batch TEXT NOT NULL, request TEXT NOT NULL REFERENCES requests (id), PRIMARY KEY (batch, request))""",
    """CREATE TABLE IF NOT EXISTS events (
        seq {serial} PRIMARY KEY, product BIGINT NOT NULL REFERENCES products (seq),
        at DOUBLE PRECISION NOT NULL, state TEXT NOT NULL, reason TEXT)""",
    "CREATE INDEX IF NOT EXISTS events_of ON events (product, seq)",
    "CREATE INDEX IF NOT EXISTS events_at ON events (at)",
)
CHANGES = {
    1: (
        "ALTER TABLE products ADD COLUMN reorders BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE requests ADD COLUMN owed DOUBLE PRECISION",
        """UPDATE requests SET owed = asked WHERE canceled IS NULL AND product IN (SELECT seq FROM products
            WHERE state IN ('intended', 'sending', 'ordered', 'pending', 'shipping'))""",
    )
}
"""What makes a book of one version one of the next."""


class Database(Protocol):
    """A database. Both context managers raise `StoreUnavailable` where it cannot be read or written."""

    lock: str
    """What a statement that reads a row says, so that nobody changes it before the transaction's end."""
    skip: str
    """What a statement that claims a row says, so that it passes over rows that others claim."""

    def writing(self) -> AbstractContextManager[Execute]:
        """Open a transaction, which is on disk once the block has ended."""
        ...

    def reading(self) -> AbstractContextManager[Execute]:
        """Open a transaction that only reads."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def prepare(execute: Execute, serial: str, where: str) -> None:
    """Make the tables of a new book, or bring those of an older one up to date; `serial` is a counter's type.

    Raises `Misconfigured` for a book of a newer version.
    """
    for statement in TABLES:
        execute(statement.format(serial=serial))
    versions = execute("SELECT version FROM book")
    if not versions:
        execute("INSERT INTO book (version) VALUES (?)", VERSION)
        return
    version = versions[0]["version"]
    while version in CHANGES:
        for statement in CHANGES[version]:
            execute(statement)
        version += 1
        execute("UPDATE book SET version = ?", version)
    if version != VERSION:
        raise Misconfigured(
            f"The order book {where} is of version {version}, and this is version {VERSION}.",
            advice="Run the stacbridge that wrote it, or set order_store to another one.",
        )
