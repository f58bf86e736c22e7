"""What is kept of a server between two requests: connections that wait, and what shortens a handshake."""

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import dataclass, field

SERVERS = 256
"""Servers of which something is kept: those that were asked last."""
WAITING = 64
"""Connections with one server that wait at most."""
PATIENCE = 15.0
"""Seconds that a connection waits for its next request. Servers wait a little longer, commonly."""


@dataclass(eq=False, slots=True)
class Origin:
    """One server. `session` is of a handshake with it that was whole."""

    session: ssl.SSLSession | None = None
    waiting: list["Waiting"] = field(default_factory=list)

    def park(self, transport: asyncio.Transport) -> None:
        """Let a connection wait for its next request, unless there are enough."""
        if len(self.waiting) < WAITING:
            Waiting(transport, self.waiting)
        else:
            transport.close()

    def take(self) -> asyncio.Transport | None:
        """Return the connection that was parked last, if one waits; give it a protocol at once."""
        while self.waiting:
            transport = self.waiting[-1].end()
            if not transport.is_closing():
                return transport
        return None

    def close(self) -> None:
        """Close what waits."""
        while transport := self.take():
            transport.abort()


class Waiting(asyncio.Protocol):
    """A connection that waits among others. It ends by whatever comes on it, and when its time is over."""

    def __init__(self, transport: asyncio.Transport, others: list["Waiting"]) -> None:
        self._transport = transport
        self._others = others
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, transport.close)
        others.append(self)
        transport.set_protocol(self)
        transport.resume_reading()

    def end(self) -> asyncio.Transport:
        """Return the connection, which waits no more."""
        self._timer.cancel()
        self._others.remove(self)
        return self._transport

    def data_received(self, data: bytes) -> None:
        """Give up a connection on which something comes that nobody asked for."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self in self._others:
            self.end()


class Origins:
    """All servers, by host and port."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], Origin] = OrderedDict()

    def at(self, host: str, port: int) -> Origin:
        """Return the server at an address."""
        origin = self._known.setdefault((host, port), Origin())
        self._known.move_to_end((host, port))
        if len(self._known) > SERVERS:
            self._known.popitem(last=False)[1].close()
        return origin

    def close(self) -> None:
        """Close all that waits."""
        for origin in self._known.values():
            origin.close()
