"""SIGKILL at random points while orders are pending: none may be lost, none ordered twice."""

import random
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from conformance.orders import archive
from conformance.orders.bridges import Bridge, finish, settings
from stacbridge.simulators.lta_orders import LtaFaults
from tests.orders import lta

EACH = 2
"""Orders that each process takes before it is killed, if it comes so far."""
LONGEST = 0.25
"""Seconds that a process lives at most."""
FAULTS = LtaFaults(queue_seconds=0.2, staging_seconds=0.5)


@dataclass(frozen=True)
class Outcome:
    """What came of it. `lost` are ids that were promised and did not succeed, `twice` products."""

    kills: int
    promised: int
    hit: int
    lost: list[str]
    twice: list[str]
    ordered: int


def run(kills: int, folder: Path, seed: int = 1) -> Outcome:
    """Kill that many bridges one after another, and let the last one finish."""
    chance, never = random.Random(seed), threading.Event()
    with archive.running(kills * EACH, FAULTS) as behind:
        given = settings(behind.url, folder / "orders.sqlite")
        catalogue = lta.catalogue(given)
        promised: dict[str, str] = {}
        hit = 0
        for number in range(kills):
            bridge = Bridge(catalogue, given, behind.items[number * EACH : (number + 1) * EACH])
            never.wait(chance.uniform(0.02, LONGEST))
            promised.update(bridge.kill())
            hit += (folder / "orders.sqlite").exists() and _being_sent(folder / "orders.sqlite")
        ended = {order.id: order.state for order in finish(catalogue, given)}
        counts = behind.ordered()
    lost = [id for id in promised if ended.get(id) != "succeeded"]
    twice = [product for product, number in counts.items() if number > 1]
    return Outcome(kills, len(promised), hit, lost, twice, sum(counts.values()))


def _being_sent(file: Path) -> bool:
    """Tell whether the process died while an order was on its way."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            found = connection.execute("SELECT count(*) FROM products WHERE state = 'sending'").fetchone()
        except sqlite3.OperationalError:  # it died before there were tables
            return False
    return bool(found[0])
