"""What a small read of a large file costs: GDAL and QGIS look into remote images by the hundred of those.

    python -m conformance.benchmark.reads [--reads N] [--rounds N]

Each read is a request for a part (`Range`) on a connection of its own, many at once, over TLS upstream. The
peer is nginx on the same upstream, as in `conformance.benchmark.downloads`; everything shares the machine's
cores, so the CPU time of one read is the figure that transfers.
"""

import argparse
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from conformance.benchmark.downloads import Target, bridge, drain
from conformance.benchmark.processes import free_port
from conformance.benchmark.upstreams import FILE, SCHEMES, nginx

PART = 16 * 1024
"""Bytes of a read: a block of the file's directory, as GDAL reads first."""
AT_ONCE = 16
SIZE = 64 * 1024 * 1024


def measure(target: Target, reads: int) -> tuple[float, float]:
    """Return the seconds and the CPU seconds of one read, over `reads` of them."""
    before, start = target.cpu_seconds(), time.perf_counter()
    for _ in range(reads // AT_ONCE):
        drain(target.ports["tls"], target.path, AT_ONCE, AT_ONCE * PART)
    seconds = time.perf_counter() - start
    return seconds / reads, (target.cpu_seconds() - before) / reads


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reads", type=int, default=1600, help="reads of each server in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, nginx(Path(name), SIZE) as servers:
        environment = os.environ | {"SSL_CERT_FILE": f"{name}/authority.pem"}
        origins = [f"{scheme}://localhost:{servers.upstreams[wire]}" for wire, scheme in SCHEMES.items()]
        with bridge(free_port(), origins, environment) as (pid, port):
            targets = {
                "nginx": Target((servers.pid,), servers.proxies, f"/{FILE}"),
                "bridge": Target((pid,), {"tls": port}, f"/assets/tls/c/i/a/{FILE}"),
            }
            report(targets, options.reads, options.rounds)


def report(targets: dict[str, Target], reads: int, rounds: int) -> None:
    """Measure the servers in turn, and print the medians."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for target in targets.values():
        measure(target, reads)
    for _ in range(rounds):
        for name, target in targets.items():
            found[name].append(measure(target, reads))
    print(f"reads of {PART // 1024} KiB, {AT_ONCE} at once, each on a connection of its own")
    for name, measured in found.items():
        seconds, cpu = (median(each) for each in zip(*measured, strict=True))
        print(f"{name:7} {1 / seconds:6.0f} reads/s, {cpu * 1000:5.2f} ms CPU a read")


if __name__ == "__main__":
    main()
