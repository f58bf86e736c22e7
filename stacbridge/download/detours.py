"""Files that a catalogue's object storage refuses, and has as well elsewhere."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace

from stacbridge import metrics
from stacbridge.errors import Forbidden, NotFound, StacbridgeError, UpstreamRefused
from stacbridge.model import Ready

REFUSALS = (Forbidden, UpstreamRefused, NotFound)
"""Failures of a storage that say nothing of the file."""
OF_THE_KEY = re.compile(
    "InvalidAccessKeyId|SignatureDoesNotMatch|RequestTimeTooSkewed|ExpiredToken|InvalidToken"
    "|AuthorizationHeaderMalformed|AccountProblem|NotSignedUp"
)
"""S3's words for a key that is good for no file (docs.aws.amazon.com, "Error responses")."""

log = logging.getLogger(__name__)


class Detours:
    """The ways of an account's files. A storage that refuses its key is not asked for `seconds`."""

    def __init__(self, upstream: str, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._upstream = upstream
        self._seconds = seconds
        self._clock = clock
        self._until = 0.0
        self._why = ""

    def place(self, ready: Ready) -> Ready:
        """Return where to ask for a file first."""
        return _other(ready) if ready.otherwise is not None and self._rests else ready

    def refused(self, ready: Ready, failure: StacbridgeError) -> Ready | None:
        """Return where to ask for a file that its storage refused; None where that was the only place."""
        if ready.otherwise is None:
            return None
        key = OF_THE_KEY.search(failure.answered or "")
        if key is not None:
            self._until, self._why = self._clock() + self._seconds, key[0]
        metrics.DETOURS.labels(self._upstream).inc()
        log.warning("The storage of %s refuses %s: %s", self._upstream, ready.name, failure)
        return _other(ready)

    def warnings(self) -> list[str]:
        """Return what the account's holder should see to."""
        if not self._rests:
            return []
        check = f"`stacbridge check {self._upstream}`"
        return [f"Its storage refuses the S3 key ({self._why}): files come from elsewhere. Run {check}."]

    @property
    def _rests(self) -> bool:
        return self._clock() < self._until


def _other(ready: Ready) -> Ready:
    assert ready.otherwise is not None
    return replace(ready.otherwise, advice=ready.advice)
