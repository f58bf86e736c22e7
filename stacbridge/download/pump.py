"""From a source of bytes to a client in constant memory; a body that ends cleanly is whole."""

from collections.abc import Awaitable, Generator
from io import RawIOBase
from typing import Any, Protocol

from stacbridge.download.client import Answer
from stacbridge.download.pieces import Drain, Piece
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


async def pump(flow: Flow, answer: Answer, idle: float) -> None:
    """Hand what flows to `answer`, and the end only after all of it.

    Raises what `flow` raises, and `TimeoutError` when the client takes nothing for `idle` seconds. The
    client's connection must then be cut, never ended cleanly.
    """
    outlet = Outlet(answer)
    try:
        with Watch(idle) as watch:
            while await flow.flow(outlet):
                watch.start()
                await outlet.emptied()
                watch.stop()
    except TimeoutError:
        raise TimeoutError(f"The client took nothing for {idle:g} s, after {outlet.sent} bytes.") from None
    finally:
        await outlet.close()
    await answer.end()


class Outlet:
    """The way to one client: pieces go at once while it takes them. `sent` counts their bytes."""

    def __init__(self, answer: Answer) -> None:
        self.sent = self._lent = 0
        self.pipes = answer.pipes
        self._answer = answer
        self._begun: Begun | None = None

    @property
    def open(self) -> bool:
        """Whether the client has taken everything."""
        return self._begun is None

    def give(self, piece: Piece) -> None:
        """Send what goes of a piece without waiting, and keep a copy of the rest; only while `open`."""
        count = self._answer.write(piece)
        self.sent += count
        self._lent += count
        if count < len(piece):
            rest = bytes(piece[count:])
            self._begin({"type": "http.response.body", "body": rest, "more_body": True}, len(rest))

    def give_pipe(self, end: RawIOBase, count: int) -> None:
        """Send what is in a pipe, as far as that goes without waiting; only while `open`, if it `pipes`."""
        self._begin({"type": ZERO_COPY, "file": end, "count": count, "more_body": True}, count)

    def _begin(self, message: dict[str, Any], count: int) -> None:
        begun = Begun(self._answer.send(message))
        self.sent += count
        self._begun = None if begun.done else begun

    async def emptied(self) -> None:
        """Return once it is open. Raises what sending raises."""
        if self._begun is not None:
            await self._begun
            self._begun = None

    async def close(self) -> None:
        """Give up what is not sent yet, and say what went past the server."""
        if self._begun is not None:
            self._begun.close()
        if self._lent:
            await self._answer.send({"type": LENT, "count": self._lent, "more_body": True})


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
