"""Logins that failed of late, by address and by user name: who has too many is refused unseen for a while.

A name alone locks nobody out: once it has too many failures, it is refused to those addresses only that have
failed themselves. What others do behind theirs does not reach a caller who has made no mistake.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from threading import Lock

from stacbridge import metrics
from stacbridge.errors import TooManyRequests

log = logging.getLogger(__name__)

HOME_BITS = 64
"""An IPv6 subscriber has a network of so many bits and any address in it, and counts as one."""
LONGEST_NAME = 64


@dataclass(slots=True)
class Count:
    """How many failures there were since a window began, which ends at `ends`."""

    ends: float
    number: int = 0


class Failures:
    """Counts per process. At most `most` failures in `seconds`; `kept` addresses, and names, are remembered.

    `clock` is monotonic. Safe between threads: of attempts that run at once, each is counted when it fails.
    """

    def __init__(
        self, most: int, seconds: float, kept: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._kept, self._clock = most, seconds, kept, clock
        self._addresses: OrderedDict[str, Count] = OrderedDict()
        self._names: OrderedDict[str, Count] = OrderedDict()
        self._lock = Lock()

    def check(self, address: str, name: str | None) -> None:
        """Raise `TooManyRequests` where no attempt is looked at now; `name` is who they say they are."""
        with self._lock:
            now = self._clock()
            here = _running(self._addresses, _subscriber(address), now)
            named = None if name is None else _running(self._names, name[:LONGEST_NAME], now)
            wait = max(self._wait(here, now), self._wait(named, now) if here else 0)
        if wait > 0:
            metrics.FAILED_LOGINS.labels("unseen").inc()
            raise TooManyRequests(
                "Too many logins failed from this address, or under this name.",
                advice="Check the key or token, and come back later.",
                retry_after=ceil(wait),
            )

    def count(self, address: str, name: str | None) -> None:
        """Count a failure."""
        metrics.FAILED_LOGINS.labels("wrong").inc()
        with self._lock:
            full = self._add(self._addresses, _subscriber(address))
            if name is not None:
                full = self._add(self._names, name[:LONGEST_NAME]) or full
        if full:
            log.warning(
                "%d logins failed from %s, or under one name; more are not looked at for now.",
                self._most,
                address,
            )

    def _wait(self, count: Count | None, now: float) -> float:
        return count.ends - now if count is not None and count.number >= self._most else 0

    def _add(self, counts: OrderedDict[str, Count], key: str) -> bool:
        """Count one more, and tell whether it is the one that fills the measure."""
        now = self._clock()
        count = _running(counts, key, now) or Count(now + self._seconds)
        count.number += 1
        counts[key] = count
        counts.move_to_end(key)
        if len(counts) > self._kept:
            counts.popitem(last=False)
        return count.number == self._most


def _running(counts: OrderedDict[str, Count], key: str, now: float) -> Count | None:
    """Return the count of a window that has not ended."""
    count = counts.get(key)
    return count if count is not None and now < count.ends else None


def _subscriber(address: str) -> str:
    """Return what stands for all addresses that one client may have."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), HOME_BITS), strict=False))
