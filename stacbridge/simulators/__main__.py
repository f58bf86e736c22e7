"""`python -m stacbridge.simulators`: run the simulator until told to stop."""

import argparse

from .downloads import CONNECTIONS
from .process import serve, serve_all


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m stacbridge.simulators", description="Simulate Copernicus CDSE, or all catalogues."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of the catalogue; the two others follow; 0: any")
    parser.add_argument("--size", type=int, default=100_000, help="number of products")
    parser.add_argument("--large-bytes", type=int, help="make one product so long")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="downloads at once")
    parser.add_argument("--access-life", type=float, default=600, help="seconds that an access token lives")
    parser.add_argument("--held", type=int, default=0, help="products that come in only when published")
    parser.add_argument(
        "--announce-json", action="store_true", help="one line of JSON; stop when stdin closes"
    )
    parser.add_argument(
        "--all", action="store_true", help="all catalogues, as one line of JSON; stop when stdin closes"
    )
    args = parser.parse_args()
    if args.all:
        serve_all(args.size)
        return
    serve(
        args.host,
        (args.port, args.port + 1, args.port + 2) if args.port else (0, 0, 0),
        size=args.size,
        large_bytes=args.large_bytes,
        connections=args.connections,
        access_life=args.access_life,
        held=args.held,
        announce_json=args.announce_json,
        until_stdin_closes=args.announce_json,
    )


if __name__ == "__main__":
    main()
