"""Webhooks: signed, to listed hosts alone, called again until they answer, and in nobody's way."""

import hmac
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from stacbridge.errors import BadRequest, NotOrderable, QuotaExceeded
from stacbridge.federation import Federation
from stacbridge.model import Progress
from stacbridge.orders.database import Database
from stacbridge.orders.desk import Desk
from stacbridge.orders.notices import FIRST_PAUSE, Notices
from stacbridge.orders.webhooks import Webhooks
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act, Chaos
from tests.api.archive import alpha
from tests.orders.archives import DAY, ORDERED, Bench, Script
from tests.orders.waiting import until
from tests.servers import Answer, Seen, in_turn, serving
from tests.unit.scripted_upstream import tls

SECRET = "canary-webhook-secret"


def webhooks(**given: Any) -> Webhooks:
    members = {"webhook_hosts": ["127.0.0.1", "hooks.example:8443"], "webhook_secret": SecretStr(SECRET)}
    return Webhooks(Settings(**{**members, **given}))


def finished(database: Database, webhook: str) -> Bench:
    """An order with a webhook, whose product has come."""
    bench = Bench(database, Script(place_answers=[Progress("O-1", "succeeded")]))
    url = "http://bridge/orders/1"
    bench.book.place([bench.key()], "ada", bench.clock(), lambda id: url, webhook=webhook)
    bench.work()
    return bench


def notices(bench: Bench, **given: Any) -> Notices:
    return Notices(bench.agenda, webhooks(**given), bench.clock)


def tell_all(told: Notices) -> None:
    while told.tell():
        pass


def test_who_asked_is_told_once_by_a_signed_post(database: Database) -> None:
    with serving(in_turn(Answer(204))) as server:
        told = notices(finished(database, f"{server.url}/hook"))
        assert told.tell()
        assert not told.tell()
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/hook")
    body = orjson.loads(seen.body)
    assert (body["status"], body["item"], body["href"]) == ("succeeded", "A", "http://bridge/orders/1")
    assert signed(seen)


def signed(seen: Seen) -> bool:
    parts = dict(part.split("=") for part in seen.headers["stacbridge-signature"].split(","))
    expected = hmac.digest(SECRET.encode(), f"{parts['t']}.".encode() + seen.body, "sha256").hex()
    return hmac.compare_digest(expected, parts["v1"])


def test_a_webhook_that_fails_is_called_again_ever_more_rarely_and_then_given_up(database: Database) -> None:
    with serving(in_turn(Answer(500))) as server:
        bench = finished(database, server.url)
        told = notices(bench)
        for _ in range(int(2 * DAY / 60)):
            told.tell()
            bench.clock.now += 60
        assert 24 < len(server.seen) < 36


@pytest.mark.parametrize("status", [301, 302, 307, 404])
def test_a_redirect_is_not_followed_and_no_answer(database: Database, status: int) -> None:
    with serving(in_turn(Answer(200))) as other:
        elsewhere = Answer(status, headers={"Location": other.url})
        with serving(in_turn(elsewhere, Answer(200))) as server:
            bench = finished(database, server.url)
            told = notices(bench)
            tell_all(told)
            bench.clock.now += 61
            tell_all(told)
            assert (len(server.seen), other.seen) == (2, [])


def test_a_host_with_a_certificate_that_is_not_trusted_is_told_nothing(database: Database) -> None:
    with Chaos(b"", Act(status=204), context=tls()[0]) as server:
        told = notices(finished(database, server.url))
        tell_all(told)
        assert server.asked == []


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


@pytest.mark.parametrize("trouble", [None, Answer(503), Answer(429)])
def test_hundreds_of_webhooks_of_a_host_in_trouble_cost_one_attempt_at_a_time(
    database: Database, trouble: Answer | None
) -> None:
    with serving(in_turn(trouble, trouble, Answer(204))) as server, serving(in_turn(Answer(204))) as other:
        bench = Bench(database, Script())
        told = notices(bench)
        for path in ("/one", "?two", ""):
            arrived(bench, f"{server.url}{path}", 100)
        tell_all(told)
        assert len(server.seen) == 1
        arrived(bench, f"{server.url}/late", 1)
        arrived(bench, other.url, 1)
        tell_all(told)
        assert (len(server.seen), len(other.seen)) == (1, 1)
        bench.clock.now += FIRST_PAUSE
        tell_all(told)
        assert len(server.seen) == 2
        bench.clock.now += 2 * FIRST_PAUSE
        tell_all(told)
        assert len(server.seen) == 2 + 301


