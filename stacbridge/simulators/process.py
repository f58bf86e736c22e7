"""The simulator as a process of its own, run until it is told to stop."""

import os
import signal
import sys
import threading

import orjson

from .demo import everything
from .downloads import CONNECTIONS
from .server import CdseSimulator


def serve(
    host: str = "127.0.0.1",
    ports: tuple[int, int, int] = (0, 0, 0),
    *,
    size: int = 100_000,
    large_bytes: int | None = None,
    connections: int = CONNECTIONS,
    access_life: float = 600,
    held: int = 0,
    announce_json: bool = False,
    until_stdin_closes: bool = False,
) -> None:
    """Run the simulator until SIGTERM or SIGINT, or until standard input closes if asked to.

    Call it from the main thread. Prints the URLs and the demonstration credentials when ready: as one line
    of JSON with `announce_json`.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with CdseSimulator(
        size,
        host=host,
        ports=ports,
        large_bytes=large_bytes,
        connection_limit=connections,
        access_life=access_life,
        held=held,
    ) as simulator:
        facts = simulator.announcement() | ({"large_id": simulator.large_id} if large_bytes else {})
        if announce_json:
            print(orjson.dumps(facts).decode(), flush=True)
        else:
            print("\n".join(f"{name:14} {value}" for name, value in facts.items()), flush=True)
        if until_stdin_closes:
            threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
        stop.wait()


def serve_all(size: int = 100_000) -> None:
    """Run the simulators of all catalogues, announced as one line of JSON, until standard input closes or
    SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with everything(size) as sites:
        print(orjson.dumps(sites).decode(), flush=True)
        threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
        stop.wait()


def _wait_for_end(stop: threading.Event) -> None:
    descriptor = sys.stdin.fileno()  # read past the buffer, whose lock would outlive the interpreter
    while os.read(descriptor, 4096):
        pass
    stop.set()
