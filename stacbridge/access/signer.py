"""Puts an account's credential on requests, under the terms of its catalogue."""

import time
from collections.abc import Callable

from stacbridge.access.flows import Send
from stacbridge.access.sessions import Sessions
from stacbridge.access.storage import Storage
from stacbridge.access.terms import Terms
from stacbridge.access.tokens import Pauses, TokenBroker
from stacbridge.errors import StacbridgeError
from stacbridge.model import Reply


class Signer:
    """Gives headers for URLs; all threads share one token, which is asked for over `send`.

    `keep` is told each new refresh token, where the provider replaces them.
    """

    def __init__(
        self,
        terms: Terms,
        send: Send,
        margin: float,
        *,
        sessions: Sessions | None = None,
        pauses: Pauses | None = None,
        keep: Callable[[str], None] = lambda refresh: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._terms = terms
        self._broker = (
            TokenBroker(
                terms.login,
                send,
                margin,
                sessions=sessions,
                pauses=pauses,
                keep=keep,
                clock=clock,
                wall=wall,
            )
            if terms.login
            else None
        )

    def log_in(self) -> None:
        """Get a token, where one is needed."""
        if self._broker is not None:
            self._broker.token()

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        """Return the headers that let the account into `url`; none for servers that may not see its token."""
        if (broker := self._broker_for(url)) is None:
            return self._without_token(url, method)
        return self._terms.scheme.headers(broker.token())

    def authorized(self, url: str, method: str = "GET") -> dict[str, str] | None:
        """Return what `authorize` would, unless a token has to be got for it. Waits for nobody."""
        if (broker := self._broker_for(url)) is None:
            return self._without_token(url, method)
        token = broker.fresh()
        return None if token is None else self._terms.scheme.headers(token)

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        """Return fresh headers after the upstream refused those given; one token call for all who ask."""
        if (broker := self._broker_for(url)) is None:
            return self._without_token(url, method)
        scheme = self._terms.scheme
        return scheme.headers(broker.renewed(scheme.token(refused)))

    def expired(self, reply: Reply) -> bool:
        """Tell whether an answer means that the token is good no more."""
        return self._terms.expired(reply)

    def failure(self) -> StacbridgeError | None:
        """Return why nobody logs in for now, where that is so."""
        return None if self._broker is None else self._broker.failure()

    def close(self) -> None:
        """Use the session no longer; the last who does ends it upstream, unless it is the holder's own."""
        if self._broker is not None:
            self._broker.close(None if self._terms.lasting else self._terms.end)

    def _broker_for(self, url: str) -> TokenBroker | None:
        wants = self._storage_of(url) is None and self._terms.wants_token(url)
        return self._broker if wants else None

    def _without_token(self, url: str, method: str) -> dict[str, str]:
        storage = self._storage_of(url)
        return {} if storage is None else storage.headers(method, url)

    def _storage_of(self, url: str) -> Storage | None:
        storage = self._terms.storage
        return storage if storage is not None and storage.holds(url) else None
