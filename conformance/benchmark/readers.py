"""Memory with 1,000 slow readers, and how long searches and `/healthz` take beside them.

    python -m conformance.benchmark.readers [--readers N]

One reader in ten takes 256 kB a second, the others never read. Each has a stream of its own from upstream.
"""

import argparse
import resource
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import requests

from conformance.benchmark.crowded import COLLECTION, HREF
from conformance.benchmark.processes import free_port, peak_megabytes, stopped
from conformance.benchmark.served import until_answered

READERS = 1000
RATE = 256 * 1024
"""Bytes a second of those who read."""
EACH = 256 * 1024
"""Bytes of memory that a reader may cost, where there are many."""
FEW = 96 * 1024 * 1024
"""Bytes of memory that few may cost together: buffers are large while they make streams fast."""
SLOWEST = 0.5
"""Seconds that searches and `/healthz` may take at most, in 95 of 100 cases."""
TIMES = 10
"""Times as long as alone that they may take where other work keeps the machine busy."""
READING = 10
"""One in so many reads at all."""
TICK = 0.1
ROUNDS = 50
PATIENCE = 60


@dataclass(frozen=True)
class Beside:
    """95th percentiles of seconds."""

    healthz: float
    search: float


@dataclass(frozen=True)
class Figures:
    """What a crowd costs. Memory is resident, in bytes; `taken` are bytes a second of each who read."""

    readers: int
    alone: Beside
    beside: Beside
    before: float
    most: float
    taken: float

    @property
    def each(self) -> float:
        """Bytes of memory for each reader."""
        return (self.most - self.before) / self.readers

    @property
    def holds(self) -> bool:
        """Whether memory and times are within what is promised."""
        prompt = self.beside.healthz <= max(
            SLOWEST, TIMES * self.alone.healthz
        ) and self.beside.search <= max(SLOWEST, TIMES * self.alone.search)
        grown = self.most - self.before
        return grown <= max(FEW, EACH * self.readers) and prompt and self.taken >= RATE / 2

    def __str__(self) -> str:
        return (
            f"memory with {self.readers} slow readers: {self.before / 1e6:.0f} MB before,"
            f" {self.most / 1e6:.0f} MB at most, {self.each / 1000:.0f} kB each (goal: {EACH // 1000} kB"
            f" where they are many, {FEW // 10**6} MB in all where they are few)\n"
            f"p95 alone / beside them: /healthz {_ms(self.alone.healthz)} / {_ms(self.beside.healthz)},"
            f" search {_ms(self.alone.search)} / {_ms(self.beside.search)} (goal: {_ms(SLOWEST)})\n"
            f"each of those who read took {self.taken / 1024:.0f} kB/s (they want {RATE // 1024})"
        )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def measure(readers: int = READERS) -> Figures:
    """Let readers come to a bridge of its own, and measure it before and beside them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    port = free_port()
    module = [sys.executable, "-m", "conformance.benchmark.crowded"]
    begun = subprocess.Popen([*module, "origin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with stopped(begun) as origin:
        assert origin.stdout is not None
        upstream = origin.stdout.readline().decode().strip()
        with stopped(subprocess.Popen([*module, "bridge", str(port), upstream])) as bridge:
            url = f"http://127.0.0.1:{port}"
            until_answered(f"{url}/healthz", bridge)
            alone, before = percentiles(url), resident(bridge.pid)
            with crowd(port, readers) as pace:
                began, taken = time.monotonic(), pace.taken
                beside = percentiles(url)
                pace.wait(began + 5)
                rate = (pace.taken - taken) / (time.monotonic() - began) / pace.number
                return Figures(readers, alone, beside, before, peak_megabytes(bridge.pid) * 2**20, rate)


def resident(pid: int) -> float:
    """Return the bytes of memory that a process has now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def percentiles(url: str) -> Beside:
    """Return how long `/healthz` and a search take, in 95 of 100 cases."""
    with requests.Session() as session:
        session.trust_env = False

        def seconds(path: str) -> float:
            began = time.perf_counter()
            session.get(f"{url}{path}", timeout=PATIENCE).raise_for_status()
            return time.perf_counter() - began

        rounds = [
            (seconds("/healthz"), seconds(f"/search?collections={COLLECTION}&limit=10"))
            for _ in range(ROUNDS)
        ]
    healthz, search = (quantiles(column, n=20)[-1] for column in zip(*rounds, strict=True))
    return Beside(healthz, search)


class Pace(threading.Thread):
    """Takes `RATE` bytes a second from each of some connections, until it is told to end."""

    def __init__(self, connections: list[socket.socket]) -> None:
        super().__init__(name="readers")
        self.number = len(connections)
        self.taken = 0
        self._ended = threading.Event()
        self._ready = selectors.DefaultSelector()
        for connection in connections:
            self._ready.register(connection, selectors.EVENT_READ)

    def run(self) -> None:
        """Read a tick's worth from all, tick by tick."""
        began, ticks = time.monotonic(), 0
        while not self._ended.wait(max(0, began + ticks * TICK - time.monotonic())):
            ticks += 1
            for key, _ in self._ready.select(0):
                assert isinstance(key.fileobj, socket.socket)
                self.taken += len(key.fileobj.recv(int(RATE * TICK)))

    def wait(self, until: float) -> None:
        """Let them read until that time, on the monotonic clock."""
        self._ended.wait(max(0, until - time.monotonic()))

    def end(self) -> None:
        """Let nobody read any more."""
        self._ended.set()
        self.join()
        self._ready.close()


@contextmanager
def crowd(port: int, readers: int) -> Iterator[Pace]:
    """Have so many readers, once each of them has the head of its answer."""
    with ExitStack() as all:
        came = [all.enter_context(reader(port)) for _ in range(readers)]
        for connection in came:
            if not connection.recv(12, socket.MSG_PEEK).startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"The bridge answered {connection.recv(300)!r}.")
        pace = Pace(came[::READING])
        pace.start()
        try:
            yield pace
        finally:
            pace.end()


@contextmanager
def reader(port: int) -> Iterator[socket.socket]:
    """Ask for the file, and read nothing of it yet."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(f"GET {HREF} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield connection


def main() -> None:
    """Print the figures, and end with 1 where they are not as promised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=READERS)
    found = measure(parser.parse_args().readers)
    print(found)
    sys.exit(not found.holds)


if __name__ == "__main__":
    main()
