"""`python -m stacbridge.simulators`: run the simulator until told to stop."""

import argparse

from .process import serve


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m stacbridge.simulators", description="Simulate Copernicus CDSE.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="port of the catalogue; the two others follow; 0: any")
    parser.add_argument("--size", type=int, default=100_000, help="number of products")
    parser.add_argument("--large-bytes", type=int, help="make one product this long")
    parser.add_argument("--announce-json", action="store_true", help="one line of JSON; stop when stdin closes")
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
