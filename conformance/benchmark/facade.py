"""What the facade costs: cold start, and what it adds to a page of 100 items over the upstream's own answer.

`python -m conformance.benchmark.facade` prints seconds to the first 200, and per page milliseconds and CPU.
Pages differ by what their items hold, so three collections are asked: one with a single file a product, one
with eleven, one with forty-three. Nothing is compressed: neither is the upstream's answer.

The upstream is the simulator, and then nginx, which keeps the simulator's answers and gives them at once: a
processor that has rested while the simulator was thinking takes longer over the same work. The CPU that the
bridge itself needs is therefore what is measured with nginx; and, since processors differ, beside what the
least facade takes (`least`), asked in turn with the bridge.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from conformance.benchmark.processes import cpu_seconds, peak_megabytes
from conformance.benchmark.served import bridge, least, simulator
from conformance.benchmark.upstreams import keeping

TYPES = {
    "sentinel-5p-l2-co-offl": ("SENTINEL-5P", "L2__CO____"),
    "sentinel-1-grd": ("SENTINEL-1", "IW_GRDH_1S-COG"),
    "sentinel-2-l2a": ("SENTINEL-2", "S2MSI2A"),
}
"""A STAC Collection, and the OData collection and product type that it is made of."""

TURN = 20
"""Pages that a facade is asked for before it is the other's turn."""


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


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of a page: of the upstream alone, through the bridge, and of the bridge's CPU."""

    upstream: float
    bridge: float
    cpu: float

    def __str__(self) -> str:
        adds = self.bridge - self.upstream
        return f"{self.upstream:8.1f} {self.bridge:6.1f} {adds:6.1f} {self.cpu:6.1f}"


def client() -> requests.Session:
    """Return what asks: without proxies, and for answers that are not compressed."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    return session


def page(announced: dict[str, Any], url: str, pid: int, collection: str, count: int) -> tuple[Cost, int]:
    """Ask the bridge and the upstream for the same page; return the medians, CPU per page, and its bytes."""
    session = client()
    asked = question(*TYPES[collection])

    def ask_bridge() -> requests.Response:
        return session.post(f"{url}/search", json={"collections": [collection], "limit": 100})

    def ask_upstream() -> requests.Response:
        return session.get(f"{announced['catalogue_url']}/Products", params=asked)

    for _ in range(5):
        assert len(ask_bridge().json()["features"]) == len(ask_upstream().json()["value"]) == 100
    direct = statistics.median(milliseconds(ask_upstream) for _ in range(count))
    before = cpu_seconds(pid)
    through = statistics.median(milliseconds(ask_bridge) for _ in range(count))
    cpu = (cpu_seconds(pid) - before) * 1000 / count
    return Cost(direct, through, cpu), len(ask_bridge().content)


@contextmanager
def kept(announced: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the simulator announces with nginx, which keeps its answers, in place of its catalogue."""
    url = announced["catalogue_url"]
    origin = url.removesuffix(urlsplit(url).path)
    with tempfile.TemporaryDirectory() as name, keeping(Path(name), origin) as keeper:
        yield announced | {"catalogue_url": url.replace(origin, keeper)}


def costs(announced: dict[str, Any], count: int) -> tuple[list[tuple[Cost, int]], float]:
    """Return what a page of each of `TYPES` costs with this upstream, and the bridge's peak of memory."""
    with bridge(announced) as (process, url):
        found = [page(announced, url, process.pid, collection, count) for collection in TYPES]
        return found, peak_megabytes(process.pid)


def beside_least(announced: dict[str, Any], count: int) -> list[tuple[float, float]]:
    """Return the CPU milliseconds of a page of each of `TYPES`, of the bridge and of the least facade.

    They are asked in turn, `TURN` pages each, so that both meet the same machine.
    """
    with bridge(announced) as ours, least(announced) as theirs, client() as session:
        found = []
        for collection in TYPES:
            turns = [
                [turn(session, url, process.pid, collection) for process, url in (ours, theirs)]
                for _ in range(1 + count // TURN)
            ]
            medians = [statistics.median(each) for each in zip(*turns[1:], strict=True)]
            found.append((medians[0], medians[1]))
        return found


def turn(session: requests.Session, url: str, pid: int, collection: str) -> float:
    """Ask a facade for `TURN` pages; return its CPU milliseconds for each."""
    before = cpu_seconds(pid)
    for _ in range(TURN):
        answer = session.post(f"{url}/search", json={"collections": [collection], "limit": 100})
        answer.raise_for_status()
    return (cpu_seconds(pid) - before) * 1000 / TURN


def main() -> None:
    """Print the figures and the goals they are held to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    with simulator() as announced:
        print(f"cold start to first 200: {cold_start(announced, options.starts):.2f} s (goal: under 1.5)")
        thinking, _ = costs(announced, options.pages)
        with kept(announced) as at_once:
            answering, peak = costs(at_once, options.pages)
            compared = beside_least(at_once, options.pages)
    print("ms a page:                       simulator                    its answers, kept by nginx")
    print(f"{'':24}      kB  alone bridge   adds    CPU      alone bridge   adds    CPU")
    for collection, (slow, size), (fast, _) in zip(TYPES, thinking, answering, strict=True):
        print(f"{collection:24} {size // 1000:7} {slow}  {fast}")
    print(f"(goal: under 8 ms of CPU; Python {platform.python_version()})")
    for collection, (ours, theirs) in zip(TYPES, compared, strict=True):
        ratio = ours / theirs
        print(f"{collection:24} {ours:.1f} ms of CPU, the least facade {theirs:.1f}: ratio {ratio:.2f}")
    print(f"peak memory of the bridge: {peak:.0f} MB")


if __name__ == "__main__":
    main()
