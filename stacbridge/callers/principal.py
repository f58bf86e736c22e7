"""The one who asks, carried with the request that is being answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from stacbridge.errors import Unauthorized
from stacbridge.settings import Settings

Mode = Literal["open", "anonymous", "key", "oidc", "signed"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and how we know.

    `id` is stable, short, and made of `[a-z0-9]`, so that it may stand in URLs and names of files; `name` is
    for persons. Whoever comes by a signed href has the id of the one who had it signed.
    """

    id: str
    name: str
    mode: Mode

    @property
    def known(self) -> bool:
        """Whether they have proven who they are."""
        return self.mode in ("key", "oidc", "signed")


EVERYBODY = Principal("everybody", "everybody", "open")
"""Whoever reaches a bridge that asks nobody."""
ANONYMOUS = Principal("anonymous", "nobody we know", "anonymous")
"""Whoever gave no credential to a bridge that wants one for some of its resources."""

_caller: ContextVar[Principal] = ContextVar("caller", default=ANONYMOUS)


def caller() -> Principal:
    """Return who asks what is being answered; nobody we know, outside of requests."""
    return _caller.get()


@contextmanager
def acting(principal: Principal) -> Iterator[None]:
    """Answer as asked by `principal`, as long as the block lasts; for requests, and work done after them."""
    before = _caller.set(principal)
    try:
        yield
    finally:
        _caller.reset(before)


def scope_of(principal: Principal, catalogue: str, settings: Settings) -> str:
    """Return whose account at `catalogue` serves `principal`: the key of caches, spools, slots and orders.

    One for all where the bridge has a service account there; where callers bring accounts of their own, one
    for each. What was got under one scope is never given out under another. Raises `Unauthorized` where the
    account must be the caller's own and the caller is not known.
    """
    if settings.accounts.get(catalogue, "service") == "service":
        return catalogue
    if not principal.known:
        raise Unauthorized(
            f"{catalogue} is asked with accounts of callers, and you have not said who you are.",
            advice="Send an API key or a token of the bridge's identity provider.",
        )
    return f"{catalogue}@{principal.id}"
