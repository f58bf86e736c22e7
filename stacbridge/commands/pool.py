"""Work in a few threads that never keep the process from ending."""

from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def each(work: Callable[[T], R], things: Sequence[T], threads: int) -> Iterator[tuple[T, R | Exception]]:
    """Yield each thing with what `work` made of it, or the exception it raised, as they finish.

    The threads are daemons, so that ctrl-C need not wait for a blocked read.
    """
    waiting: SimpleQueue[T] = SimpleQueue()
    done: SimpleQueue[tuple[T, R | Exception]] = SimpleQueue()
    for thing in things:
        waiting.put(thing)

    def worker() -> None:
        while True:
            try:
                thing = waiting.get_nowait()
            except Empty:
                return
            try:
                done.put((thing, work(thing)))
            except Exception as error:
                done.put((thing, error))

    for _ in range(min(threads, len(things))):
        Thread(target=worker, daemon=True).start()
    for _ in things:
        yield done.get()
