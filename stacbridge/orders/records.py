"""What the order book keeps: a product that is ordered once, and the orders of those who asked for it."""

from dataclasses import dataclass
from typing import Literal

State = Literal[
    "intended", "sending", "ordered", "pending", "shipping", "succeeded", "failed", "canceled", "evicted"
]
"""intended: kept here, and the upstream has not heard of it. sending: it may have. evicted: the bytes came,
and are offline again. The others are words of the order extension."""

STATUS: dict[str, str] = {"intended": "ordered", "sending": "ordered", "evicted": "orderable"}
"""What those states that are not words of the order extension (v1.1.0) are told as."""

WAITING = ("intended", "sending")
UNDER_WAY = ("ordered", "pending", "shipping")
OPEN = (*WAITING, *UNDER_WAY)
ENDED = ("failed", "canceled", "evicted")
FINISHED = ("succeeded", *ENDED)


@dataclass(frozen=True, slots=True)
class Key:
    """What is ordered: an item, of the archive that a catalogue orders from.

    `archive` is its URL, which names the account, too, where that is a caller's own (`Archive.url`).
    """

    archive: str
    catalogue: str
    collection: str
    item: str


@dataclass(frozen=True, slots=True)
class Product:
    """One product at one archive, which is ordered once however many ask. Times are Unix seconds.

    `since` is when its state began, `next_at` when it is looked at next (`None`: never again), `release_at`
    until when the archive takes no more orders. `sends` counts the orders that the archive may have heard,
    `unclear` (0 or 1) tells that of the last one it is not known; `doubts` are polls in a row that did not
    know the order, `tries` failures in a row, `reorders` how often it was ordered again by itself because its
    bytes had gone before they were downloaded. Who holds the lease may write only under its `fence`.
    """

    seq: int
    archive: str
    catalogue: str
    collection: str
    item: str
    state: State
    since: float
    created: float
    reason: str | None = None
    upstream_order: str | None = None
    sends: int = 0
    unclear: int = 0
    doubts: int = 0
    tries: int = 0
    next_at: float | None = None
    release_at: float | None = None
    expires: float | None = None
    fence: int = 0
    leased_until: float = 0
    reorders: int = 0

    @property
    def key(self) -> Key:
        """What is ordered."""
        return Key(self.archive, self.catalogue, self.collection, self.item)


@dataclass(frozen=True, slots=True)
class Order:
    """What one principal asked for, and how its product stands."""

    id: str
    principal: str
    asked: float
    canceled: float | None
    product: Product
    position: int | None = None

    @property
    def state(self) -> str:
        """The state for this principal, whatever others still wait for."""
        return "canceled" if self.canceled is not None else self.product.state

    @property
    def status(self) -> str:
        """The state in a word of the order extension."""
        return STATUS.get(self.state, self.state)


@dataclass(frozen=True, slots=True)
class Notice:
    """A webhook call that is due: an order whose product has finished."""

    order: Order
    webhook: str
    url: str
    since: float
    tries: int


@dataclass(frozen=True, slots=True)
class Event:
    """A state that a product entered, and why."""

    at: float
    state: State
    reason: str | None
