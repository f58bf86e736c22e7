"""The accounts and the long-term archive of a simulated SeDAS."""

import threading
from dataclasses import dataclass
from typing import Literal

from .clock import Clock
from .faults import Faults

WELL = Faults()


@dataclass(frozen=True, slots=True)
class SedasFaults:
    """Knobs of a simulated SeDAS; the default is a service in good health."""

    token_refusal: Literal[400, 401, 403] = 400
    """Status of the answer to a token that is not good: 400 with "User token does not exist", or another."""
    expires_at_once: bool = False
    """Tell a `validUntil` that is past already, of tokens that are good nevertheless."""
    staging_seconds: float = 20
    """Seconds until an ordered product is staged."""
    staged_life: float = 7 * 86400
    """Seconds that a staged product stays."""
    lose_orders: bool = False
    """Forget orders: they are taken, and polls answer an empty list for ever."""
    poll_failures: int = 0
    """How many of the next polls are answered with 500."""
    download: Faults = WELL
    """What goes wrong with bytes: speed, cuts, stalls."""


class Tokens:
    """Tokens that were given out; earlier ones stay good until their own end."""

    def __init__(self, clock: Clock, life: float) -> None:
        self._clock, self._life = clock, life
        self._ends: dict[str, float] = {}
        self._lock = threading.Lock()
        self.logins = 0

    def give(self) -> tuple[str, float]:
        """A new token, and the Unix time until which it is good."""
        with self._lock:
            self.logins += 1
            token = f"sedas-token-{self.logins}"
            self._ends[token] = self._clock.now() + self._life
            return token, self._ends[token]

    def good(self, authorization: str) -> bool:
        """Whether an `Authorization` header brings a token that is good."""
        scheme, _, token = authorization.partition(" ")
        with self._lock:
            return scheme == "Token" and self._clock.now() < self._ends.get(token, 0)

    def forget(self) -> None:
        """End all tokens."""
        with self._lock:
            self._ends.clear()


class Orders:
    """Orders by id: what they are of, and when their products are staged."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: dict[str, tuple[str, float, float]] = {}
        self._lock = threading.Lock()
        self.taken: list[str] = []

    def take(self, product: str, faults: SedasFaults) -> str:
        """The id of a new order; one product ordered twice is two orders."""
        with self._lock:
            self.taken.append(product)
            order = f"R-{len(self.taken)}"
            if not faults.lose_orders:
                ready = self._clock.now() + faults.staging_seconds
                self._ready[order] = (product, ready, ready + faults.staged_life)
            return order

    def product(self, order: str) -> str | None:
        """What an order is of; `None` where it is not known."""
        with self._lock:
            entry = self._ready.get(order)
            return entry[0] if entry else None

    def staged(self, product: str) -> bool:
        """Whether a product has been brought back and is still there."""
        now = self._clock.now()
        with self._lock:
            return any(name == product and ready <= now < end for name, ready, end in self._ready.values())
