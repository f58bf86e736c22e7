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


def _unordered(address: Address, principal: Principal | None) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Hooks:
    """Functions of a caller (None: nobody said who).

    `scope_of` names whose account at a catalogue fetches for them, by default the catalogue's id for that of
    all: files in the spool are shared within it only. `order_of` returns the URL at which they see how an
    order of an asset stands, if there is one; it may block.
    """

    scope_of: Callable[[Principal | None, str], str] = _service
    order_of: Callable[[Address, Principal | None], str | None] = _unordered


NO_HOOKS = Hooks()
