"""A user name and password with every request (RFC 7617): `flow = "basic"`."""

from base64 import b64encode
from dataclasses import dataclass, field
from math import inf

from stacbridge.access.account import Account
from stacbridge.access.flows import Flow
from stacbridge.access.logins import Scheme, Token, never
from stacbridge.access.terms import Given, Terms


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """The credential of an account, which is its own token and asks nobody."""

    account: Account = field(repr=False)

    def obtain(self, refresh: str | None, at: float) -> Flow[Token]:
        """Return user name and password in base64. Raises `Misconfigured` without either."""
        username, password = self.account.pair()
        yield from ()
        return Token(b64encode(f"{username}:{password}".encode()).decode(), inf)


def parse(given: Given) -> Terms:
    """Read the flow's table, which has no keys of its own."""
    account = Account(given.catalogue, given.credentials)
    return Terms(
        given.hosts,
        given.locate,
        given.ordering,
        BasicLogin(account),
        Scheme("Basic"),
        never,
        given.public,
        searches=given.searches,
        remarks=account.remarks,
    )
