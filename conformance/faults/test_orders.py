"""Section C in short, on SQLite: orders that are lost, stuck, wanted twice, over quota, evicted, unwritable.

The long forms, with kills and replicas: `python -m conformance.orders`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from stacbridge.app import create_app
from stacbridge.errors import Misconfigured, QuotaExceeded, StoreUnavailable
from stacbridge.model import Progress
from stacbridge.orders.book import Book
from stacbridge.orders.records import Key
from stacbridge.orders.sqlite import SQLite
from stacbridge.simulators.lta import LtaSimulator
from stacbridge.simulators.lta_orders import LtaFaults
from tests.api.serving import running
from tests.orders import lta
from tests.orders.archives import DAY, URL, Bench, Script
from tests.orders.waiting import until

TIMEOUT = 10
DONE = Progress("O-1", "succeeded")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[SQLite]:
    database = SQLite(tmp_path / "orders.sqlite")
    yield database
    database.close()


class Killed(BaseException):
    """The end of a process, wherever it is."""


def test_f35_a_process_that_dies_while_it_orders_loses_nothing_and_orders_nothing_twice(book: SQLite) -> None:
    archive = Script(poll_answers=[DONE])

    def die() -> None:
        archive.during_place = lambda: None
        archive.find_answers = [Progress("O-1", "ordered")]
        raise Killed

    archive.during_place = die
    bench = Bench(book, archive)
    order = bench.place()
    with pytest.raises(Killed):
        bench.work()
    assert bench.state(order) == "sending"
    bench.wait(DAY / 24)
    assert (bench.state(order), archive.placed) == ("succeeded", ["A"])


def test_f36_a_lost_order_is_ordered_once_more_and_then_given_up_with_a_reason(book: SQLite) -> None:
    archive = Script(poll_answers=[Progress("O-1", None)])
    bench = Bench(book, archive)
    order = bench.place()
    bench.wait(DAY)
    assert (bench.state(order), archive.placed) == ("failed", ["A", "A"])
    assert "did not know order O-1" in (bench.now(order).product.reason or "")


def test_f37_an_order_that_is_stuck_is_asked_about_ever_more_rarely_and_ends(book: SQLite) -> None:
    archive = Script()
    bench = Bench(book, archive)
    order = bench.place()
    bench.wait(DAY)
    polled = archive.polled
    bench.wait(DAY)
    assert archive.polled - polled == pytest.approx(DAY / 900, abs=2)
    bench.wait(6 * DAY)
    assert bench.state(order) == "failed"
    assert "in time" in (bench.now(order).product.reason or "")


def test_f38_what_two_want_is_ordered_once_and_a_cancelled_order_is_nobody_elses(book: SQLite) -> None:
    archive = Script(poll_answers=[DONE])
    bench = Bench(book, archive)
    mine, theirs = bench.place(), bench.place(principal="bob")
    bench.book.cancel(bench.now(mine), bench.clock())
    bench.wait(DAY / 24)
    assert (bench.state(mine), bench.state(theirs), archive.placed) == ("canceled", "succeeded", ["A"])


def test_f39_a_quota_is_waited_for_with_its_release_visible_and_no_hot_loop(book: SQLite) -> None:
    full = QuotaExceeded("Quota.", retry_after=12 * 3600)
    archive = Script(place_answers=[full, Progress("O-1", "ordered")], poll_answers=[DONE])
    bench = Bench(book, archive)
    order = bench.place()
    bench.work()
    assert bench.now(order).product.release_at == bench.clock() + 12 * 3600
    bench.wait(12 * 3600 - 60)
    assert archive.placed == ["A"]
    bench.wait(3600)
    assert (bench.state(order), archive.placed) == ("succeeded", ["A", "A"])


def test_f40_bytes_that_are_gone_again_are_orderable_and_ordered_when_asked_for(
    book: SQLite,
) -> None:
    archive = Script(place_answers=[Progress("O-1", "succeeded", expires=1_800_000_000 + DAY)])
    bench = Bench(book, archive)
    order = bench.place()
    bench.wait(2 * DAY)
    assert (bench.state(order), bench.now(order).status, archive.placed) == ("evicted", "orderable", ["A"])
    bench.place()
    bench.work()
    assert archive.placed == ["A", "A"]


def test_f41_bytes_in_the_making_are_503_with_a_link_to_the_order_and_then_come(tmp_path: Path) -> None:
    with LtaSimulator(20_000) as archive:
        archive.faults = LtaFaults(queue_seconds=0.1, staging_seconds=0.3)
        given = lta.settings(archive.url, tmp_path / "orders.sqlite", order_poll=0.1)
        with running(create_app(given, [lta.catalogue(given)])) as url:
            (item,) = lta.items(archive, 1)
            asked = {"collection": lta.COLLECTION, "item": item}
            order = requests.post(f"{url}/orders", json=asked, timeout=TIMEOUT).headers["Location"]
            found = requests.get(f"{url}/collections/{lta.COLLECTION}/items/{item}", timeout=TIMEOUT).json()
            href = found["assets"]["Product"]["href"]
            waiting = requests.get(href, timeout=TIMEOUT)
            if waiting.status_code != 200:
                assert (waiting.status_code, int(waiting.headers["Retry-After"]) > 0) == (503, True)
                assert order.rpartition("/")[2] in waiting.headers["Link"]
            until(lambda: requests.get(order, timeout=TIMEOUT).json()["status"] == "succeeded")
            assert requests.get(href, timeout=TIMEOUT).status_code == 200


def test_f42_an_order_book_on_a_full_disk_refuses_before_it_promises(book: SQLite) -> None:
    kept = Bench(book, Script()).place("kept")
    with book.writing() as execute:
        execute(f"PRAGMA max_page_count = {execute('PRAGMA page_count')[0]['page_count']}")
    promised = []
    with pytest.raises(StoreUnavailable, match="full"):
        for number in range(10_000):
            promised.append(Bench(book, Script()).place(f"item-{number}"))
    for order in (kept, *promised):
        assert Book(book).order(order.id, "ada") is not None


def test_f43_a_locked_order_book_is_503_after_a_while_and_goes_on_afterwards(
    book: SQLite, tmp_path: Path
) -> None:
    other = Book(SQLite(tmp_path / "orders.sqlite"))
    with book.writing(), pytest.raises(StoreUnavailable, match="locked") as caught:
        other.place([Key(URL, "toy", "c", "A")], "ada", 1.0, str)
    assert caught.value.status == 503
    assert other.place([Key(URL, "toy", "c", "A")], "ada", 1.0, str)


def test_f43_a_corrupt_order_book_stops_the_start_and_is_left_as_it_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "orders.sqlite"
    SQLite(path).close()
    healthy = path.read_bytes()
    path.write_bytes(healthy[:4096] + bytes(len(healthy) - 4096))
    broken = path.read_bytes()
    with pytest.raises(Misconfigured, match="Keep a copy"):
        SQLite(path)
    assert path.read_bytes() == broken
