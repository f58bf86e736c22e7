"""Whether the bucket of the spool answers: while it does not, nobody waits for it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from stacbridge import metrics
from stacbridge.breaker import Breaker
from stacbridge.errors import UpstreamError, UpstreamRefused, UpstreamTimeout, UpstreamUnavailable
from stacbridge.settings import Settings

log = logging.getLogger(__name__)

READING = frozenset({"GET", "HEAD"})


class Outage:
    """Notes how requests to one bucket end, from any thread.

    After one that had no answer, or a reading one that was refused, there are none for `breaker_seconds`.
    A bucket that only cannot be written to (a full one, say) goes on being read.
    """

    def __init__(self, upstream: str, settings: Settings) -> None:
        self._upstream = upstream
        patience = settings.upstream_deadline * (settings.retries + 1)
        self._breaker = Breaker(1, settings.breaker_seconds, patience)
        self._troubles: dict[str, str] = {}

    @property
    def seconds(self) -> float:
        """How long no request will be let through; 0 where one may be now."""
        return self._breaker.wait()

    @property
    def troubles(self) -> list[str]:
        """What went wrong with the last request that reads, and the last that writes, where it did."""
        return list(self._troubles.values())

    @contextmanager
    def attempt(self, method: str) -> Iterator[None]:
        """Note how a request ends; raises `UpstreamUnavailable` instead of it while the bucket rests."""
        number = self._breaker.admit()
        if number is None:
            raise UpstreamUnavailable(
                "The bucket of the spool did not answer lately, and is not asked for now.",
                upstream=self._upstream,
                retry_after=max(1, ceil(self._breaker.wait())),
            )
        kind = "read" if method in READING else "write"
        try:
            yield
        except UpstreamError as failure:
            self._troubles[kind] = str(failure)
            metrics.SPOOL_FAILURES.labels(kind).inc()
            log.warning("%s", failure)
            (self._breaker.failed if _is_down(failure, kind) else self._breaker.passed)(number)
            raise
        except BaseException:
            self._breaker.withdrawn(number)
            raise
        self._troubles.pop(kind, None)
        self._breaker.passed(number)


def _is_down(failure: UpstreamError, kind: str) -> bool:
    silent = isinstance(failure, UpstreamUnavailable | UpstreamTimeout)
    return silent or (kind == "read" and isinstance(failure, UpstreamRefused))
