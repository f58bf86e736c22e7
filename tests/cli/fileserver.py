"""A real HTTP server on loopback that serves files well or, on request, badly."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Served:
    """A file. `cuts` are the body lengths after which the next answers break off; `first` come before."""

    data: bytes
    etag: str | None = '"v1"'
    ranges: bool = True
    states_length: bool = True
    cuts: list[int] = field(default_factory=list)
    first: list[Answer] = field(default_factory=list)

    def answer(self, asked: str, if_range: str | None) -> Answer:
        """Answer a GET with these Range and If-Range headers."""
        size = len(self.data)
        tag = {"ETag": self.etag} if self.etag else {}
        ranged = re.fullmatch(r"bytes=(\d+)-", asked) if if_range in (None, self.etag) else None
        if ranged is None or not self.ranges:
            return 200, tag, self.data
        start = int(ranged[1])
        if start >= size:
            return 416, {"Content-Range": f"bytes */{size}"}, b""
        return 206, tag | {"Content-Range": f"bytes {start}-{size - 1}/{size}"}, self.data[start:]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "FileServer"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        file = self.server.files.get(self.path)
        if file is None:
            self.send((404, {}, b'{"description": "No such asset."}'))
        elif file.first:
            self.send(file.first.pop(0))
        else:
            answer = file.answer(self.headers.get("Range", ""), self.headers.get("If-Range"))
            self.send(answer, file.cuts.pop(0) if file.cuts else None, file.states_length)

    def do_HEAD(self) -> None:
        file = self.server.files[self.path]
        self.send((200, {}, file.data), 0, file.states_length)

    def send(self, answer: Answer, cut: int | None = None, states_length: bool = True) -> None:
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if states_length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = cut is not None

    def log_message(self, format: str, *args: object) -> None:
        pass


class FileServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, Served] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent where a client has gone away."""

    def serve(self, path: str, served: Served) -> str:
        self.files[path] = served
        return self.url + path

    def ranges_asked(self) -> list[str | None]:
        return [headers.get("Range") for _, headers in self.requests]


@contextmanager
def file_server() -> Iterator[FileServer]:
    with FileServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
