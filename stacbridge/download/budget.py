"""How often the downloads of an account may turn to its upstream again, all together.

Each of them is patient for itself; a thousand patient ones keep an upstream down that would come back.
"""

import math
import time
from collections.abc import Callable

from stacbridge import metrics
from stacbridge.download.window import Window
from stacbridge.errors import StacbridgeError
from stacbridge.model import Json
from stacbridge.settings import Settings


class RetryBudget:
    """The retries of one account at `catalogue` in a sliding window, to resume a download included.

    They are at most a share of the downloads that began in it, or a fixed few where those are more. A request
    that is repeated with a fresh token is none: that happens once, to every download.
    """

    def __init__(
        self, catalogue: str, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._firsts = Window(settings.download_retry_window, clock)
        self._retries = Window(settings.download_retry_window, clock)

    def began(self) -> None:
        """Note that a download begins."""
        self._firsts.add(1)

    def take(self, failure: StacbridgeError) -> None:
        """Take one retry after `failure`; raises it, saying so, where none is left."""
        left = self.left > 0
        metrics.RETRIES.labels(self._catalogue, "made" if left else "refused").inc()
        if not left:
            raise self._spent(failure)
        self._retries.add(1)

    @property
    def left(self) -> int:
        """How many retries may be made now."""
        settings = self._settings
        share = math.floor(settings.download_retry_share * self._firsts.total() + 1e-9)
        return max(0, max(settings.download_retry_floor, share) - round(self._retries.total()))

    def standing(self) -> Json:
        """Return how many retries were made in the window, and how many are left."""
        return {"made": round(self._retries.total()), "left": self.left}

    def _spent(self, failure: StacbridgeError) -> StacbridgeError:
        """Return the failure as it is passed on; an upstream that asked for more time is given it."""
        wait = max(1, math.ceil(self._retries.wait()))
        failure.retry_after = max(wait, failure.retry_after or 0)
        failure.advice = (
            f"The bridge's retries for this account are used up: {round(self._retries.total())} in"
            f" {self._settings.download_retry_window:g} s. Ask again later."
        )
        return failure
