"""An upstream of downloads whose answers a script writes byte by byte, alone and with a bridge in front."""

import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import trustme

from tests.unit.download_servers import PATIENCE, Bridge, in_front_of, lowered


class Connection:
    """The upstream's side of one connection, in the hands of a script."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.open = True

    def answer(self, status: str = "200 OK", body: bytes = b"", **headers: str) -> None:
        """Send an answer; headers are named with `_` for `-`, and Content-Length is the body's if unsaid."""
        named = {"Content-Length": str(len(body))} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
        self.sock.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    def close(self) -> None:
        """End the connection in order."""
        self.open = False
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """End the connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.open = False
        self.sock.close()

    def stall(self) -> None:
        """Say nothing until the other side goes away."""
        with suppress(OSError):
            while self.sock.recv(65536):
                pass
        self.open = False


@dataclass
class Asked:
    """A request as the upstream heard it; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]


Script = Callable[[Asked, Connection], None]


class Upstream:
    """An HTTP server whose answers a script writes byte by byte."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self._context = context
        self._busy = 0
        self._change = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme, host = ("https", "localhost") if context else ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self.sockets: list[socket.socket] = []

    def wait(self, asked: int, busy: int, seconds: float = PATIENCE) -> bool:
        """Wait until `asked` requests have come and `busy` are being answered; return whether that came."""
        with self._change:
            return self._change.wait_for(lambda: len(self.asked) >= asked and self._busy == busy, seconds)

    def __enter__(self) -> "Upstream":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self.sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.sockets.append(sock)
                thread = threading.Thread(target=self._serve, args=[sock])
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError):
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
            with sock, sock.makefile("rb") as lines:
                connection = Connection(sock)
                while connection.open and (first := lines.readline()):
                    headers = http.client.parse_headers(lines)
                    method, path, _ = first.decode().split()
                    self._answer(Asked(method, path, lowered(headers.items())), connection)

    def _answer(self, asked: Asked, connection: Connection) -> None:
        self._note(+1, asked)
        try:
            self.script(asked, connection)
        finally:
            self._note(-1)

    def _note(self, busy: int, asked: Asked | None = None) -> None:
        with self._change:
            self._busy += busy
            self.asked += [asked] if asked else []
            self._change.notify_all()


@contextmanager
def bridged(
    script: Script, *, settings: Mapping[str, Any] | None = None, **ready: Any
) -> Iterator[tuple[Bridge, Upstream]]:
    """Run an upstream that follows `script`, and the bridge in front of it."""
    with Upstream(script) as upstream, Bridge(in_front_of(upstream, **ready), **(settings or {})) as bridge:
        yield bridge, upstream


def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context with a certificate for localhost, and a client's that trusts it."""
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    return server, client
