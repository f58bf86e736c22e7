"""What is known of an account's login, and where processes that use the account share it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from stacbridge.access.logins import Token


@dataclass(frozen=True, slots=True)
class Session:
    """A login as it stands. Times are of the monotonic clock, so that nobody's wall clock matters.

    `asked_at` is when the token was asked for; until `refused_until` nobody logs in, since the upstream
    refused the account and answered `answered`.
    """

    token: Token | None = field(default=None, repr=False)
    asked_at: float = -inf
    refused_until: float = -inf
    answered: str | None = None

    def left(self, now: float) -> float:
        """Return the seconds that the token is good for."""
        return -inf if self.token is None else self.asked_at + self.token.life - now

    def refresh(self, now: float) -> str | None:
        """Return the refresh token while it is good."""
        if self.token is None or now >= self.asked_at + self.token.refresh_life:
            return None
        return self.token.refresh


class Sessions(Protocol):
    """Where the processes that use one account share its session."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep all other processes from logging in as long as the block lasts."""
        ...

    def read(self) -> Session | None:
        """Return the session as the last process left it."""
        ...

    def write(self, session: Session) -> None:
        """Tell the other processes, and those to come, of the session."""
        ...

    def leave(self) -> bool:
        """Use the session no longer; tell whether nobody else does."""
        ...


class Unshared:
    """The session of one process alone, which ends with it."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep nobody from anything: nobody else is there."""
        yield

    def read(self) -> Session | None:
        """Return nothing: nobody else wrote."""
        return None

    def write(self, session: Session) -> None:
        """Tell nobody."""

    def leave(self) -> bool:
        """Tell that nobody else uses it."""
        return True
