"""What the databases promise: a full disk refuses, a broken book is not written over, orders are private."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from stacbridge.errors import Misconfigured, OrderUnclear, QuotaExceeded, StoreUnavailable, UpstreamTimeout
from stacbridge.model import Progress
from stacbridge.orders.agenda import Agenda
from stacbridge.orders.book import Book
from stacbridge.orders.database import VERSION, Database, Execute, Row
from stacbridge.orders.records import FINISHED, Key, Product
from stacbridge.orders.sqlite import SQLite
from stacbridge.orders.store import exists, open_store
from stacbridge.orders.transitions import Rules, followed, held_back, revived, sent, taken, troubled, unclear
from stacbridge.orders.transitions import unsent as not_sent
from stacbridge.settings import Settings
from tests.orders.archives import Bench, Script, opened
from tests.postgres import Line
from tests.unit.download_servers import PATIENCE, within

URL = "https://archive.example"


def place(book: Book, item: str, principal: str = "ada") -> str:
    return book.place([Key(URL, "toy", "c", item)], principal, 1.0, str)[0].id


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


def test_replicas_that_place_the_same_orders_at_once_make_each_product_once(
    make_database: Callable[[], Database],
) -> None:
    replicas = [Book(make_database()) for _ in range(2)]
    keys = [Key(URL, "toy", "c", f"item-{number}") for number in range(50)]
    start = threading.Barrier(4)
    seen: list[set[int]] = []

    def order(number: int) -> None:
        start.wait()
        mixed = keys if number % 2 else keys[::-1]
        placed = replicas[number % 2].place(mixed, f"user-{number}", 1.0, str)
        seen.append({order.product.seq for order in placed})

    threads = [threading.Thread(target=order, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4 and len(set.union(*seen)) == 50


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


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_who_orders_again_and_who_holds_back_do_not_wait_for_each_other_in_a_circle(
    make_database: Callable[[], Database],
) -> None:
    database = make_database()
    book, agenda = Book(database), Agenda(make_database())
    first, second = Key(URL, "z", "c", "A"), Key(URL, "a", "c", "B")  # in no index's sequence
    late, early = (book.place([key], "ada", 1.0, str)[0].id for key in (second, first))
    holding: list[Future[None]] = []

    def once_the_first_is_locked(id: str) -> str:
        if not holding:
            holding.append(threads.submit(agenda.hold_back, URL, 100.0, "full"))
            assert within(PATIENCE, lambda: holding[0].done() or waiting(database) == 1)
        return id

    with ThreadPoolExecutor() as threads:
        assert len(book.place([first, second], "bob", 2.0, once_the_first_is_locked)) == 2
        holding[0].result()
    assert [due(book, order) for order in (early, late)] == [1.0, 100.0]
    agenda.hold_back(URL, 100.0, "full")
    assert due(book, early) == 100.0


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_who_cancels_and_who_drives_do_not_wait_for_each_other_in_a_circle(
    make_database: Callable[[], Database],
) -> None:
    database = make_database()
    book = Book(database)
    order = book.order(place(book, "A"), "ada")
    assert order is not None
    with ThreadPoolExecutor() as threads:
        with make_database().writing() as execute:  # as it is written what became of a product
            execute("UPDATE products SET tries = 1 WHERE seq = ?", order.product.seq)
            canceling = threads.submit(book.cancel, order, 0.5)
            assert within(PATIENCE, lambda: waiting(database) == 1)
            execute("UPDATE requests SET owed = NULL WHERE product = ?", order.product.seq)
        canceling.result()
    canceled = book.order(order.id, "ada")
    assert canceled is not None and canceled.state == "canceled"


def due(book: Book, id: str) -> float | None:
    order = book.order(id, "ada")
    assert order is not None
    return order.product.next_at


def test_replicas_that_claim_at_once_claim_each_product_once(make_database: Callable[[], Database]) -> None:
    benches = [Bench(make_database(), Script()) for _ in range(2)]
    for number in range(40):
        benches[0].place(f"item-{number}")
    claimed: list[int] = []

    def claim(bench: Bench) -> None:
        while product := bench.agenda.claim([URL], bench.clock(), 60):
            claimed.append(product.seq)

    threads = [threading.Thread(target=claim, args=(bench,)) for bench in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 40


@pytest.mark.parametrize("url", ["mysql://x", "orders.sqlite", ""])
def test_a_store_of_no_known_kind_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="order_store"):
        open_store(Settings(order_store=SecretStr(url)))


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


def waiting(database: Database) -> int:
    """The number of those who wait for a lock."""
    with database.reading() as execute:
        found = execute("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        number: int = found[0]["n"]
    return number


def test_whoever_waits_too_long_for_a_connection_is_told_so(postgres: str) -> None:
    with ThreadPoolExecutor() as threads, closing(impatient(postgres)) as database:
        with database.writing(), pytest.raises(StoreUnavailable, match="no connection came free"):
            threads.submit(Book(database).check).result(timeout=PATIENCE)
        Book(database).check()


def impatient(url: str) -> Database:
    """A database with one connection, which waits for it as briefly as can be."""
    return open_store(Settings(order_store=SecretStr(url), order_connections=1, order_store_timeout=0.2))


MOVES = st.sampled_from(["poll", "unknown", "trouble", "quota", "unclear", "unsent", "taken", "send"])


@given(st.lists(MOVES, max_size=60), st.floats(0, 5 * 86400))
def test_whatever_an_archive_does_every_order_moves_on_or_ends_with_a_reason(
    moves: list[str], step: float
) -> None:
    rules, now = Rules(), 1e9
    product = Product(1, URL, "toy", "c", "A", "intended", now, now, next_at=now)
    for move in moves:
        now += step
        product = moved(product, move, now, rules)
        if product.state in FINISHED:
            assert product.state == "succeeded" or product.reason
            assert revived(product, now, online=False).next_at == now
            return
        assert product.next_at is not None and now <= product.next_at <= now + 7 * 86400
        assert product.sends <= 1 + moves.count("send")


def moved(product: Product, move: str, now: float, rules: Rules) -> Product:
    failure = UpstreamTimeout("Late.")
    if product.state == "intended":
        if move == "send":
            return unclear(sent(product, now), OrderUnclear("Who knows."), now, rules, 60)
        if move == "quota":
            return held_back(sent(product, now), QuotaExceeded("Full.", retry_after=60), now, rules)
        if move == "taken":
            return taken(sent(product, now), Progress("O", "ordered"), now, rules)
        return not_sent(product, failure, now, rules)
    if product.state == "sending":
        return unclear(product, failure, now, rules, 60)
    if move == "unknown":
        return followed(product, Progress("O", None), now, rules)
    if move == "trouble":
        return troubled(product, failure, now, rules)
    return followed(product, Progress("O", "shipping"), now, rules)
