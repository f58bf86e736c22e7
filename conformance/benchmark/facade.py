"""What the facade costs: cold start, and what it adds to a page of 100 items over the upstream's own answer.

`python -m conformance.benchmark.facade` prints seconds to the first 200, and per page milliseconds and CPU.
Pages differ by what their items hold, so three collections are asked: one with a single file a product, one
with eleven, one with forty-three. Nothing is compressed: neither is the upstream's answer.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import requests

from conformance.benchmark.processes import cpu_seconds, peak_megabytes
from conformance.benchmark.served import bridge, simulator

TYPES = {
    "sentinel-5p-l2-co-offl": ("SENTINEL-5P", "L2__CO____"),
    "sentinel-1-grd": ("SENTINEL-1", "IW_GRDH_1S-COG"),
    "sentinel-2-l2a": ("SENTINEL-2", "S2MSI2A"),
}
"""A STAC Collection, and the OData collection and product type that it is made of."""


def question(family: str, product_type: str) -> list[tuple[str, str]]:
    """Return what the upstream is asked for the same 100 products."""
    named = (
        "Attributes/OData.CSC.StringAttribute/any(att:att/Name eq 'productType'"
        f" and att/OData.CSC.StringAttribute/Value eq '{product_type}')"
    )
    return [
        ("$filter", f"Collection/Name eq '{family}' and {named}"),
        ("$orderby", "ContentDate/Start desc"),
        ("$top", "100"),
        *[("$expand", part) for part in ("Attributes", "Assets", "Locations")],
    ]


def cold_start(announced: dict[str, Any], rounds: int) -> float:
    """Return the median of seconds from starting the process to its first 200.

    The very first start, which may have to compile bytecode, is left out.
    """
    times = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        with bridge(announced):
            times.append(time.perf_counter() - begun)
    return statistics.median(times[1:])


def milliseconds(ask: Callable[[], requests.Response]) -> float:
    """Return how long one call takes."""
    begun = time.perf_counter()
    answer = ask()
    elapsed = (time.perf_counter() - begun) * 1000
    answer.raise_for_status()
    return elapsed


def pages(announced: dict[str, Any], url: str, pid: int, collection: str, count: int) -> None:
    """Ask the bridge and the upstream in turn for the same page; print medians and CPU per page."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    asked = question(*TYPES[collection])

    def ask_bridge() -> requests.Response:
        return session.post(f"{url}/search", json={"collections": [collection], "limit": 100})

    def ask_upstream() -> requests.Response:
        return session.get(f"{announced['catalogue_url']}/Products", params=asked)

    for _ in range(5):
        assert len(ask_bridge().json()["features"]) == len(ask_upstream().json()["value"]) == 100
    through, direct = [], []
    before = cpu_seconds(pid)
    for _ in range(count):
        through.append(milliseconds(ask_bridge))
        direct.append(milliseconds(ask_upstream))
    cpu = (cpu_seconds(pid) - before) * 1000 / count
    ours, theirs = statistics.median(through), statistics.median(direct)
    print(
        f"{collection:24} {len(ask_bridge().content) // 1000:6} kB  upstream {theirs:5.1f} ms"
        f"  bridge {ours:5.1f} ms  adds {ours - theirs:5.1f} ms  CPU of the bridge {cpu:5.1f} ms"
    )


def main() -> None:
    """Print the figures and the goals they are held to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    with simulator() as announced:
        print(f"cold start to first 200: {cold_start(announced, options.starts):.2f} s (goal: under 1.5)")
        with bridge(announced) as (process, url):
            for collection in TYPES:
                pages(announced, url, process.pid, collection, options.pages)
            print("(goal: under 8 ms of CPU)")
            print(f"peak memory of the bridge: {peak_megabytes(process.pid):.0f} MB")


if __name__ == "__main__":
    main()
