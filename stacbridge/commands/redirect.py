"""A page on this machine that a browser is sent back to after signing in (RFC 8252, section 7.3)."""

import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

PATH = "/signed-in"
THANKS = b"You can close this page and go back to the terminal.\n"
LONGEST_PAUSE = 1.0
"""Seconds for which a browser may keep a connection open without asking anything."""


class Landing(HTTPServer):
    """Listens on a free loopback port as long as the block lasts."""

    answer: Mapping[str, str] | None = None

    def __init__(self, expected: Callable[[Mapping[str, str]], bool] = bool) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.expected = expected

    @property
    def url(self) -> str:
        """Where the browser is to be sent."""
        return f"http://127.0.0.1:{self.server_port}{PATH}"

    def wait(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> Mapping[str, str] | None:
        """Return the parameters that a browser brings and `expected` accepts, `None` if none came in time."""
        deadline = clock() + seconds
        while self.answer is None and (left := deadline - clock()) > 0:
            self.timeout = left
            self.handle_request()
        return self.answer


class _Visit(BaseHTTPRequestHandler):
    """One visit. Whoever does not bring what is expected learns nothing."""

    server: Landing
    timeout = LONGEST_PAUSE

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        brought = dict(parse_qsl(target.query))
        if target.path != PATH or not self.server.expected(brought):
            self.send_error(404)
            return
        self.server.answer = brought
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(THANKS)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(THANKS)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the request line holds the code."""