def arrived(bench: Bench, webhook: str, count: int) -> None:
    """Orders of a user of their own, whose items are there."""
    keys = [bench.key(f"item-{number}") for number in range(count)]
    bench.book.place(keys, f"user of {webhook}", bench.clock(), str, webhook=webhook, online=True)


def test_a_webhook_that_is_refused_holds_up_no_other_of_its_host(database: Database) -> None:
    with serving(lambda seen: Answer(404 if seen.path == "/gone" else 204)) as server:
        bench = Bench(database, Script())
        told = notices(bench)
        for path in ("/gone", "/here"):
            arrived(bench, f"{server.url}{path}", 1)
        tell_all(told)
        assert sorted(seen.path for seen in server.seen) == ["/gone", "/here"]


def test_what_a_host_that_is_gone_was_to_be_told_is_given_up_after_a_day(database: Database) -> None:
    with serving(in_turn(None)) as server:
        bench = Bench(database, Script())
        told = notices(bench)
        arrived(bench, server.url, 200)
        for _ in range(int(1.1 * DAY / 600)):
            tell_all(told)
            bench.clock.now += 600
        assert bench.agenda.due_notice(bench.clock() + DAY, 1) is None
        assert len(server.seen) < 40


def test_an_answer_that_comes_drop_by_drop_is_waited_for_no_longer_than_the_setting_says(
    database: Database,
) -> None:
    with dripping() as url:
        begun = time.monotonic()
        tell_all(notices(finished(database, url), webhook_timeout=0.3))
        assert time.monotonic() - begun < 5


@contextmanager
def dripping() -> Iterator[str]:
    """A server that sends a head without end."""
    over = threading.Event()

    def drip(listening: socket.socket) -> None:
        client, _ = listening.accept()
        with closing(client), suppress(OSError):
            client.sendall(b"HTTP/1.1 200 OK\r\nX-Drops: ")
            while not over.wait(0.05):
                client.sendall(b".")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        thread.join()


def test_a_webhook_that_does_not_answer_holds_up_nobodys_orders(tmp_path: Path) -> None:
    catalogue = alpha()
    catalogue.archive = Script(place_answers=[Progress("O-1", "succeeded")])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        given = Settings(
            order_store=SecretStr(f"sqlite:///{tmp_path / 'orders.sqlite'}"),
            webhook_hosts=[host],
            webhook_secret=SecretStr(SECRET),
            webhook_timeout=600,
        )
        desk = Desk(Federation([catalogue], given), given)
        desk.start()
        desk.place_all(items("hers", 20), "ada", str, f"http://{host}/")
        silent.settimeout(20)
        with closing(silent.accept()[0]):  # her webhook is being called
            batch, _ = desk.place_all(items("his", 20), "bob", str)
            until(lambda: desk.counts("bob", batch) == {"succeeded": 20})
    desk.stop()


def items(name: str, count: int) -> list[tuple[str, str]]:
    return [("radar-grd", f"{name}-{number}") for number in range(count)]


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/",
        "http://hooks.example:8443/",
        "https://hooks.example/",
        "https://127.0.0.1@elsewhere.example/",
        "https://user@127.0.0.1/",
        "ftp://127.0.0.1/",
        "https://[::1/",
        "127.0.0.1",
        "",
    ],
)
def test_only_listed_hosts_may_be_named(url: str) -> None:
    with pytest.raises(BadRequest) as refused:
        webhooks().checked(url)
    assert refused.value.parameter == "webhook"


def test_listed_hosts_may_be_named() -> None:
    for url in ("https://hooks.example:8443/x", "http://127.0.0.1:80/y", "https://127.0.0.1/z"):
        assert webhooks().checked(url) == url


@pytest.mark.parametrize("lacking", [{"webhook_hosts": []}, {"webhook_secret": None}])
def test_without_hosts_or_a_secret_no_webhook_is_taken(lacking: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        webhooks(**lacking).checked("https://127.0.0.1/")
