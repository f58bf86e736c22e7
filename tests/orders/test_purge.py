"""Orders that finished long ago are forgotten, in small steps, and no others; on both databases."""

import threading
from collections.abc import Callable

import pytest

from stacbridge.errors import StoreUnavailable
from stacbridge.model import Progress
from stacbridge.orders.book import Book
from stacbridge.orders.database import Database
from stacbridge.orders.purge import EVERY, STEP, Purge
from stacbridge.orders.records import Key
from stacbridge.orders.transitions import Rules
from stacbridge.orders.workers import Workers
from tests.orders.archives import DAY, Bench, Script

KEEP = 90 * DAY
DONE = Progress("O-1", "succeeded")


@pytest.fixture
def purge(database: Database, bench: Bench) -> Purge:
    return Purge(database, KEEP, bench.clock)


def rows(database: Database) -> dict[str, int]:
    tables = ("products", "requests", "batches", "events")
    with database.reading() as execute:
        return {name: execute(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in tables}


def all_of(purge: Purge) -> int:
    """Purge what is due, and return in how many steps."""
    steps = 0
    while purge.step():
        steps += 1
    return steps


def test_an_order_is_forgotten_with_all_that_was_kept_of_it_and_not_before(
    database: Database, bench: Bench, archive: Script, purge: Purge
) -> None:
    archive.place_answers = [DONE]
    bench.book.place([bench.key("A"), bench.key("B")], "ada", bench.clock(), str, batch="both")
    bench.work()
    before = rows(database)
    bench.clock.now += KEEP - 1
    assert not purge.step()
    assert rows(database) == before == {"products": 2, "requests": 2, "batches": 2, "events": 6}
    bench.clock.now += EVERY
    assert all_of(purge) == 1
    assert rows(database) == {"products": 0, "requests": 0, "batches": 0, "events": 0}


@pytest.mark.parametrize("ended", ["failed", "canceled", "evicted"])
def test_an_order_is_forgotten_however_it_ended(
    database: Database, bench: Bench, archive: Script, purge: Purge, ended: str
) -> None:
    archive.place_answers = [Progress("O-1", "failed")] if ended == "failed" else [DONE]
    order = bench.place()
    if ended == "canceled":
        bench.book.cancel(order, bench.clock())
    bench.wait(5 * DAY)
    assert bench.state(order) == ended
    bench.clock.now += KEEP
    all_of(purge)
    assert set(rows(database).values()) == {0}


def test_what_is_under_way_is_not_forgotten(database: Database, bench: Bench, archive: Script) -> None:
    bench = Bench(database, archive, Rules(staging=100 * KEEP, poll=20 * DAY, poll_most=20 * DAY))
    purge = Purge(database, KEEP, bench.clock)
    order = bench.place()
    bench.wait(3 * KEEP)
    all_of(purge)
    assert (rows(database)["requests"], bench.state(order)) == (1, "ordered")


def test_what_nobody_takes_up_any_more_has_failed_and_says_why(
    database: Database, bench: Bench, purge: Purge
) -> None:
    order = bench.place()
    bench.work()
    bench.clock.now += KEEP
    all_of(purge)
    assert bench.state(order) == "ordered"
    bench.clock.now += EVERY
    all_of(purge)
    found = bench.now(order)
    assert found.state == "failed" and "No bridge that serves this archive" in (found.product.reason or "")
    bench.clock.now += KEEP + 1
    all_of(purge)
    assert set(rows(database).values()) == {0}


def test_an_order_that_somebody_is_still_to_be_told_of_stays(
    database: Database, bench: Bench, archive: Script, purge: Purge
) -> None:
    archive.place_answers = [DONE]
    bench.book.place([bench.key()], "ada", bench.clock(), str, webhook="https://hooks.example/")
    bench.work()
    bench.clock.now += 2 * KEEP
    all_of(purge)
    assert rows(database)["requests"] == rows(database)["products"] == 1
    notice = bench.agenda.due_notice(bench.clock(), 60)
    assert notice is not None
    bench.agenda.settle_notice(notice, None)
    bench.clock.now += EVERY
    all_of(purge)
    assert set(rows(database).values()) == {0}


def test_an_old_order_of_a_product_that_somebody_wants_anew_goes_alone(
    database: Database, bench: Bench, archive: Script, purge: Purge
) -> None:
    archive.place_answers = [DONE]
    old = bench.place()
    bench.work()
    bench.clock.now += KEEP + 1
    archive.online = [True]
    new = bench.place(principal="bob", online=True)
    all_of(purge)
    assert bench.book.order(old.id, "ada") is None
    assert bench.state(new) == "succeeded"


def test_one_step_forgets_a_bounded_number(
    database: Database, bench: Bench, archive: Script, purge: Purge
) -> None:
    keys = [bench.key(f"item-{number}") for number in range(2 * STEP + 1)]
    bench.book.place(keys, "ada", bench.clock(), str, online=True)
    bench.clock.now += KEEP + 1
    assert purge.step()
    assert rows(database)["requests"] == STEP + 1
    assert all_of(purge) == 2
    assert set(rows(database).values()) == {0}


def test_what_happened_long_ago_to_a_product_that_is_still_ordered_is_forgotten(
    database: Database, bench: Bench, archive: Script, purge: Purge
) -> None:
    archive.online = [True]
    for _ in range(10):
        bench.clock.now += KEEP / 2
        order = bench.place()
        bench.book.cancel(order, bench.clock())
        bench.work()
        all_of(purge)
    with database.reading() as execute:
        oldest = execute("SELECT min(at) AS at FROM events")[0]["at"]
    assert oldest >= bench.clock() - KEEP


def test_the_book_is_looked_through_once_an_hour_and_by_the_workers_themselves(
    database: Database, bench: Bench, archive: Script, purge: Purge
) -> None:
    archive.place_answers = [DONE]
    workers = Workers(bench.agenda, {archive.url: archive}, bench.driver, (purge.step,), 1)
    bench.place()
    while workers.work():
        pass
    bench.clock.now += KEEP + 1
    archive.online = [True]  # so that the daily look finds it still there
    while workers.work():
        pass
    assert set(rows(database).values()) == {0}


def test_replicas_that_forget_and_order_the_same_at_once_lose_no_order(
    make_database: Callable[[], Database],
) -> None:
    now = 2 * KEEP
    one, other = make_database(), make_database()
    keys = [Key("https://archive.example", "toy", "c", f"item-{number}") for number in range(40)]
    failures: list[Exception] = []
    for round in range(5):
        Book(one).place(keys, f"old-{round}", 1.0, str, online=True)
        start = threading.Barrier(2)

        def forget(start: threading.Barrier = start) -> None:
            start.wait()
            try:
                all_of(Purge(one, KEEP, lambda: now))
            except StoreUnavailable as failure:
                failures.append(failure)

        thread = threading.Thread(target=forget)
        thread.start()
        start.wait()
        placed = [Book(other).place([key], f"new-{round}", now, str, online=True)[0] for key in keys]
        thread.join()
        assert all(Book(one).order(order.id, f"new-{round}") for order in placed)
    assert failures == []
