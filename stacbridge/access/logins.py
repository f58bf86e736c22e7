"""What a way to a credential comes to: a token, how long it lives, and how it stands in a request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from stacbridge.access.flows import Flow
from stacbridge.model import Reply
from stacbridge.wire.answers import is_for_others


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the means to renew it. Lives are in seconds from when the token was asked for."""

    access: str = field(repr=False)
    life: float
    refresh: str | None = field(default=None, repr=False)
    refresh_life: float = 0


class Login(Protocol):
    """A way to a token."""

    def obtain(self, refresh: str | None, at: float) -> Flow[Token]:
        """Return a new token, by `refresh` while that is good; `at` is the Unix time."""
        ...


@dataclass(frozen=True, slots=True)
class Scheme:
    """The header that carries a token: `Authorization: Bearer …`, `X-API-Key: …` (with no `word`)."""

    word: str
    header: str = "Authorization"

    def headers(self, token: str) -> dict[str, str]:
        """Return the header with that token."""
        return {self.header: f"{self.word} {token}".strip()}

    def token(self, headers: dict[str, str]) -> str:
        """Return the token in a header made here, empty where there is none."""
        return headers.get(self.header, "").removeprefix(self.word).strip()


BEARER = Scheme("Bearer")

Expired = Callable[[Reply], bool]
"""Tells whether an upstream refuses a token that it gave itself, so that a new one is worth asking for."""


def unauthorized(reply: Reply) -> bool:
    """Tell a refused token by status 401, as RFC 6750 has it; another token of the same login would be for
    the same audience.
    """
    return reply.status == 401 and not is_for_others(reply)


def never(reply: Reply) -> bool:
    """Tell of a credential that no login can renew."""
    return False
