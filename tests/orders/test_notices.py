"""Who is told by a webhook, and when: each once that it is there, and anew when it was away in between."""

import orjson
import pytest

from stacbridge.errors import NotOrderable, QuotaExceeded
from stacbridge.model import Progress
from stacbridge.orders.database import Database
from stacbridge.orders.notices import FIRST_PAUSE
from tests.orders.archives import DAY, ORDERED, Bench, Script
from tests.orders.hooks import finished, notices, tell_all
from tests.servers import Answer, Seen, in_turn, serving


def test_a_cancelled_order_is_told_to_nobody(database: Database) -> None:
    bench = Bench(database, Script())
    (order,) = bench.book.place([bench.key()], "ada", bench.clock(), str, webhook="http://127.0.0.1:9/")
    bench.book.cancel(order, bench.clock())
    bench.wait(60)
    assert not notices(bench).tell()


def order(bench: Bench, principal: str, webhook: str | None = None, *, online: bool = False) -> None:
    bench.book.place([bench.key()], principal, bench.clock(), str, webhook=webhook, online=online)
    bench.work()


def statuses(seen: list[Seen]) -> list[str]:
    return [orjson.loads(each.body)["status"] for each in seen]


@pytest.mark.parametrize("online", [True, False], ids=["known to be there", "found there"])
def test_what_is_still_to_be_told_is_told_though_the_order_is_posted_again_without_a_webhook(
    database: Database, online: bool
) -> None:
    with serving(in_turn(Answer(503), Answer(204))) as server:
        bench = finished(database, server.url)
        bench.archive.online = [True]
        told = notices(bench)
        tell_all(told)
        order(bench, "ada", online=online)
        bench.clock.now += FIRST_PAUSE
        tell_all(told)
        assert statuses(server.seen) == ["succeeded", "succeeded"]


def test_who_knows_that_it_is_there_is_not_told_again_because_somebody_else_orders_it(
    database: Database,
) -> None:
    with serving(in_turn(Answer(204))) as server:
        bench = finished(database, f"{server.url}/ada")
        bench.archive.online = [True]
        told = notices(bench)
        tell_all(told)
        order(bench, "bob", f"{server.url}/bob")
        tell_all(told)
        assert [seen.path for seen in server.seen] == ["/ada", "/bob"]


@pytest.mark.parametrize("end", ["went", "failed"])
def test_what_comes_anew_is_told_to_all_who_have_ordered_it(database: Database, end: str) -> None:
    with serving(in_turn(Answer(204))) as server:
        bench = finished(database, f"{server.url}/ada")
        told = notices(bench)
        if end == "failed":
            bench.archive.online = [NotOrderable("Not here.")]
            order(bench, "ada")
            bench.archive.online = [True]
        tell_all(told)
        before = len(server.seen)
        order(bench, "bob", f"{server.url}/bob")
        tell_all(told)
        assert sorted(seen.path for seen in server.seen[before:]) == ["/ada", "/bob"]


@pytest.mark.parametrize("by", ["the daily look", "another order"])
def test_what_was_away_and_is_there_again_is_told_anew_whoever_brought_it(
    database: Database, by: str
) -> None:
    with serving(in_turn(Answer(204))) as server:
        bench = finished(database, server.url)
        told = notices(bench)
        tell_all(told)
        bench.archive.online = [False, True]
        bench.archive.place_answers = [QuotaExceeded("Quota.", retry_after=3600)]
        if by == "another order":
            order(bench, "bob")
        bench.wait(1.1 * DAY)
        tell_all(told)
        assert statuses(server.seen) == ["succeeded", "succeeded"]


def test_what_is_still_to_be_told_is_told_though_it_was_looked_whether_the_bytes_are_there(
    database: Database,
) -> None:
    with serving(in_turn(Answer(204))) as server:
        bench = finished(database, server.url)
        bench.archive.online = [True]
        bench.wait(1.1 * DAY)
        tell_all(notices(bench))
        assert statuses(server.seen) == ["succeeded"]


def test_a_webhook_is_not_called_while_the_bytes_are_away_again(database: Database) -> None:
    with serving(in_turn(Answer(503), Answer(204))) as server:
        bench = finished(database, server.url)
        bench.archive.place_answers = [ORDERED]
        told = notices(bench)
        tell_all(told)
        order(bench, "bob")
        bench.clock.now += FIRST_PAUSE
        tell_all(told)
        bench.archive.poll_answers = [Progress("O-1", "succeeded")]
        bench.wait(3600)
        tell_all(told)
        assert statuses(server.seen) == ["succeeded", "succeeded"]
