"""From a source of bytes to a client in constant memory; a body that ends cleanly is whole."""

from collections.abc import Awaitable, Generator
from io import RawIOBase
from typing import Any, Protocol

from stacbridge.download.client import Send
from stacbridge.download.tap import Drain, Piece
from stacbridge.download.verify import Source
from stacbridge.download.watch import Watch
from stacbridge.exchange import LENT, ZERO_COPY


class Flow(Protocol):
    """Bytes of a file, in order."""

    async def flow(self, drain: Drain) -> int:
        """Give what comes next to `drain`, which is open; return how many bytes, 0 at the end."""
        ...


class Piecewise:
    """The flow of a source that is read piece by piece."""

    def __init__(self, source: Source) -> None:
        self._source = source

    async def flow(self, drain: Drain) -> int:
        """Give the next piece to `drain`. Raises what the source raises."""
        piece = await self._source.read()
        if piece:
            drain.give(piece)
        return len(piece)


async def pump(flow: Flow, send: Send, idle: float, *, pipes: bool = False) -> None:
    """Hand what flows to `send`, and the end only after all of it; `pipes` says whether it knows `ZERO_COPY`.

    Raises what `flow` raises, and `TimeoutError` when the client takes nothing for `idle` seconds. The
    client's connection must then be cut, never ended cleanly.
    """
    outlet = Outlet(send, pipes)
    try:
        with Watch(idle) as watch:
            while await flow.flow(outlet):
                watch.start()
                await outlet.emptied()
                watch.stop()
    except TimeoutError:
        raise TimeoutError(f"The client took nothing for {idle:g} s, after {outlet.sent} bytes.") from None
    finally:
        outlet.close()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class Outlet:
    """The way to one client: pieces go at once while it takes them. `sent` counts their bytes."""

    def __init__(self, send: Send, pipes: bool) -> None:
        self.sent = 0
        self.pipes = pipes
        self._send = send
        self._begun: Begun | None = None

    @property
    def open(self) -> bool:
        """Whether the client has taken everything."""
        return self._begun is None

    def give(self, piece: Piece) -> None:
        """Send a piece, as far as that goes without waiting; only while `open`."""
        if self.pipes:
            self._begin({"type": LENT, "body": piece, "count": len(piece), "more_body": True}, len(piece))
        else:
            self._begin({"type": "http.response.body", "body": bytes(piece), "more_body": True}, len(piece))

    def give_pipe(self, end: RawIOBase, count: int) -> None:
        """Send what is in a pipe, as far as that goes without waiting; only while `open`, if it `pipes`."""
        self._begin({"type": ZERO_COPY, "file": end, "count": count, "more_body": True}, count)

    def _begin(self, message: dict[str, Any], count: int) -> None:
        begun = Begun(self._send(message))
        self.sent += count
        self._begun = None if begun.done else begun

    async def emptied(self) -> None:
        """Return once it is open. Raises what sending raises."""
        if self._begun is not None:
            await self._begun
            self._begun = None

    def close(self) -> None:
        """Give up what is not sent yet."""
        if self._begun is not None:
            self._begun.close()


class Begun:
    """Something to wait for that has run to where it first waits; await it for the rest, unless `done`.

    A task would run it only after all other connections have been read. By then what it sends is no longer in
    the processor's cache, which costs many streams a fifth of their time.
    """

    def __init__(self, whole: Awaitable[None]) -> None:
        self.done = False
        self._rest = whole.__await__()
        self._failure: Exception | None = None
        try:
            self._awaits = next(self._rest)
        except StopIteration:
            self.done = True
        except Exception as failure:
            self._failure = failure

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for the rest. Raises what it raises."""
        if self._failure is not None:
            raise self._failure
        yield self._awaits
        yield from self._rest

    def close(self) -> None:
        """Give up the rest."""
        self._rest.close()
