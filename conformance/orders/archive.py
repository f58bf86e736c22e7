"""A simulated long-term archive in a process of its own, which outlives the bridges that are killed."""

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from stacbridge.simulators.lta import LtaSimulator
from stacbridge.simulators.lta_orders import LtaFaults
from tests.orders import lta

FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Archive:
    """Where the archive is, which items it has, and what it was asked."""

    url: str
    items: list[str]
    pipe: Any

    def ordered(self) -> Counter[str]:
        """How often each product was ordered, by its id."""
        self.pipe.send(None)
        found: Counter[str] = self.pipe.recv()
        return found


@contextmanager
def running(items: int, faults: LtaFaults, size: int = 30_000) -> Iterator[Archive]:
    """Run the archive as long as the block lasts."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_serve, args=(theirs, items, faults, size), daemon=True)
    process.start()
    try:
        url, found = ours.recv()
        assert len(found) == items, f"the archive has only {len(found)} items"
        yield Archive(url, found, ours)
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection, items: int, faults: LtaFaults, size: int) -> None:
    with LtaSimulator(size) as simulator:
        simulator.faults = faults
        pipe.send((simulator.url, lta.items(simulator, items)))
        while True:
            pipe.recv()
            pipe.send(Counter(simulator.orders.taken))
