"""Catalogues as an event loop asks them: what one knows is told at once, the rest is found in a thread.

A thread that is woken costs more than the rest of what a small download has to wait for.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from stacbridge.catalogue import Catalogue, Gate, Prompt
from stacbridge.model import Pending, Ready, Reply

InThread = Callable[..., Awaitable[Any]]
"""Runs a blocking function with its arguments somewhere else, and returns what it returns."""


class AsyncGate:
    """A `Gate` that does not block."""

    def __init__(self, gate: Gate, in_thread: InThread) -> None:
        self.id = gate.id
        self._gate = gate
        self._in_thread = in_thread
        self._prompt = gate if isinstance(gate, Prompt) else None

    async def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        """Return the headers that let the account into `url`."""
        known = None if self._prompt is None else self._prompt.authorized(url, method)
        if known is not None:
            return known
        headers: dict[str, str] = await self._in_thread(self._gate.authorize, url, method)
        return headers

    async def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        """Return fresh headers after `refused` ones."""
        headers: dict[str, str] = await self._in_thread(self._gate.reauthorize, url, refused, method)
        return headers

    def expired(self, reply: Reply) -> bool:
        """Tell whether a refusal means that headers have expired."""
        return self._gate.expired(reply)

    def may_follow(self, url: str) -> bool:
        """Tell whether a redirect may lead to `url`."""
        return self._gate.may_follow(url)


class AsyncCatalogue(AsyncGate):
    """The gate of a catalogue that also says where its files are."""

    def __init__(self, catalogue: Catalogue, in_thread: InThread) -> None:
        super().__init__(catalogue, in_thread)
        self._catalogue = catalogue

    async def locate(self, collection: str, item: str, asset: str) -> Ready | Pending:
        """Say where the bytes of an asset are. Raises as `Catalogue.locate`."""
        known = None if self._prompt is None else self._prompt.located(collection, item, asset)
        if known is not None:
            return known
        found: Ready | Pending = await self._in_thread(self._catalogue.locate, collection, item, asset)
        return found
