"""Telling those who asked for it that an order has finished: one signed POST, to listed hosts alone."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter

from stacbridge.errors import BadRequest
from stacbridge.orders.agenda import Agenda
from stacbridge.orders.records import Notice
from stacbridge.settings import Settings

FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0
"""Seconds before a webhook is called again, doubled each time up to the second."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Calls the hosts of the setting `webhook_hosts`, with `webhook_secret`.

    The body is JSON. `Stacbridge-Signature: t=<Unix seconds>,v1=<hex>` holds HMAC-SHA256 of `<t>.<body>`.
    Any 2xx is an answer; redirects are not followed, and nothing of the answer is read.
    """

    settings: Settings

    def checked(self, url: str | None) -> str | None:
        """Return a webhook that may be called. Raises `BadRequest` for any other."""
        if url is None:
            return None
        if self.settings.webhook_secret is None or not self.settings.webhook_hosts:
            raise BadRequest("This bridge calls no webhooks.", parameter="webhook")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise BadRequest("webhook is not a URL.", parameter="webhook") from None
        listed = host in self.settings.webhook_hosts or f"{host}:{port}" in self.settings.webhook_hosts
        secure = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
        if not listed or not secure or parts.username is not None:
            raise BadRequest(
                "webhook must be an https URL of a host that the operator lists.",
                parameter="webhook",
                advice="The setting webhook_hosts lists them.",
            )
        return url

    def tell(self, agenda: Agenda, now: Callable[[], float], lease: float) -> bool:
        """Make the call that is due longest; False where none is."""
        notice = agenda.due_notice(now(), lease)
        if notice is None:
            return False
        if self._called(notice, now()):
            agenda.settle_notice(notice, None)
        else:
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(notice.tries - 1, 30))
            late = now() + pause > notice.since + self.settings.webhook_seconds
            agenda.settle_notice(notice, None if late else now() + pause)
        return True

    def _called(self, notice: Notice, now: float) -> bool:
        if self.settings.webhook_secret is None:
            return False
        body = orjson.dumps(told(notice))
        stamp = str(int(now))
        key = self.settings.webhook_secret.get_secret_value().encode()
        signature = hmac.digest(key, f"{stamp}.".encode() + body, "sha256").hex()
        headers = {"Content-Type": "application/json", "Stacbridge-Signature": f"t={stamp},v1={signature}"}
        request = requests.Request("POST", notice.webhook, headers=headers, data=body).prepare()
        timeout = (self.settings.connect_timeout, self.settings.read_timeout)
        adapter = HTTPAdapter(max_retries=0)
        try:
            with adapter.send(request, stream=True, timeout=timeout) as reply:
                return 200 <= reply.status_code < 300
        except requests.RequestException:
            return False
        finally:
            adapter.close()


def told(notice: Notice) -> dict[str, str | None]:
    """Return what a webhook is told of an order."""
    order = notice.order
    return {
        "id": order.id,
        "status": order.status,
        "collection": order.product.collection,
        "item": order.product.item,
        "reason": order.product.reason,
        "href": notice.url,
    }
