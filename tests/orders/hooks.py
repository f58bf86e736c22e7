"""Webhooks of orders, told by hand."""

from typing import Any

from pydantic import SecretStr

from stacbridge.model import Progress
from stacbridge.orders.database import Database
from stacbridge.orders.notices import Notices
from stacbridge.orders.webhooks import Webhooks
from stacbridge.settings import Settings
from tests.orders.archives import Bench, Script

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
