"""S3-compatible object storage as a server on loopback, path-style, for reading: GET and HEAD of objects.

    with S3Simulator({"/eodata/Sentinel-2/a.jp2": b"..."}) as storage:
        requests.get(f"{storage.url}/eodata/Sentinel-2/a.jp2", headers=...)

Signatures (AWS Signature Version 4) are checked by steps written from Amazon's description, on the request as
it came. As CDSE does, it refuses presigned URLs with 403 InvalidAccessKeyId (rucio#8388), unless `presigned`.
A request signed more than 15 minutes away from `clock` is refused as at Amazon; of CDSE that is not known.
"""

import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import strptime, time
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote

ACCESS, SECRET, REGION = "SIMULATEDACCESSKEYID", "simulated/secret+key", "default"
SKEW = 900
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
MUST_BE_SIGNED = {"host", "x-amz-content-sha256", "x-amz-date"}


class S3Simulator(ThreadingHTTPServer):
    """A context manager; the server listens on loopback while it is entered. `asked` are paths it answered.

    `objects` are contents by path, the bucket first; `presigned` tells whether it takes presigned URLs.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, objects: Mapping[str, bytes], presigned: bool = False, clock: Callable[[], float] = time
    ) -> None:
        self.objects = objects
        self.presigned = presigned
        self.clock = clock
        self.asked: list[tuple[str, str, str | None]] = []
        self.refused: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def fault(self, method: str, target: str, headers: Mapping[str, str]) -> str | None:
        """Return the code with which a request is refused; None for one that may read."""
        path, _, query = target.partition("?")
        if "X-Amz-Signature=" in query:
            return self._url_fault(method, path, query, headers) if self.presigned else "InvalidAccessKeyId"
        match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if match is None:
            return "AccessDenied"
        access, day, region, names, signature = match.groups()
        if not set(names.split(";")) >= MUST_BE_SIGNED:
            return "AccessDenied"
        stamp, body = headers.get("x-amz-date", ""), headers.get("x-amz-content-sha256", "")
        if fault := self._scope_fault(access, day, region, stamp, SKEW):
            return fault
        canonical = _canonical(method, path, query, headers, names, body)
        return None if hmac.compare_digest(signature, _sign(canonical, stamp)) else "SignatureDoesNotMatch"

    def _url_fault(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> str | None:
        told = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
        access, day, region, *_ = told["X-Amz-Credential"].split("/")
        stamp = told["X-Amz-Date"]
        if fault := self._scope_fault(access, day, region, stamp, int(told["X-Amz-Expires"])):
            return fault
        bare, _, signature = query.rpartition("&X-Amz-Signature=")
        names = told["X-Amz-SignedHeaders"]
        canonical = _canonical(method, path, bare, headers, names, "UNSIGNED-PAYLOAD")
        return None if signature == _sign(canonical, stamp) else "SignatureDoesNotMatch"

    def _scope_fault(self, access: str, day: str, region: str, stamp: str, life: int) -> str | None:
        if access != ACCESS:
            return "InvalidAccessKeyId"
        if region != REGION or not stamp.startswith(day):
            return "AuthorizationHeaderMalformed"
        age = self.clock() - timegm(strptime(stamp, "%Y%m%dT%H%M%SZ"))
        return None if -SKEW <= age <= life else "RequestTimeTooSkewed"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: S3Simulator

    def do_GET(self) -> None:
        headers = {name.lower(): " ".join(value.split()) for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers.get("range")))
        fault = self.server.fault(self.command, self.path, headers)
        content = self.server.objects.get(unquote(self.path.partition("?")[0]))
        if fault is not None:
            self.server.refused.append(fault)
            self._refuse(403, fault)
        elif content is None:
            self._refuse(404, "NoSuchKey")
        else:
            self._give(content, headers.get("range"))

    do_HEAD = do_GET

    def _refuse(self, status: int, code: str) -> None:
        document = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
        self._send(status, document.encode(), {"Content-Type": "application/xml"})

    def _give(self, content: bytes, asked: str | None) -> None:
        told = {
            "Content-Type": "binary/octet-stream",
            "ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"',
            "Accept-Ranges": "bytes",
        }
        match = RANGE.fullmatch(asked or "")
        if match is None:
            self._send(200, content, told)
            return
        first, last = match.groups()
        start = int(first) if first else max(0, len(content) - int(last))
        end = min(int(last), len(content) - 1) if first and last else len(content) - 1
        if start > end:
            self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        told["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self._send(206, content[start : end + 1], told)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def _canonical(method: str, path: str, query: str, headers: Mapping[str, str], names: str, body: str) -> str:
    """Return the canonical request; path and query are taken to be escaped as they must be."""
    lines = "".join(f"{name}:{headers.get(name, '')}\n" for name in names.split(";"))
    pairs = "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair))
    return f"{method}\n{path}\n{pairs}\n{lines}\n{names}\n{body}"


def _sign(canonical: str, stamp: str) -> str:
    day = stamp[:8]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{day}/{REGION}/s3/aws4_request\n{digest}"
    key = hmac.new(b"AWS4" + SECRET.encode(), day.encode(), hashlib.sha256).digest()
    key = hmac.new(key, REGION.encode(), hashlib.sha256).digest()
    key = hmac.new(key, b"s3", hashlib.sha256).digest()
    key = hmac.new(key, b"aws4_request", hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
