"""An order book in a PostgreSQL that is busy, silent or not there: when it is refused, and in whose words."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from pydantic import SecretStr

from stacbridge.errors import StoreUnavailable
from stacbridge.orders.book import Book
from stacbridge.orders.database import Database
from stacbridge.orders.store import exists, open_store
from stacbridge.settings import Settings
from tests.orders.archives import opened
from tests.postgres import Line, waiting
from tests.unit.download_servers import PATIENCE, within


def test_a_connection_that_is_in_use_when_its_database_is_closed_is_closed_once_it_is_free(
    postgres: str,
) -> None:
    watcher, closed = opened(postgres), opened(postgres)

    def connections() -> int:
        with watcher.reading() as execute:
            found = execute("SELECT count(*) AS n FROM pg_stat_activity WHERE usename = 'postgres'")
            count: int = found[0]["n"]
        return count

    before = connections()
    with closed.writing() as execute:
        closed.close()
        assert execute("SELECT 1 AS one") == [{"one": 1}]
    assert within(10, lambda: connections() == before - 1)
    watcher.close()


@pytest.mark.parametrize(
    ("login", "told"),
    [
        ("ada:canary-password@127.0.0.1:1/x?connect_timeout=1", "Connection refused"),
        ("ada:can@ary-password/9@127.0.0.1:1/x?connect_timeout=1", "failed to resolve host"),
        ("ada:canary%zzpassword@127.0.0.1:1/x", "invalid percent-encoded token"),
        ("127.0.0.1:1/x?passwort=canary-password", 'invalid URI query parameter: "passwort"'),
        ("ada@127.0.0.1:1/x?password=canary%zz&connect_timeout=1", "invalid percent-encoded token"),
    ],
)
def test_a_server_that_cannot_be_asked_is_unavailable_and_its_password_is_not_told(
    login: str, told: str
) -> None:
    given = Settings(order_store=SecretStr(f"postgresql://{login}"))
    assert exists(given)
    with pytest.raises(StoreUnavailable) as failure:
        open_store(given)
    assert told in str(failure.value.answered)
    assert not any(part in f"{failure.value.body()} {given!r}" for part in ("canary", "ary-password"))


def test_what_postgresql_refuses_is_told_in_its_words(postgres: str) -> None:
    place = postgres.partition("?")[2]
    for login, told in (
        ("postgres@/nowhere", 'database "nowhere" does not exist'),
        ("nobody:canary@/postgres", 'role "nobody" does not exist'),
    ):
        with pytest.raises(StoreUnavailable) as failure:
            open_store(Settings(order_store=SecretStr(f"postgresql://{login}?{place}")))
        assert told in str(failure.value) and "canary" not in str(failure.value)


def test_a_server_that_goes_silent_is_unavailable_before_long_and_used_again_once_it_speaks(
    postgres: str,
) -> None:
    with ThreadPoolExecutor() as threads, Line(postgres) as line, closing(impatient(line.url)) as database:
        line.silent = True
        with pytest.raises(StoreUnavailable, match="NoAnswer"):
            threads.submit(Book(database).check).result(timeout=PATIENCE)
        with pytest.raises(StoreUnavailable, match="connection timeout expired"):
            threads.submit(Book(database).check).result(timeout=PATIENCE)
        line.silent = False
        Book(database).check()


def test_a_statement_that_waits_for_a_lock_is_given_up_by_the_server_too(postgres: str) -> None:
    with (
        closing(opened(postgres)) as holder,
        closing(impatient(postgres)) as database,
        ThreadPoolExecutor() as threads,
        holder.writing() as execute,
    ):
        execute("UPDATE book SET version = version")
        with pytest.raises(StoreUnavailable, match="canceling statement due to statement timeout"):
            threads.submit(Book(database).check).result(timeout=PATIENCE)
        assert within(PATIENCE, lambda: waiting(holder) == 0)


def test_whoever_waits_too_long_for_a_connection_is_told_so(postgres: str) -> None:
    with ThreadPoolExecutor() as threads, closing(impatient(postgres)) as database:
        with database.writing(), pytest.raises(StoreUnavailable, match="no connection came free"):
            threads.submit(Book(database).check).result(timeout=PATIENCE)
        Book(database).check()


def impatient(url: str) -> Database:
    """A database with one connection, which waits for it as briefly as can be."""
    return open_store(Settings(order_store=SecretStr(url), order_connections=1, order_store_timeout=0.2))
