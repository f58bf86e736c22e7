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
KINDS = ("read", "write")


class Outage:
    """Notes how requests to one bucket end, from any thread: those that read, and those that write.

    After one that had no answer, or a reading one that was refused, there are none of its kind for
    `breaker_seconds`: a bucket that cannot be written to for now goes on being read.
    """

    def __init__(self, upstream: str, settings: Settings) -> None:
        self._upstream = upstream
        patience = settings.upstream_deadline * (settings.retries + 1)
        self._breakers = {kind: Breaker(1, settings.breaker_seconds, patience) for kind in KINDS}
        self._troubles: dict[str, str] = {}

    @property
    def seconds(self) -> float:
        """How long it is until requests of both kinds are let through; 0 where they are now."""
        return max(breaker.wait() for breaker in self._breakers.values())

    @property
    def is_down(self) -> bool:
        """Whether it is not even read for now."""
        return self._breakers["read"].wait() > 0

    @property
    def troubles(self) -> list[str]:
        """What went wrong with the last request that reads, and the last that writes, where it did."""
        return list(self._troubles.values())

    @contextmanager
    def attempt(self, method: str) -> Iterator[None]:
        """Note how a request ends; raises `UpstreamUnavailable` instead of it while the bucket rests."""
        kind = "read" if method in READING else "write"
        breaker = self._breakers[kind]
        number = breaker.admit()
        if number is None:
            raise UpstreamUnavailable(
                "The bucket of the spool did not answer lately, and is not asked for now.",
                upstream=self._upstream,
                retry_after=max(1, ceil(breaker.wait())),
            )
        try:
            yield
        except UpstreamError as failure:
            self._troubles[kind] = str(failure)
            metrics.SPOOL_FAILURES.labels(kind).inc()
            log.warning("%s", failure)
            (breaker.failed if _is_down(failure, kind) else breaker.passed)(number)
            raise
        except BaseException:
            breaker.withdrawn(number)
            raise
        self._troubles.pop(kind, None)
        breaker.passed(number)


def _is_down(failure: UpstreamError, kind: str) -> bool:
    silent = isinstance(failure, UpstreamUnavailable | UpstreamTimeout)
    return silent or (kind == "read" and isinstance(failure, UpstreamRefused))
