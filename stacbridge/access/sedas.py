"""The account of SeDAS, and its long-term archive: `flow = "sedas"`.

Login, `Token` scheme, orders and polls are those of the published client, sedas-pyapi 0.5.0. Of what the
client does not read (states of an order, how long it takes, how long a staged copy stays) nothing is known.
"""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import orjson

from stacbridge import scalars
from stacbridge.access.account import Account
from stacbridge.access.flows import Flow
from stacbridge.access.logins import Scheme, Token
from stacbridge.access.ordering import check_taken, unclear
from stacbridge.access.terms import Given, Terms
from stacbridge.errors import Misconfigured, UpstreamError, UpstreamRefused, UpstreamUnavailable
from stacbridge.mapping.products import Place
from stacbridge.model import Json, Pending, Progress, Ready, Reply, Request
from stacbridge.wire.answers import read_json
from stacbridge.wire.refusals import refusal

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
LEAST_LIFE = 60.0
"""Seconds that a token which was just given is taken to be good at least, whatever the clocks say."""
UNSTATED_LIFE = 300.0
"""Seconds that a token is kept of which SeDAS does not say until when it is valid."""
RETRY_AFTER = 900
"""Seconds after which to ask again for a product in the long-term archive; how long staging takes is not
published."""
GONE = b"user token does not exist"


@dataclass(frozen=True, slots=True)
class SedasLogin:
    """The login of one account, by user name and password alone: SeDAS knows no refresh token."""

    account: Account = field(repr=False)
    endpoint: str

    def obtain(self, refresh: str | None, at: float) -> Flow[Token]:
        """Return a new token; `at` is the Unix time, by which `validUntil` is measured where the answer has
        no `Date`.

        Raises `Misconfigured` without user name and password, `UpstreamRefused` where SeDAS refuses them,
        `UpstreamError` for an answer that is no token.
        """
        username, password = self._pair()
        body = orjson.dumps({"username": username, "password": password})
        reply = yield Request("POST", self.endpoint, headers=JSON, body=body)
        if reply.status != 200:
            raise self._refused(reply)
        match _document(reply):
            case {"token": str(token), **rest} if token:
                return Token(token, _life(rest.get("validUntil"), reply, at))
        raise UpstreamError(
            f"{self.account.catalogue} answered a login with something that is not a token.",
            upstream=self.account.catalogue,
            asked=f"POST {self.endpoint}",
            answered=f"HTTP {reply.status}, {len(reply.body)} bytes without token",
            advice="Check the catalogue's endpoint `token`.",
        )

    def _pair(self) -> tuple[str, str]:
        username, password = self.account.credentials.username, self.account.credentials.password
        if username is None or password is None:
            names = " and ".join(map(self.account.setting, ("username", "password")))
            raise Misconfigured(
                f"{self.account.catalogue} answers nothing without an account, searches included.",
                upstream=self.account.catalogue,
                advice=f"Set {names}, or run `stacbridge login {self.account.catalogue}`.",
            )
        return username, password.get_secret_value()

    def _refused(self, reply: Reply) -> UpstreamError:
        upstream, names = self.account.catalogue, map(self.account.setting, ("username", "password"))
        failure: UpstreamError
        if reply.status in (408, 429) or reply.status >= 500:
            failure = UpstreamUnavailable(f"{upstream} gives no tokens for now.", advice="Try again later.")
        else:
            failure = UpstreamRefused(
                f"{upstream} refuses the account.", advice=f"Check {' and '.join(names)}."
            )
        failure.upstream, failure.asked = upstream, f"POST {self.endpoint}"
        failure.answered = f"HTTP {reply.status}"  # its words may echo the login
        return failure


@dataclass(frozen=True, slots=True)
class LongTermArchive:
    """Products at hand, and those that must be ordered first. `url` is SeDAS's own, up to `/api`."""

    upstream: str
    url: str
    retry_after: int = RETRY_AFTER
    finds: bool = False

    def is_online(self, record: Json) -> bool:
        """Tell whether SeDAS gave a URL for a product's bytes."""
        return record["DownloadUrl"] is not None

    def locate(self, record: Json, place: Place) -> Flow[Ready | Pending]:
        """Return where the bytes of a product are, `Pending` while they are in the long-term archive.

        Nothing is ordered: that is for who asks for it, by `order`.
        """
        yield from ()
        url = place.url if place.kind == "file" else record["DownloadUrl"]
        if url is None:
            return Pending(
                f"{place.product_name} is in the long-term archive of {self.upstream}. "
                "It downloads here once it has been ordered and brought back.",
                self.retry_after,
            )
        at_hand = place.kind == "file"
        return Ready(Request("GET", url), place.name, place.media_type, size=place.size, at_hand=at_hand)

    def find(self, record: Json) -> Flow[Progress | None]:
        """Return nothing: SeDAS tells of orders by their ids alone."""
        yield from ()
        return None

    def order(self, record: Json) -> Flow[Progress]:
        """Order a product (by its `supplierId`) from the long-term archive.

        Raises `UpstreamError` for an answer without the order's id, and as `check_taken` does.
        """
        product = quote(record["Name"], safe="")
        request = Request("POST", f"{self.url}/request/{product}", headers=JSON, body=b"")
        reply = yield request
        check_taken(self.upstream, request, reply)
        match read_json(reply, self.upstream):
            case {"requestId": str(order)} if order:
                return Progress(order, "ordered", retry_after=self.retry_after)
        raise unclear(self.upstream, request, reply, "an order without its id")

    def poll(self, order: str) -> Flow[Progress]:
        """Return how an order stands: SeDAS answers a list, whose entry has a `downloadUrl` at the end.

        Raises `UpstreamError` for an answer that is no list. An order that is not in the list is not known;
        whether SeDAS lists a new one at once is not.
        """
        request = Request("GET", f"{self.url}/request", (("ids", order),), JSON)
        reply = yield request
        if reply.status != 200:
            raise refusal(self.upstream, request, reply)
        entries = read_json(reply, self.upstream)
        if not isinstance(entries, list):
            raise unclear(self.upstream, request, reply, "orders as something that is not a list")
        for entry in entries:
            if isinstance(entry, dict) and entry.get("requestId", order) == order:
                staged = scalars.text(entry.get("downloadUrl")) is not None
                return Progress(order, "succeeded" if staged else "ordered", retry_after=self.retry_after)
        return Progress(order, None)


def expired(reply: Reply) -> bool:
    """Tell an expired token: SeDAS answers 401, 403, or 400 with "User token does not exist"."""
    return reply.status in (401, 403) or (reply.status == 400 and GONE in reply.body.lower())


def parse(given: Given) -> Terms:
    """Read the flow's table, which has no keys of its own; needs the endpoints `token` and `catalogue`."""
    account = Account(given.catalogue, given.credentials)
    archive = LongTermArchive(given.catalogue, given.endpoint("catalogue"))
    return Terms(
        given.hosts,
        archive.locate,
        archive,
        SedasLogin(account, given.endpoint("token")),
        Scheme("Token"),
        expired,
        given.public,
        given.searches,
        account.remarks,
    )


def _document(reply: Reply) -> object:
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return None


def _life(until: object, reply: Reply, at: float) -> float:
    """Return the seconds until `validUntil`, by the server's own clock where it tells it."""
    end = scalars.instant(until)
    if end is None:
        return UNSTATED_LIFE
    return max(LEAST_LIFE, end.timestamp() - (_date(reply) or at))


def _date(reply: Reply) -> float | None:
    try:
        moment: datetime = parsedate_to_datetime(reply.headers["date"])
    except (KeyError, ValueError):
        return None
    return moment.timestamp()
