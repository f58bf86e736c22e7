"""Searches of 100 items, many at once, over an upstream that takes a second.

    python -m conformance.benchmark.load [--seconds 1] [--rounds 5]

Prints the 50th and 99th percentile of the time that a search takes, and CPU of the bridge, at 1, 16 and 200
in flight. Each search is of another time, so that no answer serves two of them.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import quantiles

import aiohttp

from conformance.benchmark.processes import cpu_seconds, free_port, peak_megabytes, stopped
from conformance.benchmark.served import bridge, until_answered
from conformance.benchmark.translate import PRODUCTS

IN_FLIGHT = (1, 16, 200)
NUMBERS = count()


def search() -> dict[str, object]:
    """Return a search that was not asked before."""
    start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=next(NUMBERS))
    return {
        "collections": ["sentinel-2-l2a"],
        "limit": PRODUCTS,
        "datetime": f"{start:%Y-%m-%dT%H:%M:%SZ}/..",
    }


async def timed(session: aiohttp.ClientSession, url: str) -> float:
    """Return how long one search takes, its items read."""
    begun = time.perf_counter()
    async with session.post(f"{url}/search", json=search()) as answer:
        body = await answer.read()
        assert answer.status == 200, body[:300]
    assert body.count(b'"type":"Feature"') == PRODUCTS
    return time.perf_counter() - begun


async def loaded(url: str, in_flight: int, rounds: int) -> list[float]:
    """Keep so many searches in flight, each `rounds` times in a row; return how long each took."""
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def client() -> list[float]:
            return [await timed(session, url) for _ in range(rounds)]

        return [one for own in await asyncio.gather(*(client() for _ in range(in_flight))) for one in own]


def main() -> None:
    """Print a line for each number of searches in flight."""
    parser = argparse.ArgumentParser(description="Measure searches over a slow upstream.")
    parser.add_argument("--seconds", type=float, default=1.0, help="what the upstream takes")
    parser.add_argument("--rounds", type=int, default=5, help="searches of each client, one after another")
    given = parser.parse_args()
    port = free_port()
    command = [sys.executable, "-m", "conformance.benchmark.slow", str(port), str(given.seconds)]
    with stopped(subprocess.Popen(command)) as upstream:
        until_answered(f"http://127.0.0.1:{port}/", upstream)
        urls = {
            f"{name}_url": f"http://127.0.0.1:{port}/{name}" for name in ("catalogue", "download", "token")
        }
        with bridge({**urls, "username": "benchmark", "password": "benchmark"}) as (process, url):
            asyncio.run(loaded(url, 16, 1))  # warm up
            for in_flight in IN_FLIGHT:
                measure(url, process.pid, in_flight, given.rounds)
            print(f"  peak memory of the bridge: {peak_megabytes(process.pid):.0f} MB")


def measure(url: str, pid: int, in_flight: int, rounds: int) -> None:
    """Print the figures of one number of searches in flight."""
    before, begun = cpu_seconds(pid), time.perf_counter()
    times = asyncio.run(loaded(url, in_flight, rounds))
    elapsed, cpu = time.perf_counter() - begun, cpu_seconds(pid) - before
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 100
    print(
        f"  {in_flight:3} in flight: p50 {cuts[49]:.3f} s, p99 {cuts[98]:.3f} s, "
        f"{len(times) / elapsed:.1f} searches/s, {1000 * cpu / len(times):.1f} ms of CPU each"
    )


if __name__ == "__main__":
    main()
