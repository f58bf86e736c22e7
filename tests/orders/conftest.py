from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from stacbridge.orders.database import Database
from stacbridge.orders.store import open_store
from stacbridge.settings import Settings
from tests.orders.archives import Bench, Script
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
    url = f"sqlite:///{tmp_path / 'orders.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres")

    def make() -> Database:
        opened.append(open_store(Settings(order_store=SecretStr(url), order_connections=4)))
        return opened[-1]

    yield make
    if request.param == "postgresql":
        with make().writing() as execute:
            for table in ("events", "batches", "requests", "products", "book"):
                execute(f"DROP TABLE {table}")
    for database in opened:
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
