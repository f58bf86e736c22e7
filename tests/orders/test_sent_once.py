"""No order arrives twice, whatever answer, lease or process is lost on the way; on both databases."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from stacbridge.errors import OrderUnclear, StoreUnavailable
from stacbridge.orders.agenda import Agenda
from stacbridge.orders.database import Database
from stacbridge.orders.records import Product
from stacbridge.orders.workers import Workers
from tests.orders.archives import DAY, LEASE, ORDERED, SHIPPING, Bench, Script
from tests.orders.waiting import until

UNCLEAR = OrderUnclear("Nobody knows.")


def test_the_intent_is_on_disk_before_the_archive_hears_of_it(bench: Bench, archive: Script) -> None:
    seen: list[str] = []
    order = bench.place()
    archive.during_place = lambda: seen.append(bench.state(order))
    bench.work()
    assert seen == ["sending"]


def test_an_order_that_may_have_arrived_is_looked_for_and_not_sent_again(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [UNCLEAR]
    archive.find_answers = [SHIPPING]
    order = bench.place()
    bench.work()
    assert bench.state(order) == "sending"
    bench.wait(30)
    assert (bench.state(order), archive.placed) == ("shipping", ["A"])


def test_an_order_that_did_not_arrive_is_sent_again(bench: Bench, archive: Script) -> None:
    archive.place_answers = [UNCLEAR, ORDERED]
    archive.find_answers = [None]
    order = bench.place()
    bench.wait(60)
    assert (bench.state(order), archive.placed) == ("ordered", ["A", "A"])


def test_where_an_archive_cannot_tell_nothing_is_ordered_twice_and_the_order_ends_with_a_reason(
    bench: Bench, archive: Script
) -> None:
    archive.finds = False
    archive.place_answers = [UNCLEAR]
    order = bench.place()
    bench.wait(7.1 * DAY)
    found = bench.now(order)
    assert (found.state, archive.placed) == ("failed", ["A"])
    assert "Given up after 7.0 days" in (found.product.reason or "")
    archive.place_answers = [ORDERED]
    bench.place()
    bench.work()
    assert (bench.state(order), archive.placed) == ("ordered", ["A", "A"])


def test_an_order_cancelled_while_nobody_knew_of_it_is_looked_for_when_it_is_wanted_again(
    bench: Bench, archive: Script
) -> None:
    archive.finds = False
    archive.place_answers = [UNCLEAR]
    order = bench.place()
    bench.work()
    bench.book.cancel(order, bench.clock())
    bench.work()
    bench.place()
    bench.wait(DAY)
    assert (bench.state(order), archive.placed) == ("sending", ["A"])


class Full(Agenda):
    """Cannot write that an order was taken, the first `times`."""

    def __init__(self, database: Database, times: float) -> None:
        super().__init__(database)
        self.left = times

    def save(self, before: Product, after: Product, now: float, lease: float = 0) -> bool:
        if after.state == "ordered" and self.left > 0:
            self.left -= 1
            raise StoreUnavailable("The disk is full.")
        return super().save(before, after, now, lease)


def drive(bench: Bench, database: Database, times: float) -> None:
    """Take one step of an order, whose result cannot be written the first `times`."""
    product = bench.agenda.claim([bench.archive.url], bench.clock(), LEASE)
    assert product is not None
    replace(bench.driver, agenda=Full(database, times)).drive(bench.archive, product)


def test_an_answer_that_cannot_be_written_at_once_is_written_when_it_can(
    bench: Bench, archive: Script, database: Database
) -> None:
    archive.finds = False
    order = bench.place()
    drive(bench, database, times=20)
    assert (bench.state(order), bench.now(order).product.upstream_order) == ("ordered", "O-1")
    assert sum(bench.clock.slept) < LEASE / 2


def test_an_answer_that_cannot_be_written_at_all_is_logged_and_the_order_not_sent_again(
    bench: Bench, archive: Script, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    order = bench.place()
    begun = bench.clock()
    with pytest.raises(StoreUnavailable):
        drive(bench, database, times=float("inf"))
    assert bench.clock() - begun <= LEASE
    assert bench.state(order) == "sending"
    assert [record.levelname for record in caplog.records if "O-1" in record.message] == ["WARNING", "ERROR"]
    archive.find_answers = [SHIPPING]
    bench.clock.now += LEASE + 1
    bench.work()
    assert (bench.state(order), archive.placed) == ("shipping", ["A"])


def test_an_answer_that_comes_while_the_bridge_stops_is_written_before_the_book_is_closed(
    bench: Bench, archive: Script, make_database: Callable[[], Database]
) -> None:
    archive.finds = False
    order = bench.place()
    own = make_database()
    driver = replace(bench.driver, agenda=Agenda(own))
    workers = Workers(Agenda(own), {archive.url: archive}, driver, (), 1)

    def end() -> None:
        workers.stop(patience=0, longest=20)
        own.close()

    def stop() -> None:
        stopping.start()
        stopping.join(0.3)

    stopping = threading.Thread(target=end)
    archive.during_place = stop
    workers.start()
    until(lambda: stopping.ident is not None)
    stopping.join(20)
    assert (bench.state(order), bench.now(order).product.upstream_order) == ("ordered", "O-1")


def test_a_bridge_that_stops_sends_no_order_and_leaves_it_to_others_at_once(
    bench: Bench, archive: Script
) -> None:
    order = bench.place()
    bench.workers.stop(patience=0, longest=0)
    bench.workers.work()
    assert (bench.state(order), archive.placed) == ("intended", [])
    assert bench.agenda.claim([archive.url], bench.clock(), LEASE) is not None


def test_where_an_archive_cannot_tell_the_bytes_themselves_do(bench: Bench, archive: Script) -> None:
    archive.finds = False
    archive.place_answers = [UNCLEAR]
    archive.online = [False, False, True]
    order = bench.place()
    bench.wait(3600)
    assert (bench.state(order), archive.placed) == ("succeeded", ["A"])


def test_another_process_goes_on_after_the_lease_of_one_that_died_and_nothing_is_ordered_twice(
    bench: Bench, archive: Script, database: Database
) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    order = bench.place()
    archive.during_place = die  # the order has arrived, and its answer is never read
    with pytest.raises(Killed):
        bench.work()
    archive.during_place = lambda: None
    archive.find_answers = [SHIPPING]
    bench.clock.now += LEASE - 1
    bench.work()
    assert bench.state(order) == "sending"
    bench.clock.now += 2
    bench.work()
    assert (bench.state(order), archive.placed) == ("shipping", ["A"])


def test_who_lost_the_lease_cannot_write(bench: Bench, archive: Script) -> None:
    order = bench.place()
    slow = bench.agenda.claim([archive.url], bench.clock(), LEASE)
    assert slow is not None
    bench.clock.now += LEASE + 1
    quick = bench.agenda.claim([archive.url], bench.clock(), LEASE)
    assert quick is not None and quick.seq == slow.seq and quick.fence > slow.fence
    bench.driver.drive(archive, slow)
    assert (bench.state(order), archive.placed) == ("intended", [])
    bench.driver.drive(archive, quick)
    assert archive.placed == ["A"]
