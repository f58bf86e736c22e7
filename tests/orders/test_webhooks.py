"""Webhooks: signed, and of listed hosts alone, which lead to no others."""

import hmac
from typing import Any

import orjson
import pytest

from stacbridge.errors import BadRequest
from stacbridge.orders.database import Database
from stacbridge.simulators.chaos import Act, Chaos
from tests.orders.hooks import SECRET, finished, notices, tell_all, webhooks
from tests.servers import Answer, Seen, in_turn, serving
from tests.unit.scripted_upstream import tls


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
