"""Processes that take orders and drive them as a bridge does, ready to be killed."""

import os
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from conformance.orders.archive import FORK
from stacbridge.federation import Federation
from stacbridge.orders.desk import Desk
from stacbridge.orders.records import OPEN, Order
from stacbridge.settings import Settings
from stacbridge.upstream import Upstream
from tests.orders import lta
from tests.orders.waiting import until

WHO = "ada"
MOST = 10**6
PATIENT = {"connect_timeout": 0.5, "read_timeout": 1.0, "upstream_deadline": 0.5, "order_lease": 3.1}
"""Seconds: short, so that what a killed process held is taken up soon."""
QUICK = {"order_poll": 0.2, "order_poll_most": 0.5, "order_check_seconds": 10**6}


def settings(url: str, store: Any, **more: Any) -> Settings:
    """Settings of a bridge that is killed often."""
    return lta.settings(url, store, **PATIENT, **QUICK, **more)


class Bridge:
    """A process with a desk and its workers. `acknowledged` gives the ids of orders as they are promised."""

    def __init__(
        self, catalogue: Upstream, given: Settings, items: Sequence[str], barrier: Any = None
    ) -> None:
        self.acknowledged, theirs = FORK.Pipe(duplex=False)
        self._process = FORK.Process(
            target=_work, args=(catalogue, given, items, theirs, barrier), daemon=True
        )
        self._process.start()
        theirs.close()

    def kill(self) -> list[tuple[str, str]]:
        """Kill the process with SIGKILL, and return what it had promised: ids of orders, and their items."""
        self._process.kill()
        self._process.join()
        promised: list[tuple[str, str]] = []
        try:
            while True:
                promised.append(self.acknowledged.recv())
        except (EOFError, OSError):
            return promised


def _work(
    catalogue: Upstream, given: Settings, items: Sequence[str], promised: Connection, barrier: Any
) -> None:
    federation = Federation([catalogue], given)
    desk = Desk(federation, given)
    desk.start()
    if barrier is not None:
        barrier.wait()
    for item in items:
        _, (order,) = desk.place_all([(lta.COLLECTION, item)], WHO, lambda id: f"http://bridge/orders/{id}")
        promised.send((order.id, item))
    until(lambda: os.getppid() == 1, patience=3600)


def finish(catalogue: Upstream, given: Settings) -> list[Order]:
    """Drive orders in this process until none is open, and return all."""
    federation = Federation([catalogue], given)
    desk = Desk(federation, given)
    desk.start()
    try:
        until(lambda: not any(order.state in OPEN for order in desk.orders(WHO, MOST)), patience=300)
        return desk.orders(WHO, MOST)
    finally:
        desk.stop()
        federation.close()
