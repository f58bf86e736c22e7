"""Sending the bytes of a download: ranges, speed, cuts and stalls, and the count of those under way."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from .faults import Faults

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes to send: `read(start, length)` gives at most so many from there. Ranges only if `ranged`."""

    size: int
    read: Callable[[int, int], bytes]
    filename: str
    media_type: str
    ranged: bool
    etag: str = ""


class Slots:
    """Downloads under way, by user; only ever used on the servers' own event loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: Counter[str] = Counter()

    def take(self, user: str) -> bool:
        """Take a slot, if one is free."""
        if self._open[user] >= self.limit:
            return False
        self._open[user] += 1
        return True

    def give_back(self, user: str) -> None:
        """Free a slot."""
        self._open[user] -= 1

    def open(self, user: str) -> int:
        """How many downloads of a user are under way."""
        return self._open[user]


class Download:
    """An ASGI response that sends a body and frees its slot when it ends, however it ends."""

    def __init__(
        self, body: Body, faults: Faults, range_header: str | None, release: Callable[[], None]
    ) -> None:
        self._body = body
        self._faults = faults
        self._release = release
        self._part = _part(range_header, body.size) if range_header and body.ranged else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer to one request."""
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await self._answer(scope["method"], send, gone)
        finally:
            gone.cancel()
            self._release()

    async def _answer(self, method: str, send: Send, gone: asyncio.Task[None]) -> None:
        size = self._body.size
        if self._part == "unsatisfiable":
            headers = [(b"content-range", f"bytes */{size}".encode()), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 416, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        start, end = self._part if isinstance(self._part, tuple) else (0, size)
        await send(self._start(start, end))
        if method == "HEAD" or start == end:
            await send({"type": "http.response.body", "body": b""})
            return
        await self._stream(start, end, send, gone)

    def _start(self, start: int, end: int) -> dict[str, object]:
        body = self._body
        headers = {
            "content-type": body.media_type,
            "content-length": str(end - start),
            "content-disposition": f"attachment; filename={body.filename}",
        }
        if body.ranged:
            headers["accept-ranges"] = "bytes"
            headers["etag"] = f'"{body.etag}"'
        if isinstance(self._part, tuple):
            headers["content-range"] = f"bytes {start}-{end - 1}/{body.size}"
        raw = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
        return {"type": "http.response.start", "status": 206 if self._part else 200, "headers": raw}

    async def _stream(self, start: int, end: int, send: Send, gone: asyncio.Task[None]) -> None:
        faults = self._faults
        sent = 0
        while start + sent < end and not gone.done():
            chunk = self._body.read(start + sent, min(self._piece(sent), end - start - sent))
            if not chunk:
                if faults.stall_after_bytes is not None:
                    await gone
                return
            sent += len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": start + sent < end})
            if faults.bytes_per_second:
                await asyncio.wait([gone], timeout=len(chunk) / faults.bytes_per_second)

    def _piece(self, sent: int) -> int:
        """How much to send next; 0 where a fault ends the body."""
        faults = self._faults
        limits = [limit for limit in (faults.cut_after_bytes, faults.stall_after_bytes) if limit is not None]
        step = CHUNK
        if faults.bytes_per_second:
            step = max(1, min(CHUNK, int(faults.bytes_per_second / 10)))
        return max(0, min([step, *(limit - sent for limit in limits)]))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _part(header: str, size: int) -> tuple[int, int] | str | None:
    """Start and end (exclusive) of a single range; None for a header to ignore (RFC 9110, 14.2)."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) else "unsatisfiable"
    start, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    return (start, end) if start < size else "unsatisfiable"
