"""One token per account, shared by all threads and renewed by one of them."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from threading import Lock

from stacbridge.access.flows import Send, drive
from stacbridge.access.logins import Login, Token
from stacbridge.errors import StacbridgeError, UpstreamError

log = logging.getLogger(__name__)


class TokenBroker:
    """Keeps the token of one account: of all threads that ask, one renews it and the others share it.

    A token is renewed `margin` seconds before its end (half its life, if that is less), and is still given
    out until its end while the provider is down. Lives are counted on the monotonic `clock` from before the
    token was asked for, so that nobody's wall clock matters; `wall` is the Unix time, for second factors.
    Failures reach all who wait and are not remembered. `keep` is told each new refresh token; where it fails,
    the token is good all the same.
    """

    def __init__(
        self,
        login: Login,
        send: Send,
        margin: float,
        *,
        keep: Callable[[str], None] = lambda refresh: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._login = login
        self._send = send
        self._margin = margin
        self._keep = keep
        self._clock = clock
        self._wall = wall
        self._lock = Lock()
        self._token: Token | None = None
        self._asked_at = -inf
        self._refused = False
        self._flight: Future[str] | None = None

    def token(self) -> str:
        """Return an access token that is good for a while."""
        with self._lock:
            if self._token and self._left() > min(self._margin, self._token.life / 2):
                return self._token.access
            flight, leads = self._join()
        if leads:
            self._renew(flight)
        try:
            return flight.result()
        except UpstreamError:
            with self._lock:
                if self._token and self._left() > 0:
                    return self._token.access
            raise

    def renewed(self, refused: str) -> str:
        """Return another access token than `refused`; all who hold that one share the new one."""
        with self._lock:
            if self._token and self._token.access == refused:
                self._refused = True
        return self.token()

    def _left(self) -> float:
        """Seconds that the token is good for; none once it was refused."""
        if self._token is None or self._refused:
            return -inf
        return self._asked_at + self._token.life - self._clock()

    def _join(self) -> tuple[Future[str], bool]:
        if self._flight is not None:
            return self._flight, False
        self._flight = Future()
        return self._flight, True

    def _renew(self, flight: Future[str]) -> None:
        asked_at = self._clock()
        try:
            token = drive(self._login.obtain(self._good_refresh(asked_at), self._wall()), self._send)
        except BaseException as error:
            with self._lock:
                self._flight = None
            flight.set_exception(error)
            return
        with self._lock:
            before, self._token = self._token, token
            self._asked_at, self._refused, self._flight = asked_at, False, None
        flight.set_result(token.access)
        if token.refresh and (before is None or before.refresh != token.refresh):
            self._tell(token.refresh)

    def _tell(self, refresh: str) -> None:
        try:
            self._keep(refresh)
        except StacbridgeError as failure:
            log.warning("A new refresh token could not be kept: %s", failure)

    def _good_refresh(self, now: float) -> str | None:
        token = self._token
        good = token is not None and now < self._asked_at + token.refresh_life
        return token.refresh if token is not None and good else None
