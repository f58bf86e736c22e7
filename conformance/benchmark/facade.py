"""What the facade costs: cold start, and what it adds to a page of 100 items over the upstream's own answer.

`python -m conformance.benchmark.facade` prints seconds to the first 200, and per page milliseconds and CPU.
"""

import argparse
import statistics
import time
from typing import Any

import requests

from conformance.benchmark.processes import cpu_seconds, peak_megabytes
from conformance.benchmark.served import bridge, simulator

PAGE: dict[str, Any] = {"collections": ["sentinel-2-l2a"], "limit": 100}
FILTER = (
    "Collection/Name eq 'SENTINEL-2' and Attributes/OData.CSC.StringAttribute/any("
    "att:att/Name eq 'productType' and att/OData.CSC.StringAttribute/Value eq 'S2MSI2A')"
)
QUESTION = [
    ("$filter", FILTER),
    ("$orderby", "ContentDate/Start desc"),
    ("$top", "100"),
    *[("$expand", part) for part in ("Attributes", "Assets", "Locations")],
]


def cold_start(announced: dict[str, Any], rounds: int) -> float:
    """Return the median of seconds from starting the process to its first 200."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        with bridge(announced):
            times.append(time.perf_counter() - begun)
    return statistics.median(times)


def milliseconds(ask: Any) -> float:
    """Return how long one call takes."""
    begun = time.perf_counter()
    answer = ask()
    elapsed = (time.perf_counter() - begun) * 1000
    answer.raise_for_status()
    return elapsed


def pages(announced: dict[str, Any], count: int) -> dict[str, float]:
    """Ask the bridge and the upstream in turn for the same page; return medians and CPU per page."""
    session = requests.Session()
    session.trust_env = False
    with bridge(announced) as (process, url):

        def ask_bridge() -> requests.Response:
            return session.post(f"{url}/search", json=PAGE)

        def ask_upstream() -> requests.Response:
            return session.get(f"{announced['catalogue_url']}/Products", params=QUESTION)

        for _ in range(5):
            assert len(ask_bridge().json()["features"]) == len(ask_upstream().json()["value"]) == 100
        through, direct = [], []
        before = cpu_seconds(process.pid)
        for _ in range(count):
            through.append(milliseconds(ask_bridge))
            direct.append(milliseconds(ask_upstream))
        used = cpu_seconds(process.pid) - before
        return {
            "bridge_ms": statistics.median(through),
            "upstream_ms": statistics.median(direct),
            "cpu_ms": used * 1000 / count,
            "peak_mb": peak_megabytes(process.pid),
        }


def main() -> None:
    """Print the figures and the goals they are held to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    with simulator() as announced:
        start = cold_start(announced, options.starts)
        cost = pages(announced, options.pages)
    added = cost["bridge_ms"] - cost["upstream_ms"]
    print(f"cold start to first 200       {start:8.2f} s        goal < 1.5 s")
    print(f"100-item page, upstream alone {cost['upstream_ms']:8.2f} ms")
    print(f"100-item page, bridge         {cost['bridge_ms']:8.2f} ms       adds {added:.2f} ms")
    print(f"CPU of the bridge per page    {cost['cpu_ms']:8.2f} ms       goal < 8 ms")
    print(f"peak memory of the bridge     {cost['peak_mb']:8.1f} MB")


if __name__ == "__main__":
    main()
