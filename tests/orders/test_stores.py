"""What stores promise: a full disk refuses, a broken book is not written over, orders are private."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from stacbridge.errors import Misconfigured, StoreUnavailable
from stacbridge.orders.book import Book
from stacbridge.orders.database import VERSION, Database, Execute, Row
from stacbridge.orders.records import Key
from stacbridge.orders.sqlite import SQLite
from stacbridge.orders.store import open_store
from stacbridge.settings import Settings
from tests.orders.archives import URL, place


def test_a_full_disk_refuses_before_anything_is_promised_and_keeps_what_was(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "orders.sqlite")
    book = Book(database)
    first = place(book, "A")
    with database.writing() as execute:
        pages = execute("PRAGMA page_count")[0]["page_count"]
        execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        for number in range(10_000):
            place(book, f"item-{number}")
    assert book.order(first, "ada") is not None
    database.close()


def test_a_book_that_another_process_locks_is_unavailable_and_not_lost(tmp_path: Path) -> None:
    holder, other = SQLite(tmp_path / "orders.sqlite"), SQLite(tmp_path / "orders.sqlite")
    with holder.writing(), pytest.raises(StoreUnavailable, match="locked"):
        place(Book(other), "A")
    assert place(Book(other), "A")
    holder.close()
    other.close()


def test_a_broken_book_is_refused_with_what_to_do_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    path.write_bytes(b"This is not a database. " * 200)
    before = path.read_bytes()
    with pytest.raises(Misconfigured, match="Keep a copy"):
        SQLite(path)
    assert path.read_bytes() == before


def test_a_book_that_cannot_be_made_is_not_to_be_repaired(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("This is no folder.")
    with pytest.raises(Misconfigured, match="cannot be made") as failure:
        SQLite(tmp_path / "file" / "orders.sqlite")
    assert failure.value.advice == "See who may write there, or name another file by order_store."


def test_a_book_of_another_version_is_refused(make_database: Callable[[], Database]) -> None:
    first = make_database()
    with first.writing() as execute:
        execute("UPDATE book SET version = 99")
    with pytest.raises(Misconfigured, match="version 99"):
        make_database()
    with first.writing() as execute:
        execute("UPDATE book SET version = ?", VERSION)


def test_a_book_of_the_version_before_is_brought_up_to_date_with_its_orders(
    make_database: Callable[[], Database],
) -> None:
    first = make_database()
    book = Book(first)
    open_order, other = place(book, "A"), place(book, "B")
    with first.writing() as execute:
        execute("UPDATE products SET state = 'succeeded' WHERE item = 'B'")
        for table, column in (("products", "reorders"), ("requests", "owed")):
            execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        execute("UPDATE book SET version = 1")
    second = make_database()
    with second.reading() as execute:
        assert execute("SELECT version FROM book") == [{"version": VERSION}]
        owed = {row["id"]: row["owed"] for row in execute("SELECT id, owed FROM requests")}
    assert owed == {open_order: 1.0, other: None}
    found = Book(second).order(open_order, "ada")
    assert found is not None and found.product.reorders == 0


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    SQLite(tmp_path / "a" / "orders.sqlite").close()
    assert (tmp_path / "a" / "orders.sqlite").stat().st_mode & 0o077 == 0


def test_an_order_is_nobody_elses(database: Database) -> None:
    book = Book(database)
    mine, theirs = place(book, "A"), place(book, "A", "bob")
    assert book.order(mine, "bob") is None
    assert [order.id for order in book.orders("bob", 10)] == [theirs]
    assert {order.id for order in book.of_items("ada", [("c", "A"), ("c", "B")]).values()} == {mine}
    assert book.of_items("eve", [("c", "A")]) == {}


def test_a_batch_asks_once_until_when_its_archive_takes_no_orders(tmp_path: Path) -> None:
    asked: list[str] = []

    class Watched(SQLite):
        @contextmanager
        def writing(self) -> Iterator[Execute]:
            with super().writing() as execute:

                def seen(sql: str, *values: object) -> list[Row]:
                    asked.append(sql)
                    return execute(sql, *values)

                yield seen

    with closing(Watched(tmp_path / "orders.sqlite")) as database:
        Book(database).place([Key(URL, "toy", "c", item) for item in "ABC"], "ada", 1.0, str)
    assert sum("max(release_at)" in sql for sql in asked) == 1
    assert sum("INSERT INTO products" in sql for sql in asked) == 3


@pytest.mark.parametrize("url", ["mysql://x", "orders.sqlite", ""])
def test_a_store_of_no_known_kind_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="order_store"):
        open_store(Settings(order_store=SecretStr(url)))
