"""How fast products pass through the bridge, against a tuned nginx on the same machine, upstream and client.

    python -m conformance.benchmark.downloads [--size MiB] [--rounds N]

nginx has a process for each core. `bridge` is one process, `bridges` are one for each core behind a shared
port; `accel` is nginx again, in front of a bridge that hands it the downloads (`X-Accel-Redirect`), and its
CPU time is that of both. Everything shares the machine's cores, so the megabytes a second are worth nothing
alone: read the ratio, and the CPU time for each gigabyte. Goals: a ratio of at least 0.9 through one bridge,
and through as many as nginx has processes; of 1 with `X-Accel-Redirect`; a peak below 150 MB of memory.
"""

import argparse
import os
import random
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from conformance.benchmark.processes import cpu_seconds, free_port, peak_megabytes, stopped, wait_for
from conformance.benchmark.upstreams import FILE, SCHEMES, nginx

SERVERS = ("nginx", "bridge", "bridges", "accel")
GOALS = {"bridge": 0.9, "bridges": 0.9, "accel": 1.0}
PEAK = 150
STREAMS = (1, 16, 64)
WIRES = tuple(SCHEMES)
MEGABYTE, GIGABYTE = 10**6, 10**9
SINK = bytearray(1024 * 1024)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is measured: who serves, what its upstream speaks, and how many streams run at once."""

    server: str
    wire: str
    streams: int


@dataclass(frozen=True, slots=True)
class Target:
    """A proxy under measurement: its processes, its ports by wire, and the path of the file there."""

    pids: tuple[int, ...]
    ports: dict[str, int]
    path: str

    def cpu_seconds(self) -> float:
        """Return the CPU time that it has used."""
        return sum(map(cpu_seconds, self.pids))


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement: bytes a second that the client took, CPU seconds a gigabyte that the proxy used."""

    rate: float
    cpu: float


def drain(port: int, path: str, streams: int, total: int) -> float:
    """Read `total` bytes over `streams` connections at once, throw them away, and return bytes a second."""
    size = total // streams
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-{size - 1}\r\nConnection: close\r\n\r\n"
    )
    start = time.perf_counter()
    with selectors.DefaultSelector() as ready:
        for _ in range(streams):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(asked.encode())
            ready.register(connection, selectors.EVENT_READ, Stream(connection, size))
        while ready.get_map():
            for key, _ in ready.select(60):
                if key.data.read():
                    ready.unregister(key.fileobj)
                    key.data.connection.close()
    return streams * size / (time.perf_counter() - start)


@dataclass(slots=True)
class Stream:
    """One connection of the client, and how many bytes of its body are still to come."""

    connection: socket.socket
    left: int
    started: bool = False

    def read(self) -> bool:
        """Take what is there; return whether the body is complete."""
        if self.started:
            got = self.connection.recv_into(SINK, len(SINK), socket.MSG_TRUNC)
        else:
            head, _, body = self.connection.recv(64 * 1024).partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 206"):
                raise SystemExit(f"The server answered {head[:200]!r}.")
            self.started, got = True, len(body)
            self.left -= got
            return self.left == 0
        if got == 0:
            raise SystemExit(f"The body ended {self.left} bytes short.")
        self.left -= got
        return self.left == 0


def measure(targets: dict[str, Target], cells: list[Cell], size: int, rounds: int) -> dict[Cell, list[Round]]:
    """Return the rounds of every cell, shuffled anew in each round."""
    found: dict[Cell, list[Round]] = defaultdict(list)
    for _ in range(rounds):
        for cell in random.sample(cells, len(cells)):
            target = targets[cell.server]
            before = target.cpu_seconds()
            rate = drain(target.ports[cell.wire], target.path.format(wire=cell.wire), cell.streams, size)
            found[cell].append(Round(rate, (target.cpu_seconds() - before) / size * GIGABYTE))
    return found


def report(found: dict[Cell, list[Round]], peak: float) -> None:
    """Print the medians, and the goals that they are held to."""
    columns = "  ".join(f"{server:>7}" for server in SERVERS)
    peers = "  ".join(f"{server:>7}" for server in SERVERS[1:])
    print(f"upstream  streams | MB/s: {columns} | ratio: {peers} | CPU s/GB: {columns}")
    ratios: dict[str, list[float]] = defaultdict(list)
    for wire in WIRES:
        for streams in STREAMS:
            rounds = {server: found[Cell(server, wire, streams)] for server in SERVERS}
            rates = [median(one.rate for one in rounds[server]) / MEGABYTE for server in SERVERS]
            cpus = [median(one.cpu for one in rounds[server]) for server in SERVERS]
            for server, rate in zip(SERVERS, rates, strict=True):
                ratios[server].append(rate / rates[0])
            speeds = "  ".join(f"{rate:7.0f}" for rate in rates)
            shares = "  ".join(f"{ratios[server][-1]:7.2f}" for server in SERVERS[1:])
            costs = "  ".join(f"{cpu:7.2f}" for cpu in cpus)
            print(f"{wire:8}  {streams:7} |       {speeds} |        {shares} |           {costs}")
    for server, goal in GOALS.items():
        print(f"{server}: lowest ratio {min(ratios[server]):.2f} (goal: {goal} or more)")
    print(f"peak memory of a bridge {peak:.0f} MB (goal: below {PEAK})")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=1024, help="MiB for each measurement, over all streams")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    size = options.size * 1024 * 1024
    with tempfile.TemporaryDirectory() as name, nginx(Path(name), size) as servers:
        environment = os.environ | {"SSL_CERT_FILE": f"{name}/authority.pem"}
        origins = [f"{scheme}://localhost:{servers.upstreams[wire]}" for wire, scheme in SCHEMES.items()]
        with (
            bridge(free_port(), origins, environment) as (passing, port),
            bridges(origins, environment) as (sharing, shared),
            bridge(servers.behind, origins, environment | {"STACBRIDGE_ACCEL": "/_upstream"}) as (handing, _),
        ):
            path = f"/assets/{{wire}}/c/i/a/{FILE}"
            targets = {
                "nginx": Target((servers.pid,), servers.proxies, f"/{FILE}"),
                "bridge": Target((passing,), dict.fromkeys(WIRES, port), path),
                "bridges": Target(sharing, dict.fromkeys(WIRES, shared), path),
                "accel": Target((servers.pid, handing), dict.fromkeys(WIRES, servers.front), path),
            }
            cells = [
                Cell(server, wire, streams) for server in targets for wire in WIRES for streams in STREAMS
            ]
            found = measure(targets, cells, size, options.rounds)
            report(found, max(map(peak_megabytes, (passing, *sharing))))


@contextmanager
def bridges(origins: list[str], environment: dict[str, str]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Run a bridge for each core; yield their process ids and the port that they share."""
    shared = free_port()
    sharing = environment | {"STACBRIDGE_SHARED_PORT": str(shared)}
    with ExitStack() as stack:
        running = [
            stack.enter_context(bridge(free_port(), origins, sharing)) for _ in range(os.cpu_count() or 1)
        ]
        yield tuple(pid for pid, _ in running), shared


@contextmanager
def bridge(port: int, origins: list[str], environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Run a bridge in front of the upstreams; yield its process id and its port."""
    command = [sys.executable, "-m", "conformance.benchmark.bridge", str(port), *origins]
    with stopped(subprocess.Popen(command, env=environment)) as process:
        wait_for(port)
        yield process.pid, port


if __name__ == "__main__":
    main()
