from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from stacbridge.orders.database import Database
from stacbridge.orders.postgres import PostgreSQL
from stacbridge.orders.sqlite import SQLite
from tests.postgres import cluster, missing


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL of our own."""
    if reason := missing():
        pytest.skip(reason)
    with cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Opens a database that was empty before the test, as often as it is called: a replica each time."""
    opened: list[Database] = []

    def make() -> Database:
        if request.param == "sqlite":
            opened.append(SQLite(tmp_path / "orders.sqlite"))
        else:
            opened.append(PostgreSQL(request.getfixturevalue("postgres"), 4))
        return opened[-1]

    if request.param == "postgresql":
        with psycopg.connect(request.getfixturevalue("postgres"), autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    yield make
    for database in opened:
        database.close()


@pytest.fixture
def database(make_database: Callable[[], Database]) -> Database:
    return make_database()
