"""The orders of a simulated long-term archive: when each is in progress, completed, and evicted."""

import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .clock import Clock


@dataclass(frozen=True, slots=True)
class LtaFaults:
    """Knobs of a simulated archive; the default is a service in good health."""

    queue_seconds: float = 10
    """Seconds that an order is queued."""
    staging_seconds: float = 20
    """Seconds from the order until the product is online."""
    staged_life: float = 7 * 86400
    """Seconds that a product stays online."""
    quota: int | None = None
    """Orders under way at most; one more is refused."""
    refusal: int = 403
    """Status of that refusal: 403 that speaks of the quota, 429 or 503."""
    retry_after: str | None = None
    """`Retry-After` of that refusal."""
    fail: bool = False
    """Orders fail instead of completing."""
    lose_orders: bool = False
    """Orders are answered, and forgotten."""
    taken_unanswered: int = 0
    """How many of the next orders are taken, and answered with 504."""
    lost_unanswered: int = 0
    """How many of the next orders are not taken, and answered with 504."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An order: of which product, and when. Times are Unix seconds."""

    id: str
    product: str
    submitted: float
    faults: LtaFaults


class LtaOrders:
    """Orders by id; safe between threads. `taken` are the products of all, in the order of their coming."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._orders: dict[str, Taken] = {}
        self._latest: dict[str, Taken] = {}
        self._lock = threading.Lock()
        self.taken: list[str] = []
        self.refused = 0

    def take(self, product: str, faults: LtaFaults) -> Taken | None:
        """A new order; one product ordered twice is two orders. `None` where the quota is used up."""
        with self._lock:
            if faults.quota is not None and self._under_way() >= faults.quota:
                self.refused += 1
                return None
            order = Taken(str(uuid.uuid4()), product, self._clock.now(), faults)
            self.taken.append(product)
            if not faults.lose_orders:
                self._orders[order.id] = self._latest[product] = order
            return order

    def of(self, product: str) -> Taken | None:
        """The latest order of a product."""
        with self._lock:
            return self._latest.get(product)

    def get(self, id: str) -> Taken | None:
        """The order with an id."""
        with self._lock:
            return self._orders.get(id)

    def status(self, order: Taken) -> str:
        """The Status of an order."""
        age = self._clock.now() - order.submitted
        if age < order.faults.queue_seconds:
            return "queued"
        if age < order.faults.staging_seconds:
            return "in_progress"
        return "failed" if order.faults.fail else "completed"

    def evicted_at(self, product: str) -> float | None:
        """Until when a product is online, `None` where it is not."""
        order = self.of(product)
        if order is None or self.status(order) != "completed":
            return None
        end = order.submitted + order.faults.staging_seconds + order.faults.staged_life
        return end if self._clock.now() < end else None

    def shown(self, order: Taken) -> dict[str, Any]:
        """An order as the interface prints it; of EvictionDate and its kin only what is known by then."""
        status = self.status(order)
        end = order.submitted + order.faults.staging_seconds
        done = status == "completed"
        return {
            "Id": order.id,
            "Status": status,
            "StatusMessage": f"The order is {status.replace('_', ' ')}.",
            "OrderSize": None,
            "SubmissionDate": written(order.submitted),
            "EstimatedDate": written(end),
            "CompletedDate": written(end) if done else None,
            "EvictionDate": written(end + order.faults.staged_life) if done else None,
            "Priority": 50,
        }

    def _under_way(self) -> int:
        return sum(self.status(order) in ("queued", "in_progress") for order in self._orders.values())


def written(moment: float) -> str:
    """A time as the interface writes it."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
