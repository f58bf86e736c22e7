from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stacbridge.orders.database import Database
from tests.orders.archives import Bench, Script, opened
from tests.postgres import cluster, missing


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL of our own."""
    if reason := missing():
        pytest.skip(reason)
    with cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The setting `order_store` of a database that was empty before the test."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'orders.sqlite'}"
        return
    url: str = request.getfixturevalue("postgres")
    yield url
    database = opened(url)
    with database.writing() as execute:
        for table in ("events", "batches", "requests", "products", "book"):
            execute(f"DROP TABLE {table}")
    database.close()


@pytest.fixture
def make_database(store: str) -> Iterator[Callable[[], Database]]:
    """Opens the database as often as it is called: a replica each time."""
    replicas: list[Database] = []

    def make() -> Database:
        replicas.append(opened(store))
        return replicas[-1]

    yield make
    for database in replicas:
        database.close()


@pytest.fixture
def database(make_database: Callable[[], Database]) -> Database:
    return make_database()


@pytest.fixture
def archive() -> Script:
    return Script()


@pytest.fixture
def bench(database: Database, archive: Script) -> Bench:
    return Bench(database, archive)
