"""Webhooks: signed, to listed hosts alone, called again until they answer."""

import hmac
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from stacbridge.errors import BadRequest
from stacbridge.model import Progress
from stacbridge.orders.database import Database
from stacbridge.orders.webhooks import Webhooks
from stacbridge.settings import Settings
from tests.orders.archives import DAY, LEASE, Bench, Script
from tests.servers import Answer, Seen, in_turn, serving

SECRET = "canary-webhook-secret"


def webhooks(**given: Any) -> Webhooks:
    members = {"webhook_hosts": ["127.0.0.1", "hooks.example:8443"], "webhook_secret": SecretStr(SECRET)}
    return Webhooks(Settings(**{**members, **given}))


def finished(database: Database, webhook: str, *others: str) -> Bench:
    """An order with a webhook, whose product has come."""
    bench = Bench(database, Script(place_answers=[Progress("O-1", "succeeded")]))
    url = "http://bridge/orders/1"
    bench.book.place([bench.key()], "ada", bench.clock(), lambda id: url, webhook=webhook)
    bench.work()
    return bench


def tell(bench: Bench, hooks: Webhooks) -> bool:
    return hooks.tell(bench.agenda, bench.clock, LEASE)


def test_who_asked_is_told_once_by_a_signed_post(database: Database) -> None:
    with serving(in_turn(Answer(204))) as server:
        bench = finished(database, f"{server.url}/hook")
        assert tell(bench, webhooks())
        assert not tell(bench, webhooks())
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/hook")
    told = orjson.loads(seen.body)
    assert (told["status"], told["item"], told["href"]) == ("succeeded", "A", "http://bridge/orders/1")
    assert signed(seen)


def signed(seen: Seen) -> bool:
    parts = dict(part.split("=") for part in seen.headers["stacbridge-signature"].split(","))
    expected = hmac.digest(SECRET.encode(), f"{parts['t']}.".encode() + seen.body, "sha256").hex()
    return hmac.compare_digest(expected, parts["v1"])


def test_a_webhook_that_fails_is_called_again_ever_more_rarely_and_then_given_up(database: Database) -> None:
    with serving(in_turn(Answer(500))) as server:
        bench = finished(database, server.url)
        hooks = webhooks()
        for _ in range(int(2 * DAY / 60)):
            tell(bench, hooks)
            bench.clock.now += 60
        assert 24 < len(server.seen) < 36


@pytest.mark.parametrize("status", [301, 302, 307, 404])
def test_a_redirect_is_not_followed_and_no_answer(database: Database, status: int) -> None:
    with serving(in_turn(Answer(200))) as other:
        elsewhere = Answer(status, headers={"Location": other.url})
        with serving(in_turn(elsewhere, Answer(200))) as server:
            bench = finished(database, server.url)
            tell(bench, webhooks())
            bench.clock.now += 61
            tell(bench, webhooks())
            assert (len(server.seen), other.seen) == (2, [])


def test_a_cancelled_order_is_told_to_nobody(database: Database) -> None:
    bench = Bench(database, Script())
    (order,) = bench.book.place([bench.key()], "ada", bench.clock(), str, webhook="http://127.0.0.1:9/")
    bench.book.cancel(order, bench.clock())
    bench.wait(60)
    assert not tell(bench, webhooks())


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
