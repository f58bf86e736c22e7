"""A bridge that runs in this process."""

import gc
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Thread
from types import FrameType
from typing import Any

import uvicorn

from stacbridge.commands.protocol import bounded
from stacbridge.commands.zerocopy import zero_copy
from stacbridge.draining import Drain
from stacbridge.errors import Misconfigured, StacbridgeError

BACKLOG = 2048
# Objects made before the garbage collector looks at them; a page of 100 items is some 30,000.
YOUNG_OBJECTS = 50_000
# Seconds that answers other than downloads may take once the bridge no longer takes requests.
GRACE = 5
# The same for a bridge that a command starts for itself: by then it has what it wants, or ctrl-C was pressed.
OWN_GRACE = 1
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Server(uvicorn.Server):
    """A uvicorn server that says when it answers, and drains before it stops.

    The first signal begins the drain, during which it goes on answering; a second one ends it, and a third
    one waits for nothing. Signals are not raised again afterwards, as uvicorn does: that would kill the
    process before it has signed out, and one that stopped as it was told to has not failed.
    """

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], drain: Drain) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; stop, if that had begun; and at once, if that had, too."""
        self.force_exit = self.should_exit
        self.should_exit = self._drain.begun
        if self._drain.begun:
            self._drain.end()
        self._drain.begin()

    async def on_tick(self, counter: int) -> bool:
        """Leave shared sockets to others while it drains, and stop once nothing is left to wait for."""
        if self._drain.begun:
            for shared in self.servers[1:]:
                shared.close()
        self.should_exit = self.should_exit or self._drain.over
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        self._on_ready()


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Open a socket that the bridge answers on; port 0 lets the system choose.

    On one that is `shared` other processes may listen, too.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=shared)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        advice = "Choose another address with --host, another port with --port; port 0 takes any free one."
        raise Misconfigured(f"Cannot listen on {host} port {port}: {reason}.", advice=advice) from error


def url_of(listening: socket.socket) -> str:
    """Return the HTTP URL of a listening socket, for a client on this machine."""
    host, port = listening.getsockname()[:2]
    host = ANY.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def settle() -> None:
    """Spare the garbage collector what lives as long as the process, and records, which die young.

    A page is tens of thousands of small objects without cycles; looking through them every 700, as CPython
    does by default, takes up to a quarter of a search's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def serve(
    app: Any,
    listening: Sequence[socket.socket],
    on_ready: Callable[[], None],
    head_timeout: float,
    drain: Drain,
) -> None:
    """Serve an ASGI app in this thread until a signal, after which it drains.

    Meanwhile it takes new connections on the first socket only: others may share the rest. Heads of requests
    take `head_timeout` s at most. Headers of proxies are the app's own to believe or not.
    """
    config = uvicorn.Config(
        zero_copy(app),
        http=bounded(head_timeout),
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
    )
    settle()
    Server(config, on_ready, drain).run([*listening])


@contextmanager
def running(app: Any, drain_seconds: float = 0) -> Iterator[str]:
    """Serve an ASGI app on a free loopback port as long as the block lasts; gives its URL.

    What the app waits for when it stops may take `drain_seconds`.
    """
    outcome: SimpleQueue[bool] = SimpleQueue()
    config = uvicorn.Config(app, log_config=None, log_level="critical", timeout_graceful_shutdown=OWN_GRACE)
    server = Server(config, lambda: outcome.put(True), Drain(0))

    def run() -> None:
        with suppress(SystemExit):  # uvicorn's way to say that the app cannot start
            server.run([listening])
        outcome.put(False)

    with listen("127.0.0.1", 0) as listening:
        thread = Thread(target=run, daemon=True)
        thread.start()
        if not outcome.get():
            raise StacbridgeError("The bridge did not start.")
        try:
            yield url_of(listening)
        finally:
            server.should_exit = True
            thread.join(drain_seconds + GRACE)
