"""No order arrives twice, whatever answer, lease or process is lost on the way; on both databases."""

import pytest

from stacbridge.errors import OrderUnclear, StoreUnavailable
from stacbridge.orders.agenda import Agenda
from stacbridge.orders.database import Database
from stacbridge.orders.driver import Driver
from stacbridge.orders.records import Product
from tests.orders.archives import DAY, LEASE, ORDERED, SHIPPING, Bench, Script

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


def test_an_answer_that_cannot_be_written_is_not_forgotten_and_the_order_not_sent_again(
    bench: Bench, archive: Script, database: Database
) -> None:
    order = bench.place()
    full = StoreUnavailable("The disk is full.")
    save = bench.agenda.save

    class Full(Agenda):
        def save(self, before: Product, after: Product, now: float, lease: float = 0) -> bool:
            if after.state == "ordered":
                raise full
            return save(before, after, now, lease)

    driver = Driver(Full(database), bench.driver.rules, LEASE, 20, bench.clock)
    product = bench.agenda.claim([archive.url], bench.clock(), LEASE)
    assert product is not None
    with pytest.raises(StoreUnavailable):
        driver.drive(archive, product)
    assert bench.state(order) == "sending"
    archive.find_answers = [SHIPPING]
    bench.clock.now += LEASE + 1
    bench.work()
    assert (bench.state(order), archive.placed) == ("shipping", ["A"])


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
