"""`python -m stacbridge.simulators`: run the simulator until told to stop."""

import argparse
import signal
import sys
import threading

import orjson

from .server import CdseSimulator


def serve(
    host: str = "127.0.0.1",
    ports: tuple[int, int, int] = (0, 0, 0),
    *,
    size: int = 100_000,
    large_bytes: int | None = None,
    announce_json: bool = False,
    until_stdin_closes: bool = False,
) -> None:
    """Run the simulator until SIGTERM or SIGINT, or until standard input closes if asked to; call from the
    main thread.

    Prints the URLs and the demonstration credentials when ready, as one line of JSON with `announce_json`.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with CdseSimulator(size, host=host, ports=ports, large_bytes=large_bytes) as simulator:
        facts = simulator.announcement() | ({"large_id": simulator.large_id} if large_bytes else {})
        if announce_json:
            print(orjson.dumps(facts).decode(), flush=True)
        else:
            print("\n".join(f"{name:14} {value}" for name, value in facts.items()), flush=True)
        if until_stdin_closes:
            threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
        stop.wait()


def _wait_for_end(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m stacbridge.simulators", description="Simulate Copernicus CDSE."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=0, help="port of the catalogue; the two others follow; 0: any"
    )
    parser.add_argument("--size", type=int, default=100_000, help="number of products")
    parser.add_argument("--large-bytes", type=int, help="make one product this long")
    parser.add_argument(
        "--announce-json", action="store_true", help="one line of JSON; stop when stdin closes"
    )
    args = parser.parse_args()
    ports = (args.port, args.port + 1, args.port + 2) if args.port else (0, 0, 0)
    serve(
        args.host,
        ports,
        size=args.size,
        large_bytes=args.large_bytes,
        announce_json=args.announce_json,
        until_stdin_closes=args.announce_json,
    )


if __name__ == "__main__":
    main()
