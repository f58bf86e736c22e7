"""Webhooks that fail, hang or are gone: called again until they answer, for a day, and in nobody's way."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from stacbridge.federation import Federation
from stacbridge.model import Progress
from stacbridge.orders.database import Database
from stacbridge.orders.desk import Desk
from stacbridge.orders.notices import FIRST_PAUSE
from stacbridge.settings import Settings
from tests.api.archive import alpha
from tests.orders.archives import DAY, Bench, Script
from tests.orders.hooks import SECRET, finished, notices, tell_all
from tests.orders.waiting import until
from tests.servers import Answer, in_turn, serving


def test_a_webhook_that_fails_is_called_again_ever_more_rarely_and_then_given_up(database: Database) -> None:
    with serving(in_turn(Answer(500))) as server:
        bench = finished(database, server.url)
        told = notices(bench)
        for _ in range(int(2 * DAY / 60)):
            told.tell()
            bench.clock.now += 60
        assert 24 < len(server.seen) < 36


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
