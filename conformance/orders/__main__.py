"""`python -m conformance.orders`: kill, race and measure the order book, and print what came of it."""

import argparse
import sys
import tempfile
from pathlib import Path

from pydantic import SecretStr

from conformance.orders import kills, rates, replicas
from stacbridge.orders.store import open_store
from stacbridge.settings import Settings
from tests.postgres import cluster, missing


def main() -> int:
    """Run the proofs that are asked for; all in full by default. Returns how many did not hold."""
    parser = argparse.ArgumentParser(prog="python -m conformance.orders", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="0: none")
    parser.add_argument("--products", type=int, default=1000, help="for two replicas; 0: none")
    parser.add_argument("--seconds", type=float, default=rates.SECONDS, help="for each rate; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        wrong = _killed(asked.kills, Path(name), asked.seed) if asked.kills else 0
        if reason := missing():
            print(f"replicas: not run, {reason}")
        if asked.products and not missing():
            wrong += _raced(asked.products)
        if asked.seconds:
            _measured(Path(name), asked.seconds)
    return wrong


def _killed(number: int, folder: Path, seed: int) -> int:
    found = kills.run(number, folder, seed)
    holds = not found.lost and not found.twice
    print(
        f"kills: {'pass' if holds else 'FAIL'}: {found.kills} x SIGKILL (seed {seed}), {found.hit} left"
        f" an order on its way; {found.promised} orders promised, {len(found.lost)} lost;"
        f" {found.ordered} orders upstream, {len(found.twice)} products ordered twice",
        flush=True,
    )
    return not holds


def _raced(products: int) -> int:
    with cluster() as url:
        found = replicas.run(products, url)
    holds = found.ordered == found.products and not found.twice and not found.unfinished
    print(
        f"replicas: {'pass' if holds else 'FAIL'}: 2 processes on one PostgreSQL, the same {found.products}"
        f" products; {found.ordered} orders upstream, {found.twice} twice, {found.unfinished} unfinished;"
        f" {found.seconds:.1f} s",
        flush=True,
    )
    return not holds


def _measured(folder: Path, seconds: float) -> None:
    _rated("SQLite, WAL, synchronous=FULL", f"sqlite:///{folder / 'rates.sqlite'}", seconds)
    if not missing():
        with cluster() as url:
            _rated("PostgreSQL, synchronous_commit=on", url, seconds)


def _rated(name: str, url: str, seconds: float) -> None:
    database = open_store(Settings(order_store=SecretStr(url)))
    for threads in (1, 8):
        rate = rates.run(database, threads, seconds)
        share = rate.orders / rate.floor
        print(
            f"rate: {name}, {threads} threads: {rate.orders:.0f} orders/s, floor {rate.floor:.0f} commits/s"
            f" ({share:.2f} of it)",
            flush=True,
        )
    database.close()


if __name__ == "__main__":
    sys.exit(main())
