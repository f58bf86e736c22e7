"""Orders per second, against what the same store commits at all."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from time import perf_counter

from stacbridge.orders.book import Book
from stacbridge.orders.database import Database
from stacbridge.orders.records import Key

SECONDS = 3.0


@dataclass(frozen=True)
class Rate:
    """Commits per second of one row, and of one order, by so many threads."""

    threads: int
    floor: float
    orders: float


def run(database: Database, threads: int, seconds: float = SECONDS) -> Rate:
    """Measure a database, whose tables may be empty or not."""
    numbers = count()
    book = Book(database)
    with database.writing() as execute:
        execute("CREATE TABLE IF NOT EXISTS floor (n BIGINT, name TEXT)")

    def commit() -> None:
        with database.writing() as execute:
            execute("INSERT INTO floor (n, name) VALUES (?, ?)", next(numbers), "a row of some length")

    def order() -> None:
        key = Key(f"rate-{threads}", "rate", "c", f"item-{next(numbers)}")
        book.place([key], "ada", 1e9, lambda id: f"http://bridge/orders/{id}")

    return Rate(threads, _per_second(commit, threads, seconds), _per_second(order, threads, seconds))


def _per_second(work: Callable[[], None], threads: int, seconds: float) -> float:
    done = [0] * threads
    end = perf_counter() + seconds

    def run(number: int) -> None:
        while perf_counter() < end:
            work()
            done[number] += 1

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done) / seconds
