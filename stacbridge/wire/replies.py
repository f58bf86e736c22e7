"""The last answers of one upstream to searches, for those who ask the same soon, or at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stacbridge.errors import UpstreamError
from stacbridge.model import Reply, Request
from stacbridge.wire.remembered import Remembered

Send = Callable[[Request], Reply]


class Replies:
    """Remembers answers for `seconds`, `size` bytes of bodies at most. Safe to share between threads.

    They belong to one upstream and one account: what decides an answer is the request alone.
    """

    def __init__(
        self,
        seconds: float,
        size: int,
        send: Send,
        *,
        note: Callable[[bool], None] = lambda known: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Answer what is not remembered by `send`; its failures are not. `note` is told of each look-up."""
        self._send = send
        self._kept: Remembered[Reply] = Remembered(
            seconds, size, weigh=lambda reply: len(reply.body), note=note, clock=clock
        )

    @contextmanager
    def reading(self) -> Iterator[Send]:
        """Give the function that answers requests; forget its answers where they turn out to be none."""
        asked = []

        def find(request: Request) -> Reply:
            key = (request.method, request.url, request.params, request.body)
            asked.append(key)
            return self._kept.get(key, lambda: self._send(request))

        try:
            yield find
        except UpstreamError:
            for key in asked:
                self._kept.forget(key)
            raise
