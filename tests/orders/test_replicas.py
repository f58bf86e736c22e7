"""Replicas on one order book: each product is made once, and none wait for each other in a circle."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from stacbridge.orders.agenda import Agenda
from stacbridge.orders.book import Book
from stacbridge.orders.database import Database
from stacbridge.orders.records import Key
from tests.orders.archives import URL, Bench, Script, place
from tests.postgres import waiting
from tests.unit.download_servers import PATIENCE, within


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
