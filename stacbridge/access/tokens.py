"""One token per account, shared by all threads and processes and renewed by one of them."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from math import ceil, inf
from threading import Lock, Thread

from stacbridge.access.flows import Send, drive
from stacbridge.access.logins import Login
from stacbridge.access.sessions import Session, Sessions, Unshared
from stacbridge.errors import (
    LoginRefused,
    StacbridgeError,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
)
from stacbridge.model import Request

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that one who asks waits for a renewal while the token is good all the same."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds between two logins that fail: after a refusal, and after the first other failure, then doubled
    up to `most`.
    """

    refused: float = 900
    first: float = 1
    most: float = 30


class TokenBroker:
    """Keeps the token of one account: of all threads that ask, one renews it and the others share it.

    A token is renewed `margin` seconds before its end (half its life, if that is less), and is still given
    out until its end while the provider is down or slow. Lives are counted on the monotonic `clock` from
    before the token was asked for, so that nobody's wall clock matters; `wall` is the Unix time, for second
    factors. Over `sessions` the processes of an account share one token, and a restart finds it again.

    Failures reach all who wait. `pauses` says when the provider is asked again; until then all who need a
    token get the same failure, with the time that is left: `LoginRefused` where the account is not taken
    (so that trying does not lock it), else `UpstreamUnavailable`.

    `keep` is told each new refresh token; where it fails, the token is good all the same.
    """

    def __init__(
        self,
        login: Login,
        send: Send,
        margin: float,
        *,
        sessions: Sessions | None = None,
        pauses: Pauses | None = None,
        keep: Callable[[str], None] = lambda refresh: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._login = login
        self._send = send
        self._margin = margin
        self._sessions = sessions or Unshared()
        self._pauses = pauses or Pauses()
        self._keep = keep
        self._clock = clock
        self._wall = wall
        self._lock = Lock()
        self._session = Session()
        self._refused: str | None = None
        self._failures = 0
        self._resting: tuple[float, UpstreamError] | None = None
        self._flight: Future[str] | None = None

    def token(self) -> str:
        """Return an access token that is good for a while. Raises `Misconfigured`, `UpstreamError`."""
        with self._lock:
            good = self._good()
            if good and self._is_fresh():
                return good
            if failure := self.failure():
                if good:
                    return good
                raise failure
            flight, leads = self._join()
        if leads:
            Thread(target=self._renew, args=[flight], name="login", daemon=True).start()
        elif good:
            return good
        return self._awaited(flight, good)

    def fresh(self) -> str | None:
        """Return the token where it is good and needs no renewal yet, else `None`. Waits for nobody."""
        with self._lock:
            return self._good() if self._is_fresh() else None

    def renewed(self, refused: str) -> str:
        """Return another access token than `refused`; all who hold that one share the new one."""
        with self._lock:
            self._refused = refused
        return self.token()

    def failure(self) -> UpstreamError | None:
        """Return why nobody logs in for now, where that is so."""
        if self._resting is None:
            return None
        until, failure = self._resting
        left = until - self._clock()
        return replace(failure, retry_after=ceil(left)) if left > 0 else None

    def close(self, end: Callable[[str], Request] | None) -> None:
        """Use the session no longer; the last who does ends it upstream with `end`'s request, if any."""
        with self._lock:
            used, session = self._session.token is not None, self._session
            self._session = Session()
        if not used or end is None:
            self._sessions.leave()
            return
        with self._sessions.alone():
            session = self._sessions.read() or session
            if not self._sessions.leave():
                return
            refresh = session.refresh(self._clock())
            if refresh is not None:
                self._end(end(refresh))
            self._sessions.write(Session(refused_until=session.refused_until, answered=session.answered))

    def _end(self, request: Request) -> None:
        """Tell the provider, and wait a moment for its answer: a bridge that stops has no more."""
        telling = Thread(target=self._tell_of_end, args=[request], name="logout", daemon=True)
        telling.start()
        telling.join(PATIENCE)

    def _tell_of_end(self, request: Request) -> None:
        try:
            self._send(request)
        except StacbridgeError as failure:
            log.warning("A session goes on until it ends by itself: %s", failure)

    def _good(self) -> str | None:
        token = self._session.token
        if token is None or token.access == self._refused or self._session.left(self._clock()) <= 0:
            return None
        return token.access

    def _is_fresh(self) -> bool:
        token = self._session.token
        return token is not None and self._session.left(self._clock()) > min(self._margin, token.life / 2)

    def _join(self) -> tuple[Future[str], bool]:
        if self._flight is not None:
            return self._flight, False
        self._flight = Future()
        return self._flight, True

    def _awaited(self, flight: Future[str], good: str | None) -> str:
        try:
            return flight.result(PATIENCE if good else None)
        except TimeoutError:
            assert good is not None
            return good
        except UpstreamError:
            with self._lock:
                if still := self._good():
                    return still
            raise

    def _renew(self, flight: Future[str]) -> None:
        try:
            with self._sessions.alone():
                access, told = self._found() or self._obtained()
        except UpstreamError as failure:
            self._failed(flight, failure)
        except BaseException as error:
            with self._lock:
                self._flight = None
            flight.set_exception(error)
        else:
            with self._lock:
                self._flight, self._resting, self._failures = None, None, 0
            flight.set_result(access)
            if told is not None:
                self._tell(told)

    def _found(self) -> tuple[str, None] | None:
        """Return the token that another process got meanwhile. Raises `LoginRefused` where it got none."""
        shared = self._sessions.read()
        if shared is None:
            return None
        with self._lock:
            if shared.asked_at > self._session.asked_at:
                self._session = shared
            good = self._good()
            if good and self._is_fresh():
                return good, None
        if shared.refused_until > self._clock():
            left = shared.refused_until - self._clock()
            raise LoginRefused(
                "The upstream refused this account a moment ago.",
                answered=shared.answered,
                retry_after=ceil(left),
            )
        return None

    def _obtained(self) -> tuple[str, str | None]:
        """Log in, and return the access token, and the refresh token where it is a new one."""
        now = self._clock()
        before = self._session.token
        token = drive(self._login.obtain(self._session.refresh(now), self._wall()), self._send)
        session = Session(token, now)
        with self._lock:
            self._session, self._refused = session, None
        if token.life < inf:
            self._sessions.write(session)
        is_new = before is None or before.refresh != token.refresh
        return token.access, token.refresh if is_new else None

    def _failed(self, flight: Future[str], failure: UpstreamError) -> None:
        """Let the provider rest, and tell all who wait."""
        refused = isinstance(failure, UpstreamRefused)
        with self._lock:
            seconds = self._pauses.refused if refused else self._pause(failure.retry_after)
            if isinstance(failure, LoginRefused) and failure.retry_after is not None:
                seconds = failure.retry_after
            told = _told(failure, seconds)
            until = self._clock() + seconds
            self._resting, self._flight = (until, told), None
            session = self._session = replace(
                self._session, refused_until=until if refused else -inf, answered=told.answered
            )
        if refused and not isinstance(failure, LoginRefused):
            log.error("The login is not tried again for %d s. %s", seconds, told)
            with self._sessions.alone():
                self._sessions.write(session)
        flight.set_exception(told)

    def _pause(self, wanted: int | None) -> float:
        self._failures += 1
        own = self._pauses.first * 2.0 ** min(self._failures - 1, 30)
        return min(self._pauses.most, max(own, wanted or 0))

    def _tell(self, refresh: str) -> None:
        try:
            self._keep(refresh)
        except StacbridgeError as failure:
            log.warning("A new refresh token could not be kept: %s", failure)


def _told(failure: UpstreamError, seconds: float) -> UpstreamError:
    """Return the failure as who needs a token hears of it: it may pass, after so many seconds."""
    kind = LoginRefused if isinstance(failure, UpstreamRefused) else UpstreamUnavailable
    return kind(
        failure.description,
        upstream=failure.upstream,
        asked=failure.asked,
        answered=failure.answered,
        advice=failure.advice,
        retry_after=ceil(seconds),
    )
