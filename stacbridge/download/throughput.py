"""How fast an upstream sends to an account, and whether that is because its quota is used up.

Copernicus CDSE refuses nothing once an account has had its volume of a month: it goes on over one connection
at 1 MB/s, in place of four at 20 MB/s (its documentation's page on quotas). Only the rate tells.
"""

import logging
import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Literal

from stacbridge.catalogue import Quota
from stacbridge.download.ledger import DAYS, WARNING
from stacbridge.download.window import Window
from stacbridge.model import Json
from stacbridge.settings import Settings

log = logging.getLogger(__name__)

SAMPLE = 0.1
"""Part of `throttle_seconds` that one download must have waited to be counted, or must bring as many bytes as
the throttled rate does in it: of small parts of files one measures how far away the upstream is."""
TICK = 0.001
"""Seconds that the event loop's clock tells apart: what comes within is as if it had not been waited for."""
NORMAL: Literal["normal"] = "normal"

Pace = Literal["normal", "slow", "throttled"]


class Throughput:
    """Bytes that came over the seconds that were spent waiting for them: how slowly clients read is left out.

    slow       as slow as the upstream makes accounts whose quota is used up, with much of this one's left
    throttled  the same, and the account has used most of its quota

    The last finding holds until there is enough to find another. Safe to share between threads.
    """

    def __init__(
        self,
        catalogue: str,
        settings: Settings,
        quota: Quota | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch an account of `catalogue`, which gives it `quota` (None: no bound that is known)."""
        self._catalogue = catalogue
        self._quota = quota
        rate = None if quota is None else quota.throttled_rate
        self._most = math.inf if rate is None else rate * settings.throttle_margin
        self._enough = settings.throttle_seconds
        self._waited = Window(settings.throughput_window, clock)
        self._bytes = Window(settings.throughput_window, clock)
        self._pace: Pace = NORMAL
        self._lock = Lock()

    @property
    def rate(self) -> float | None:
        """Bytes a second on each connection while bytes were waited for; None where little came lately."""
        with self._lock:
            waited, count = self._waited.total(), self._bytes.total()
        return count / max(waited, TICK) if self._tells(waited, count, self._enough) else None

    @property
    def connections(self) -> float:
        """How many connections the upstream gives the account now, as far as its rate tells."""
        quota = self._quota
        if self._pace != "throttled" or quota is None or quota.throttled_connections is None:
            return math.inf
        return quota.throttled_connections

    def note(self, waited: float, count: int) -> bool:
        """Note that `count` bytes of one download were waited for so many seconds; tell whether it counts."""
        if not self._tells(waited, count, SAMPLE * self._enough):
            return False
        with self._lock:
            self._waited.add(waited)
            self._bytes.add(count)
        return True

    def judge(self, used: int) -> None:
        """Find how it stands, the account having taken `used` bytes in thirty days; log what is new."""
        before, self._pace = self._pace, self._found(used)
        if self._pace == before:
            return
        if self._pace == "throttled":
            log.warning("%s: %s", self._catalogue, self.warning())
        else:
            log.info("%s: The upstream's pace is %s.", self._catalogue, self._pace)

    def warning(self) -> str | None:
        """Say so where the account is throttled."""
        if self._pace != "throttled" or self._quota is None:
            return None
        rate = self.rate
        told = "" if rate is None else f" ({rate / 1e6:.2f} MB/s)"
        return (
            f"The upstream sends no faster than to accounts that have used up their quota{told}, and most of"
            f" this one's {self._quota.bytes_30_days / 1e9:.1f} GB in {DAYS} days have been downloaded."
        )

    def standing(self) -> Json:
        """Return the rate, if enough came lately, and the pace where the catalogue says what throttled is."""
        known = {} if math.isinf(self._most) else {"pace": self._pace}
        return {"bytes_second": self.rate, **known}

    def _found(self, used: int) -> Pace:
        quota = self._quota
        if quota is None or math.isinf(self._most):
            return NORMAL
        rate, exhausted = self.rate, used >= WARNING * quota.bytes_30_days
        if rate is None:
            return NORMAL if self._pace == "throttled" and not exhausted else self._pace
        if rate > self._most:
            return NORMAL
        return "throttled" if exhausted else "slow"

    def _tells(self, waited: float, count: float, seconds: float) -> bool:
        return waited >= seconds or count >= seconds * self._most
