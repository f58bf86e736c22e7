"""Bytes that an archive takes away again, before and after they were downloaded, on both databases."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.model import Progress
from stacbridge.orders.database import Database
from stacbridge.orders.records import Product
from stacbridge.orders.transitions import Rules, evicted, sent, taken
from tests.orders.archives import DAY, LEASE, Bench, Script

DONE, SHIPPING = Progress("O-1", "succeeded"), Progress("O-1", "shipping")
ONCE = ["intended", "sending", "succeeded"]


def test_bytes_taken_away_before_they_were_downloaded_are_ordered_once_more_and_then_given_up_with_advice(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [Progress("O-1", "succeeded", expires=bench.clock() + DAY)]
    order = bench.place()
    bench.work()
    assert bench.now(order).product.expires == bench.clock() + DAY
    bench.wait(1.5 * DAY)
    assert (bench.state(order), archive.placed) == ("succeeded", ["A", "A"])
    assert "It is ordered again by itself (1 of 1)." in bench.reasons(order)[-3]
    bench.wait(2 * DAY)
    found = bench.now(order)
    assert (found.state, found.status, archive.placed) == ("evicted", "orderable", ["A", "A"])
    assert "ordered again by itself. Order it anew, and download it" in (found.product.reason or "")
    assert bench.states(order) == [*ONCE, *ONCE, "evicted"]


def test_bytes_taken_away_after_they_were_downloaded_are_not_ordered_again(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [DONE]
    order = bench.place()
    bench.work()
    bench.book.fetched("ada", "c", "A")
    bench.wait(2 * DAY)
    assert (bench.state(order), archive.placed) == ("evicted", ["A"])
    assert bench.now(order).product.reason == "The archive has taken the bytes away again."


def test_bytes_are_ordered_again_for_one_who_has_not_downloaded_them_whoever_else_has(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [DONE]
    bench.place()
    theirs = bench.place(principal="bob")
    bench.work()
    bench.book.fetched("ada", "c", "A")
    bench.wait(1.5 * DAY)
    assert (bench.state(theirs), archive.placed) == ("succeeded", ["A", "A"])


def test_a_download_of_another_item_or_by_somebody_else_is_not_ones_own(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [DONE]
    bench.place()
    bench.work()
    for principal, collection, item in (("bob", "c", "A"), ("ada", "c", "B"), ("ada", "d", "A")):
        bench.book.fetched(principal, collection, item)
    bench.wait(1.5 * DAY)
    assert archive.placed == ["A", "A"]


def test_bytes_are_not_ordered_again_for_one_who_cancelled(bench: Bench, archive: Script) -> None:
    archive.place_answers = [DONE]
    order = bench.place()
    bench.work()
    bench.book.cancel(order, bench.clock())
    bench.wait(2 * DAY)
    assert (bench.now(order).product.state, archive.placed) == ("evicted", ["A"])


@pytest.mark.parametrize("reorders", [0, 3])
def test_how_often_bytes_are_ordered_again_is_a_setting(
    database: Database, archive: Script, reorders: int
) -> None:
    bench = Bench(database, archive, Rules(reorders=reorders))
    archive.place_answers = [DONE]
    order = bench.place()
    bench.wait(8 * DAY)
    assert (bench.state(order), len(archive.placed)) == ("evicted", 1 + reorders)


def test_an_order_that_is_too_old_is_not_sent_again(bench: Bench, archive: Script) -> None:
    archive.place_answers = [Progress("O-1", "succeeded", expires=bench.clock() + 14 * DAY)]
    order = bench.place()
    bench.wait(15 * DAY)
    assert (bench.state(order), archive.placed) == ("evicted", ["A"])
    assert "too old to be sent again" in (bench.now(order).product.reason or "")


def test_who_orders_anew_what_was_given_up_has_the_whole_budget_again(bench: Bench, archive: Script) -> None:
    archive.place_answers = [DONE]
    order = bench.place()
    bench.wait(4 * DAY)
    assert bench.state(order) == "evicted"
    assert bench.place().id == order.id
    bench.wait(4 * DAY)
    assert (bench.state(order), archive.placed) == ("evicted", ["A"] * 4)


def test_what_a_download_finds_offline_is_ordered_again_at_once(bench: Bench, archive: Script) -> None:
    archive.place_answers = [DONE, SHIPPING]
    order = bench.place()
    bench.work()
    bench.book.missed(bench.now(order), bench.clock())
    bench.work()
    assert (bench.state(order), archive.placed) == ("shipping", ["A", "A"])


def test_a_download_that_finds_it_offline_changes_nothing_of_an_order_under_way(
    bench: Bench, archive: Script
) -> None:
    order = bench.place()
    bench.work()
    before = bench.now(order)
    bench.book.missed(before, bench.clock())
    assert bench.now(order) == before


def test_two_workers_that_find_bytes_gone_order_them_again_once(bench: Bench, archive: Script) -> None:
    archive.place_answers = [DONE, SHIPPING]
    order = bench.place()
    bench.work()
    bench.clock.now += DAY + 1
    slow = bench.agenda.claim([archive.url], bench.clock(), LEASE)
    bench.clock.now += LEASE + 1
    quick = bench.agenda.claim([archive.url], bench.clock(), LEASE)
    assert slow is not None and quick is not None
    bench.driver.drive(archive, quick)
    bench.work()
    bench.driver.drive(archive, slow)
    bench.work()
    assert (bench.state(order), archive.placed) == ("shipping", ["A", "A"])


def test_a_process_that_dies_while_it_orders_again_leaves_nothing_ordered_twice(
    bench: Bench, archive: Script
) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    archive.place_answers = [DONE, SHIPPING]
    order = bench.place()
    bench.work()
    archive.during_place = die
    bench.clock.now += DAY + 1
    with pytest.raises(Killed):
        bench.work()
    archive.during_place = lambda: None
    archive.find_answers = [SHIPPING]
    bench.clock.now += LEASE + 1
    bench.work()
    assert (bench.state(order), archive.placed) == ("shipping", ["A", "A"])


def test_replicas_that_find_bytes_gone_at_once_order_each_product_again_once(
    make_database: Callable[[], Database],
) -> None:
    archive, items = Script(place_answers=[DONE]), [f"item-{number}" for number in range(40)]
    replicas = [Bench(make_database(), archive) for _ in range(2)]
    for item in items:
        replicas[0].place(item)
    replicas[0].work()
    assert sorted(archive.placed) == sorted(items)
    archive.place_answers = [SHIPPING]
    threads = [threading.Thread(target=replica.work) for replica in replicas]
    for replica in replicas:
        replica.clock.now += DAY + 1
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(archive.placed) == sorted(2 * items)


@given(st.integers(0, 4), st.lists(st.floats(0, 8 * DAY), min_size=8, max_size=8))
def test_however_often_bytes_go_again_there_is_an_end_in_time_and_within_the_budget(
    reorders: int, stays: list[float]
) -> None:
    rules, now = Rules(reorders=reorders), 1e9
    owed, orders = now, 1
    product = Product(1, "https://archive.example", "toy", "c", "A", "intended", now, now, next_at=now)
    product = taken(sent(product, now), DONE, now, rules)
    for stay in stays:
        now += stay
        product = evicted(product, now, rules, owed)
        if product.state == "evicted":
            break
        assert now < owed + 14 * DAY
        product = taken(sent(product, now), DONE, now, rules)
        orders += 1
    assert (product.state, product.next_at, orders <= 1 + reorders) == ("evicted", None, True)
    assert "Order it anew" in (product.reason or "")
