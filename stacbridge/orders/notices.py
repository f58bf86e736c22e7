"""Telling those who asked that orders have finished, in a thread of its own: no order waits for a webhook."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from urllib.parse import urlsplit

from stacbridge.errors import StacbridgeError
from stacbridge.orders.agenda import Agenda
from stacbridge.orders.records import Notice
from stacbridge.orders.webhooks import Webhooks

log = logging.getLogger(__name__)

TICK = 2.0
"""Seconds between two looks for calls that are due."""
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0
"""Seconds before a webhook, or a host that failed, is called again, doubled each time up to the second."""


@dataclass(frozen=True, slots=True)
class Rest:
    """How often in a row a host has failed, and until when (Unix seconds) it is left alone."""

    failures: int = 0
    until: float = 0


class Notices:
    """Calls webhooks, one at a time, until it is stopped. `clock` is Unix time.

    A host that gave no answer, or said that it is in trouble (429, 5xx), is left alone for a while: all calls
    to it together cost one attempt. Any other answer but 2xx is that of one webhook, which is called again.
    """

    def __init__(self, agenda: Agenda, webhooks: Webhooks, clock: Callable[[], float]) -> None:
        self._agenda = agenda
        self._webhooks = webhooks
        self._clock = clock
        self._seconds = webhooks.settings.webhook_seconds
        self._lease = 2 * webhooks.settings.webhook_timeout
        self._rests: dict[str, Rest] = {}
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="notices", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def halt(self) -> None:
        """Begin no more calls."""
        self._stopping.set()

    def join(self, end: float) -> None:
        """Wait for a call under way until `end` at most, a time of `monotonic`.

        It is repeated by another process where its answer comes too late.
        """
        if self._thread.is_alive():  # one that never began cannot be joined
            self._thread.join(max(0, end - monotonic()))

    def tell(self) -> bool:
        """Make the call that is due longest, or put it off with all others to its host; False without any."""
        notice = self._agenda.due_notice(self._clock(), self._lease)
        if notice is None:
            return False
        host = _host(notice)
        until = self._rests.get(host, Rest()).until
        if self._clock() < until:
            self._put_off(host, until)
        else:
            self._call(notice, host)
        return True

    def _call(self, notice: Notice, host: str) -> None:
        status = self._webhooks.call(notice, self._clock())
        now = self._clock()
        if status is None or status == 429 or status >= 500:
            self._put_off(host, self._rested(host, now))
        else:
            self._rests.pop(host, None)
        again = now + _pause(notice.tries)
        over = (status is not None and 200 <= status < 300) or again > notice.since + self._seconds
        self._agenda.settle_notice(notice, None if over else again)

    def _put_off(self, host: str, until: float) -> None:
        self._agenda.put_off(host, until, until - self._seconds)

    def _rested(self, host: str, now: float) -> float:
        """Leave a host alone that failed, and return until when; forget those that failed long ago."""
        failures = self._rests.get(host, Rest()).failures + 1
        lately = {name: rest for name, rest in self._rests.items() if rest.until > now - LONGEST_PAUSE}
        self._rests = {**lately, host: Rest(failures, now + _pause(failures))}
        return self._rests[host].until

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._told():
                self._stopping.wait(TICK)

    def _told(self) -> bool:
        try:
            return self.tell()
        except StacbridgeError as failure:
            log.warning("%s: %s", failure.code, failure)
        except Exception:
            log.exception("A webhook could not be called; it is taken up again after its lease.")
        return False


def _pause(failures: int) -> float:
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 30))


def _host(notice: Notice) -> str:
    parts = urlsplit(notice.webhook)
    return f"{parts.scheme}://{parts.netloc}".lower()
