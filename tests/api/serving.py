"""Real servers on loopback, for clients that bring their own HTTP."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

PATIENCE = 10


class Server(uvicorn.Server):
    """A uvicorn server that says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup()
        self.ready.set()


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve `app` with the parts that the bridge is served with; yield its URL."""
    config = uvicorn.Config(
        app, port=0, http="httptools", loop="uvloop", log_config=None, proxy_headers=False
    )
    server = Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.ready.wait(PATIENCE)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


class Products(http.server.BaseHTTPRequestHandler):
    """Answers every path with the same few bytes, as an archive's download service would."""

    protocol_version = "HTTP/1.1"
    content = b"II*\x00" + bytes(60)

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.content)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/tiff")
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def products() -> Iterator[str]:
    """Serve `Products`; yield its URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Products) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(PATIENCE)
