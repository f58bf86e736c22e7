"""What is done behind downloads, in threads: soon, and once for many that want the same."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

log = logging.getLogger(__name__)

DELAY = 1.0
"""Seconds in which those that want the same are waited for: a file is often read in a hundred parts."""

Call = tuple[Callable[..., Any], tuple[Any, ...]]


class Background:
    """Calls that nobody waits for, made by `threads`; what they raise goes to the log."""

    def __init__(self, threads: Executor, delay: float = DELAY) -> None:
        self._threads = threads
        self._delay = delay
        self._due: dict[Call, asyncio.TimerHandle] = {}
        self._under_way: set[asyncio.Future[None]] = set()

    def later(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Have a function called, once however often that is asked for until then.

        It is called in the context of who asked first. The arguments must be hashable.
        """
        call = (function, arguments)
        if call not in self._due:
            loop = asyncio.get_running_loop()
            self._due[call] = loop.call_later(self._delay, self._begin, call)

    async def finish(self) -> None:
        """Call at once whatever is to be called, and return when all is done."""
        for call, timer in [*self._due.items()]:
            timer.cancel()
            self._begin(call)
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _begin(self, call: Call) -> None:
        del self._due[call]
        began = asyncio.get_running_loop().run_in_executor(self._threads, _logged, *call)
        self._under_way.add(began)
        began.add_done_callback(self._under_way.discard)


def _logged(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        function(*arguments)
    except Exception:
        log.exception("%s failed.", function.__qualname__)
