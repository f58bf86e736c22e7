"""S3-compatible object storage as a server on loopback, path-style.

    with S3Simulator({"/eodata/Sentinel-2/a.jp2": b"..."}) as storage:
        requests.get(f"{storage.url}/eodata/Sentinel-2/a.jp2", headers=...)

Signatures are checked on the request as it came (`s3_signatures`). As CDSE does, it refuses presigned URLs
with 403 InvalidAccessKeyId (rucio#8388), unless `presigned`; and it takes nothing, unless `writable`. A
request signed more than 15 minutes away from `clock` is refused as at Amazon; of CDSE that is not known.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import time
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote

from .s3_signatures import ACCESS, REGION, SECRET, fault
from .s3_writing import Answer, Refused, Shelf, etag

__all__ = ["ACCESS", "REGION", "SECRET", "S3Simulator"]

RANGE = re.compile(r"bytes=(\d*)-(\d*)")

Fails = Callable[[str, str], tuple[int, str] | None]
"""Says for method and target of a request the status and code that it fails with, if it does."""


class S3Simulator(ThreadingHTTPServer):
    """A context manager; the server listens on loopback while it is entered. `asked` are paths it answered.

    `objects` are contents by path, the bucket first; `presigned` tells whether it takes presigned URLs, and
    `ranges` whether it knows those.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        objects: Mapping[str, bytes],
        presigned: bool = False,
        clock: Callable[[], float] = time,
        writable: bool = False,
    ) -> None:
        self.shelf = Shelf(dict(objects), clock)
        self.presigned = presigned
        self.writable = writable
        self.clock = clock
        self.asked: list[tuple[str, str, str | None]] = []
        self.refused: list[str] = []
        self.ranges = True
        self.fails: Fails = lambda method, target: None
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def objects(self) -> dict[str, bytes]:
        """Contents by path."""
        return self.shelf.objects

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: S3Simulator

    def do_GET(self) -> None:
        headers = {name.lower(): " ".join(value.split()) for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        self.server.asked.append((self.command, self.path, headers.get("range")))
        try:
            self._admit(headers, body)
            with self.server.shelf.lock:
                status, content, told = self._answer(headers, body)
        except Refused as refusal:
            self.server.refused.append(refusal.code)
            status, content, told = _error(refusal)
        self._send(status, content, told)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def _admit(self, headers: dict[str, str], body: bytes) -> None:
        server = self.server
        if failure := server.fails(self.command, self.path):
            raise Refused(*failure)
        if code := fault(self.command, self.path, headers, server.presigned, server.clock()):
            raise Refused(403, code)
        stated = headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        if stated not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
            raise Refused(400, "XAmzContentSHA256Mismatch")

    def _answer(self, headers: dict[str, str], body: bytes) -> Answer:
        path, _, query = self.path.partition("?")
        path, asked = unquote(path), dict(parse_qsl(query, keep_blank_values=True))
        shelf = self.server.shelf
        if self.command in ("PUT", "POST", "DELETE"):
            if not self.server.writable:
                raise Refused(403, "AccessDenied")
            if self.command == "DELETE":
                return shelf.delete(path, asked)
            write = shelf.put if self.command == "PUT" else shelf.post
            return write(path, asked, headers, body)
        if path == "/":
            return shelf.buckets()
        if path.count("/") == 1:
            return shelf.list(f"{path}/", asked)
        return self._object(path, headers)

    def _object(self, path: str, headers: dict[str, str]) -> Answer:
        content = self.server.objects.get(path)
        if content is None:
            raise Refused(404, "NoSuchKey")
        kept = {"content-type": "binary/octet-stream", **self.server.shelf.headers.get(path, {})}
        asked = headers.get("range", "") if self.server.ranges else ""
        return _part(content, asked, {**kept, "ETag": etag(content)})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Tell the time by the simulator's clock."""
        return super().date_time_string(self.server.clock() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def _error(refusal: Refused) -> Answer:
    code = refusal.code
    document = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return refusal.status, document.encode(), {"Content-Type": "application/xml"}


def _part(content: bytes, asked: str, told: dict[str, str]) -> Answer:
    """Answer with what of an object a Range header asks for."""
    told = {**told, "Accept-Ranges": "bytes"}
    match = RANGE.fullmatch(asked)
    if match is None:
        return 200, content, told
    first, last = match.groups()
    start = int(first) if first else max(0, len(content) - int(last))
    end = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if start > end:
        return 416, b"", {"Content-Range": f"bytes */{len(content)}"}
    told["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return 206, content[start : end + 1], told
