"""How orders go by what an archive answers, on both databases, with time that passes when it is told to."""

import pytest

from stacbridge.errors import (
    Misconfigured,
    NotFound,
    NotOrderable,
    QuotaExceeded,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.model import Progress
from tests.orders.archives import DAY, LEASE, ORDERED, SHIPPING, Bench, Script

QUEUED, DONE, UNKNOWN = (Progress("O-1", state) for state in ("pending", "succeeded", None))
DOWN = UpstreamUnavailable("The archive is down.")


def test_an_order_goes_from_intended_over_shipping_to_succeeded(bench: Bench, archive: Script) -> None:
    archive.place_answers = [QUEUED]
    archive.poll_answers = [QUEUED, SHIPPING, DONE]
    order = bench.place()
    assert (bench.state(order), order.status) == ("intended", "ordered")
    bench.work()
    assert bench.state(order) == "pending"
    bench.wait(3600)
    assert bench.state(order) == "succeeded"
    assert bench.states(order) == ["intended", "sending", "pending", "shipping", "succeeded"]
    assert archive.placed == ["A"]


def test_what_is_online_is_not_ordered(bench: Bench, archive: Script) -> None:
    archive.online = [True]
    order = bench.place()
    bench.work()
    assert (bench.state(order), archive.placed) == ("succeeded", [])


def test_what_two_ask_for_is_ordered_once_and_both_see_it(bench: Bench, archive: Script) -> None:
    first, second = bench.place(), bench.place(principal="bob")
    bench.work()
    third = bench.place(principal="eve")
    bench.work()
    assert archive.placed == ["A"]
    assert {bench.state(order) for order in (first, second, third)} == {"ordered"}
    assert len({first.id, second.id, third.id}) == 3


def test_asking_again_gives_the_same_order(bench: Bench) -> None:
    assert bench.place().id == bench.place().id


def test_a_cancelled_order_is_cancelled_for_nobody_else(bench: Bench, archive: Script) -> None:
    archive.poll_answers = [ORDERED, DONE]
    mine, theirs = bench.place(), bench.place(principal="bob")
    bench.work()
    bench.book.cancel(mine, bench.clock())
    bench.wait(7200)
    assert (bench.state(mine), bench.state(theirs)) == ("canceled", "succeeded")


def test_what_nobody_wants_any_more_is_let_go_before_it_is_ordered(bench: Bench, archive: Script) -> None:
    order = bench.place()
    bench.book.cancel(order, bench.clock())
    bench.work()
    assert (bench.now(order).product.state, archive.placed) == ("canceled", [])


def test_an_order_cancelled_and_wanted_again_is_followed_on_not_ordered_again(
    bench: Bench, archive: Script
) -> None:
    order = bench.place()
    bench.work()
    bench.book.cancel(order, bench.clock())
    bench.work()
    assert bench.now(order).product.state == "canceled"
    archive.poll_answers = [DONE]
    again = bench.place()
    bench.work()
    assert (bench.state(again), archive.placed) == ("succeeded", ["A"])


@pytest.mark.parametrize("failure", [DOWN, UpstreamTimeout("Late."), Misconfigured("No account.")])
def test_an_archive_that_cannot_be_asked_is_asked_again_until_the_deadline(
    bench: Bench, archive: Script, failure: UpstreamUnavailable
) -> None:
    archive.online = [failure]
    order = bench.place()
    bench.wait(DAY)
    assert (bench.state(order), archive.placed) == ("intended", [])
    assert bench.now(order).product.reason == str(failure)
    bench.wait(6.1 * DAY)
    assert bench.state(order) == "failed"
    assert str(failure) in (bench.now(order).product.reason or "")


@pytest.mark.parametrize("failure", [NotFound("No such item."), NotOrderable("Not here.")])
def test_what_can_never_be_had_fails_at_once(bench: Bench, archive: Script, failure: NotFound) -> None:
    archive.online = [failure]
    order = bench.place()
    bench.work()
    assert (bench.state(order), bench.now(order).product.reason) == ("failed", str(failure))


def test_an_order_that_the_archive_refuses_for_good_fails_with_its_words(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [NotOrderable("Refused.", answered="HTTP 400: bad")]
    order = bench.place()
    bench.work()
    assert bench.state(order) == "failed"
    assert "HTTP 400: bad" in (bench.now(order).product.reason or "")


def test_a_quota_is_waited_for_with_the_release_time_visible_and_no_hot_loop(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [QuotaExceeded("Quota.", retry_after=7200), ORDERED]
    first, second = bench.place("A"), bench.place("B")
    bench.work()
    release = bench.clock() + 7200
    for order, position in ((first, 1), (second, 2)):
        found = bench.now(order)
        assert (found.state, found.position) == ("intended", position)
        assert found.product.release_at == release
    late = bench.place("C")
    bench.wait(7199)
    assert (archive.placed, bench.now(late).product.release_at) == (["A"], release)
    bench.wait(60)
    assert archive.placed == ["A", "A", "B", "C"]


def test_a_quota_that_does_not_say_until_when_is_waited_for_an_hour(bench: Bench, archive: Script) -> None:
    archive.place_answers = [QuotaExceeded("Quota.")]
    order = bench.place()
    bench.wait(6 * 3600)
    assert len(archive.placed) == 7
    assert bench.state(order) == "intended"


def test_polls_become_rarer_up_to_a_quarter_of_an_hour(bench: Bench, archive: Script) -> None:
    bench.place()
    bench.wait(3600)
    assert archive.polled <= 10
    before = archive.polled
    bench.wait(DAY)
    assert archive.polled - before == pytest.approx(DAY / 900, abs=2)


def test_an_order_that_is_stuck_says_so_and_fails_at_its_deadline(bench: Bench, archive: Script) -> None:
    order = bench.place()
    bench.wait(3 * DAY)
    assert bench.state(order) == "ordered"
    bench.wait(4.1 * DAY)
    assert bench.state(order) == "failed"
    assert "did not bring it back in time" in (bench.now(order).product.reason or "")
    assert archive.placed == ["A"]


def test_an_order_that_is_not_known_at_first_is_not_lost(bench: Bench, archive: Script) -> None:
    archive.poll_answers = [UNKNOWN, UNKNOWN, SHIPPING, DONE]
    order = bench.place()
    bench.wait(DAY / 4)
    assert (bench.state(order), archive.placed) == ("succeeded", ["A"])


def test_polls_that_fail_are_told_and_the_order_stands(bench: Bench, archive: Script) -> None:
    archive.poll_answers = [DOWN, DOWN, DONE]
    order = bench.place()
    bench.wait(60)
    assert (bench.state(order), bench.now(order).product.reason) == ("ordered", str(DOWN))
    bench.wait(3600)
    assert bench.state(order) == "succeeded"


@pytest.mark.parametrize("state", ["failed", "canceled"])
def test_an_order_that_the_archive_ended_has_failed_and_can_be_ordered_anew(
    bench: Bench, archive: Script, state: str
) -> None:
    archive.poll_answers = [Progress("O-1", state, "Tape broken."), DONE]  # type: ignore[arg-type]
    order = bench.place()
    bench.wait(60)
    assert (bench.state(order), bench.now(order).product.reason) == ("failed", "Tape broken.")
    again = bench.place()
    assert again.id == order.id
    bench.wait(60)
    assert (bench.state(order), archive.placed) == ("succeeded", ["A", "A"])


def test_what_has_succeeded_and_is_offline_by_now_is_ordered_anew_for_who_asks(
    bench: Bench, archive: Script
) -> None:
    archive.poll_answers = [DONE]
    bench.place()
    bench.wait(60)
    archive.poll_answers = [ORDERED]
    assert bench.place(principal="bob", online=False).product.state == "intended"


def test_orders_of_archives_that_are_not_served_here_are_left_alone(bench: Bench) -> None:
    bench.place()
    assert bench.agenda.claim(["https://elsewhere.example"], bench.clock(), LEASE) is None
    assert bench.agenda.claim([], bench.clock(), LEASE) is None
