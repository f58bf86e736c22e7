"""What a webhook is told of an order that has finished: one signed POST, to listed hosts alone."""

import asyncio
import hmac
import ssl
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import aiohttp
import orjson
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from yarl import URL

from stacbridge.errors import BadRequest
from stacbridge.orders.records import Notice
from stacbridge.settings import Settings

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

    def call(self, notice: Notice, now: float) -> int | None:
        """Call the webhook of a notice, and return the answer's status.

        `None` where there was no answer within `webhook_timeout` seconds in all, however slowly it came.
        """
        if self.settings.webhook_secret is None:
            return None
        body = orjson.dumps(told(notice))
        stamp = str(int(now))
        key = self.settings.webhook_secret.get_secret_value().encode()
        signature = hmac.digest(key, f"{stamp}.".encode() + body, "sha256").hex()
        headers = {"Content-Type": "application/json", "Stacbridge-Signature": f"t={stamp},v1={signature}"}
        try:
            return asyncio.run(_status(notice.webhook, body, headers, self.settings.webhook_timeout))
        except (aiohttp.ClientError, OSError, ValueError):
            return None


async def _status(url: str, body: bytes, headers: dict[str, str], seconds: float) -> int:
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(
            URL(url, encoded=True), data=body, headers=headers, allow_redirects=False, ssl=_trusted()
        ) as reply,
    ):
        return reply.status


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


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
