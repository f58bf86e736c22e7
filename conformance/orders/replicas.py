"""Replicas on one PostgreSQL that order the same products at once: each is ordered once."""

from dataclasses import dataclass
from time import perf_counter

from conformance.orders import archive
from conformance.orders.archive import FORK
from conformance.orders.bridges import Bridge, finish, settings
from stacbridge.simulators.lta_orders import LtaFaults
from tests.orders import lta

FAULTS = LtaFaults(queue_seconds=0.2, staging_seconds=0.5)


@dataclass(frozen=True)
class Outcome:
    """How many products there were, how many orders the archive got, and how many ended otherwise."""

    products: int
    ordered: int
    twice: int
    unfinished: int
    seconds: float


def run(products: int, store: str, replicas: int = 2) -> Outcome:
    """Let replicas order the same products, from the same moment on."""
    with archive.running(products, FAULTS) as behind:
        given = settings(behind.url, store)
        catalogue = lta.catalogue(given)
        barrier = FORK.Barrier(replicas)
        began = perf_counter()
        bridges = [Bridge(catalogue, given, behind.items, barrier) for _ in range(replicas)]
        for bridge in bridges:
            for _ in behind.items:
                bridge.acknowledged.recv()
        ended = finish(catalogue, given)
        seconds = perf_counter() - began
        for bridge in bridges:
            bridge.kill()
        counts = behind.ordered()
    unfinished = sum(order.state != "succeeded" for order in ended) + products - len(ended)
    twice = sum(number > 1 for number in counts.values())
    return Outcome(products, sum(counts.values()), twice, unfinished, seconds)
