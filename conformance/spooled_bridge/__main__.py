"""Run a bridge: `python -m conformance.spooled_bridge UPSTREAM STORAGE FOLDER`.

It fetches from the URL UPSTREAM into FOLDER, and to a bucket of the simulator at STORAGE. Prints its port,
and stops when stdin closes.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.unit.bucket_kit import bucket
from tests.unit.download_servers import Bridge, in_front_of


@dataclass
class There:
    """A server that another process runs."""

    url: str


def main() -> None:
    """Serve until nobody holds on to stdin."""
    upstream, storage, folder = sys.argv[1:]
    place = in_front_of(There(upstream), ranges=False)
    with Bridge(place, spool_folder=Path(folder), spool_bucket=bucket(storage)) as bridge:
        print(f"Ready: {bridge.port}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
