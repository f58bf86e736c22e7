"""What slow readers read from, each a process: a whole bridge with one file, and the upstream that has it.

    python -m conformance.benchmark.crowded origin              prints its URL; ends with its stdin
    python -m conformance.benchmark.crowded bridge PORT URL

The bridge's account may have as many connections as there are readers, so that each has a stream of its own.
"""

import resource
import sys

from stacbridge.app import create_app
from stacbridge.commands.bridge import listen, serve
from stacbridge.draining import Drain
from stacbridge.memory import MemoryCatalogue
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act, Chaos
from tests.api.archive import collection, item

COLLECTION = "scenes"
ITEMS = 100
MANY = 5000
FILE = b"II*\x00" + bytes(64 * 1024 * 1024)
HREF = f"/assets/wide/{COLLECTION}/{COLLECTION}-0000/image/{COLLECTION}-0000.tif"


class Wide(MemoryCatalogue):
    """A catalogue whose account may have any number of connections."""

    connections = MANY


def bridge(port: int, upstream: str) -> None:
    """Serve `HREF`, searches and `/healthz`."""
    items = [item(COLLECTION, number, upstream) for number in range(ITEMS)]
    settings = Settings(max_streams_per_user=MANY, max_streams=MANY)
    drain = Drain(settings.drain_seconds, settings.drain_notice)
    app = create_app(settings, [Wide("wide", [collection(COLLECTION)], items)], drain)
    with listen("127.0.0.1", port) as listening:
        serve(app, [listening], lambda: None, settings.head_timeout, drain)


def origin() -> None:
    """Serve the file until stdin ends."""
    with Chaos(FILE, Act()) as upstream:
        print(upstream.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    origin() if sys.argv[1] == "origin" else bridge(int(sys.argv[2]), sys.argv[3])
