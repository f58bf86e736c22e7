"""The request of a client that is being answered: its id, and what its answer took of upstreams."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock

from stacbridge.model import Json

HEADER = "X-Request-ID"
ZERO_COPY = "http.response.zerocopysend"
"""The ASGI extension by which a part of a body is sent that stays in the kernel."""
LENT = "stacbridge.response.lent"
"""The extension by which pieces of a body are sent that are overwritten at once."""
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(eq=False, slots=True)
class Exchange:
    """One request and its answer. `route` is the template of its path, once that is known.

    `upstream` are the seconds for which catalogues were asked, by id; of requests made at once, their sum.
    """

    id: str
    route: str | None = None
    upstream: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def named(cls, told: str) -> "Exchange":
        """Return an exchange under the id that the client told, or a new one where that is not sane."""
        return cls(told if _SANE.fullmatch(told) else secrets.token_hex(8))

    def took(self, catalogue: str, seconds: float) -> None:
        """Note that a catalogue was asked for so long. Safe between threads."""
        with self._lock:
            self.upstream[catalogue] = self.upstream.get(catalogue, 0) + seconds


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def current() -> Exchange | None:
    """Return what is being answered here; `None` outside of requests."""
    return _current.get()


@contextmanager
def answering(exchange: Exchange) -> Iterator[None]:
    """Answer `exchange` as long as the block lasts; what is begun in it belongs to it."""
    before = _current.set(exchange)
    try:
        yield
    finally:
        _current.reset(before)


def identified(body: Json) -> Json:
    """Return the JSON shape of a failure with the id of the request that failed."""
    exchange = current()
    return body if exchange is None else body | {"request_id": exchange.id}
