"""What a catalogue's `[access]` table comes to: where its bytes are, who may see its credential, and how that
is had.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from stacbridge.access.flows import Flow
from stacbridge.access.logins import BEARER, Expired, Login, Scheme, Token, unauthorized
from stacbridge.access.ordering import Ordering
from stacbridge.access.storage import Storage
from stacbridge.access.variables import setting
from stacbridge.mapping.products import Place
from stacbridge.mapping.tables import Table
from stacbridge.model import Json, Pending, Ready, Request
from stacbridge.settings import Credentials
from stacbridge.wire.hosts import Hosts

Locate = Callable[[Json, Place], Flow[Ready | Pending]]
"""Says where the bytes of a record's file are, asking upstream only what costs nobody anything."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What `check` tells of an account: `good` is None where that is only to be known, not to be judged."""

    good: bool | None
    said: str


Remarks = Callable[[float], list[Remark]]
"""Judges an account at a Unix time, without asking anybody and without repeating a secret."""


def no_account(at: float) -> list[Remark]:
    """Remark that nobody needs an account here."""
    return [Remark(None, "It needs none.")]


class Attempt(Protocol):
    """One attempt of a person to sign in with a browser."""

    @property
    def url(self) -> str:
        """The page where the person signs in."""
        ...

    def is_answered_by(self, answer: Mapping[str, str]) -> bool:
        """Tell whether parameters that came back belong to this attempt."""
        ...

    def obtain(self, answer: Mapping[str, str]) -> Flow[Token]:
        """Return the token that the answer leads to, which has a refresh token."""
        ...


class SignIn(Protocol):
    """A way to sign in with a browser."""

    def start(self, redirect: str) -> Attempt:
        """Start an attempt whose answer comes to the URL `redirect`."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """A checked table, as a flow read it.

    `login` is the way to a token (`None`: nothing is wanted), `scheme` how requests carry it, `expired` how
    the upstream refuses one that was good. `public` tells URLs of trusted servers that want none.
    With `searches` the catalogue wants it for its searches, too. For persons, `ways` are how they may sign
    in, the usual one first: "password", "token" (fetched at `token_page`), "browser". `end` makes the request
    that ends the session of a refresh token; with `lasting` it is its holder's, and outlives the bridge.
    `ordering` is how bytes that are offline are ordered, `storage` where single files are had with another
    key.
    """

    hosts: Hosts
    locate: Locate
    ordering: Ordering
    login: Login | None = None
    scheme: Scheme = BEARER
    expired: Expired = unauthorized
    public: Callable[[str], bool] = lambda url: False
    searches: bool = False
    remarks: Remarks = no_account
    ways: tuple[str, ...] = ("password",)
    browser: "SignIn | None" = None
    token_page: str | None = None
    end: Callable[[str], Request] | None = None
    lasting: bool = False
    storage: Storage | None = None

    def wants_token(self, url: str) -> bool:
        """Tell whether a request to `url` should carry the credential, and may."""
        return self.login is not None and self.hosts.may_see_credential(url) and not self.public(url)


@dataclass(frozen=True, slots=True)
class Given:
    """What a flow makes `Terms` of: its own keys in `table`, and what all flows share, read already."""

    catalogue: str
    table: Table
    endpoints: Mapping[str, str]
    credentials: Credentials
    hosts: Hosts
    locate: Locate
    ordering: Ordering
    public: Callable[[str], bool]
    searches: bool

    def endpoint(self, name: str) -> str:
        """Return the URL of an endpoint that the flow needs. Raises `Misconfigured`."""
        if name not in self.endpoints:
            raise self.table.wrong("endpoints", f"{name!r} is no endpoint of this catalogue")
        return self.endpoints[name]

    def setting(self, member: str) -> str:
        """Return the name of the setting that holds a member of the account."""
        return setting(self.catalogue, member)
