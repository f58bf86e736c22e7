"""The order book in PostgreSQL, for replicas on several machines."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil
from queue import Empty, LifoQueue
from selectors import DefaultSelector
from threading import BoundedSemaphore
from time import monotonic
from typing import Any
from urllib.parse import unquote

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.rows import dict_row

from stacbridge.errors import StacbridgeError, StoreUnavailable
from stacbridge.orders.database import Execute, Row, prepare

ONE_AT_A_TIME = 0x57AC
"""Number of the advisory lock under which replicas that start together make the tables."""
GRACE = 1.0
"""Seconds in which the server says that a statement took too long, before it counts as silent."""


class NoAnswer(psycopg.OperationalError):
    """The server has not said anything for too long."""


class Connection(psycopg.Connection[Row]):
    """A connection that is closed where no answer to a statement comes for `patience` seconds.

    The server's own timeouts are of no use where nothing is heard of it.
    """

    patience: float

    def wait(self, gen: PQGen[RV], *arguments: Any, **named: Any) -> RV:
        """Do what a statement takes, step by step; psycopg itself would wait for ever. Raises `NoAnswer`."""
        deadline = monotonic() + self.patience
        with DefaultSelector() as selector:
            try:
                selector.register(self.pgconn.socket, next(gen))
                while ready := selector.select(deadline - monotonic()):
                    selector.modify(self.pgconn.socket, gen.send(ready[0][1]))
            except StopIteration as end:
                result: RV = end.value
                return result
        self.close()
        raise NoAnswer


class PostgreSQL:
    """A database behind at most `connections` connections, made as they are needed.

    Each of these is waited for `patience` seconds at most: a connection that is free, a new one (2 s at
    least), and what a statement is answered (`GRACE` longer where nothing is heard of the server).
    """

    lock = "FOR UPDATE"
    skip = "FOR UPDATE SKIP LOCKED"

    def __init__(self, url: str, connections: int, patience: float) -> None:
        """Connect and make the tables. Raises `Misconfigured`, `StoreUnavailable`."""
        self._url = url
        self._patience = patience
        self._free: LifoQueue[Connection] = LifoQueue()
        self._permits = BoundedSemaphore(connections)
        self._closed = False
        try:
            self._prepare()
        except StacbridgeError:
            self.close()
            raise

    def _prepare(self) -> None:
        with self.writing() as execute:
            execute("SELECT pg_advisory_xact_lock(?)", ONE_AT_A_TIME)
            prepare(execute, "BIGINT GENERATED ALWAYS AS IDENTITY", "in PostgreSQL")

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        """Open a transaction, which is on disk once the block has ended."""
        with self._permit(), self._failing_as_ours():
            connection = self._taken()
            try:
                with connection.transaction():
                    yield lambda sql, *values: _rows(connection, sql, values)
            except psycopg.Error:
                connection.close()
                raise
            finally:
                if not connection.closed:
                    self._free.put(connection)
                if self._closed:
                    self._close_free()

    reading = writing

    def close(self) -> None:
        """Close the connections: those in use as soon as they are free."""
        self._closed = True
        self._close_free()

    def _close_free(self) -> None:
        with suppress(Empty):
            while True:
                self._free.get_nowait().close()

    @contextmanager
    def _permit(self) -> Iterator[None]:
        if not self._permits.acquire(timeout=self._patience):
            raise self._unavailable(f"no connection came free within {self._patience:g} s")
        try:
            yield
        finally:
            self._permits.release()

    def _taken(self) -> Connection:
        with suppress(Empty):
            return self._free.get_nowait()
        milliseconds = ceil(1000 * self._patience)
        connection = Connection.connect(
            self._url,
            row_factory=dict_row,
            autocommit=True,
            connect_timeout=ceil(self._patience),
            tcp_user_timeout=milliseconds,
        )
        connection.patience = self._patience + GRACE
        try:
            connection.execute(f"SET statement_timeout = {milliseconds}".encode())
        except psycopg.Error:
            connection.close()
            raise
        return connection

    @contextmanager
    def _failing_as_ours(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._unavailable(_said(error, self._url)) from error

    def _unavailable(self, answered: str) -> StoreUnavailable:
        return StoreUnavailable(
            "The order book cannot be used for now.",
            answered=answered,
            advice="See whether the PostgreSQL of the setting order_store runs, lets the bridge in, and"
            f" answers within order_store_timeout ({self._patience:g} s).",
        )


def _said(error: psycopg.Error, url: str) -> str:
    """Return the first line of what libpq says, without any part of the URL's password."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    login = url.partition("//")[2].rpartition("@")[0].partition(":")[2]
    secrets = [login, *re.findall(r"[?&]password=([^&]*)", url)]
    # A password that is not escaped is read as a host, a port or a database, which libpq repeats.
    parts = {part for secret in secrets for part in (secret, *re.split(r"[@:/?#&=]", secret))}
    for part in sorted({*parts, *map(unquote, parts)} - {""}, key=len, reverse=True):
        line = line.replace(part, "…")
    return line


def _rows(connection: Connection, sql: str, values: tuple[object, ...]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("?", "%s").encode(), values)
        return cursor.fetchall() if cursor.description else []
