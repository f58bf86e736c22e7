"""What the download proxy asks of those who know callers and orders."""

from collections.abc import Callable
from dataclasses import dataclass

from stacbridge.callers.principal import Principal
from stacbridge.download.address import Address

ANYONE = "anyone"
"""The user to whom everything is put down that comes without a name."""
PRINCIPAL = "stacbridge.principal"
"""Where in an ASGI scope it stands who asks."""


def _service(principal: Principal | None, catalogue: str) -> str:
    return catalogue


@dataclass(frozen=True, slots=True)
class Ordered:
    """A caller's order of an asset: the URL where they see it, and whether it may still bring the bytes."""

    url: str
    pending: bool = True


def _unordered(address: Address, principal: Principal | None) -> Ordered | None:
    return None


def _unheeded(address: Address, principal: Principal | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Hooks:
    """Functions of a caller (None: nobody said who).

    `scope_of` names whose account at a catalogue fetches for them, by default the catalogue's id for that of
    all: files in the spool are shared within it only. `order_of` is told that an asset is offline, and
    returns their order of it, if there is one; `fetched` is told that they got one that had been offline
    perhaps. These two may block.
    """

    scope_of: Callable[[Principal | None, str], str] = _service
    order_of: Callable[[Address, Principal | None], Ordered | None] = _unordered
    fetched: Callable[[Address, Principal | None], None] = _unheeded


NO_HOOKS = Hooks()
