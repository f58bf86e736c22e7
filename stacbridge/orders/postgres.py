"""The order book in PostgreSQL, for replicas on several machines."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue
from threading import BoundedSemaphore

import psycopg
from psycopg.rows import dict_row

from stacbridge.errors import StacbridgeError, StoreUnavailable
from stacbridge.orders.database import Execute, Row, prepare

Connection = psycopg.Connection[Row]
ONE_AT_A_TIME = 0x57AC
"""Number of the advisory lock under which replicas that start together make the tables."""


class PostgreSQL:
    """A database behind at most `connections` connections, made as they are needed."""

    lock = "FOR UPDATE"
    skip = "FOR UPDATE SKIP LOCKED"

    def __init__(self, url: str, connections: int) -> None:
        """Connect and make the tables. Raises `Misconfigured`, `StoreUnavailable`."""
        self._url = url
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
        with self._permits, self._failing_as_ours():
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

    def _taken(self) -> Connection:
        with suppress(Empty):
            return self._free.get_nowait()
        return psycopg.connect(self._url, row_factory=dict_row, autocommit=True)

    @contextmanager
    def _failing_as_ours(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise StoreUnavailable(
                "The order book cannot be used for now.",
                answered=type(error).__name__,  # its words may hold the URL
                advice="See whether the PostgreSQL of the setting order_store runs and lets the bridge in.",
            ) from error


def _rows(connection: Connection, sql: str, values: tuple[object, ...]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("?", "%s").encode(), values)
        return cursor.fetchall() if cursor.description else []
