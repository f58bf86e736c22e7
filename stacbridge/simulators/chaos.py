"""An upstream that fails as it is told: deterministic, act by act, down to the byte.

with Chaos(file, Act(stop_after=1000), Act()) as chaos:
    ...                                  # the first request is cut after 1000 bytes, all others are fine
    assert chaos.asked[1].headers["range"] == "bytes=1000-"
"""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Literal, Self

PATIENCE = 10
"""Seconds that the server may take to come up or go down."""
PIECE = 64 * 1024
EPOCH = 1_780_000_000
"""When the file was last modified, in seconds since 1970."""

Ending = Literal["cut", "reset", "stall"]


@dataclass(frozen=True, slots=True)
class Act:
    """How one request is answered; the default is a server in good health that knows ranges."""

    status: int | None = None
    """Status instead of 200, 206 or 416."""
    body: bytes | None = None
    """Bytes instead of the file's; ranges are ignored."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers instead of, or beside, those of a healthy answer; an empty one is left out."""
    ignore_range: bool = False
    """Send all of the file, whatever part is asked for."""
    shift: int = 0
    """Send a part that begins so many bytes later than the one asked for (earlier, if negative)."""
    flip: int | None = None
    """Offset in the file of a byte that is sent wrong."""
    chunked: bool = False
    """Send chunks instead of a Content-Length."""
    stop_after: int | None = None
    """Bytes of the body after which it ends as `ending` says; 0: right after the headers."""
    ending: Ending = "cut"
    silent: bool = False
    """End as `ending` says before the headers."""
    pause: float = 0
    """Seconds between two pieces of the body."""
    piece: int = PIECE
    """Bytes in a piece."""
    token: str | None = None
    """Bearer token without which the answer is 401."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it was heard; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]

    def part(self, size: int) -> tuple[int, int] | None:
        """Return the first offset asked for of a file of `size` bytes, and the one after the last."""
        first, dash, last = self.headers.get("range", "").removeprefix("bytes=").partition("-")
        if not dash:
            return None
        if not first:
            return max(0, size - int(last)), size
        return int(first), min(size, int(last) + 1) if last else size


Script = Callable[[int, Asked], Act]


class Chaos:
    """An HTTP server with one file at every path. Requests are answered by `acts` in turn, the last for ever.

    A script in their place is given the number of the request (from 0) and the request.
    """

    def __init__(
        self, file: bytes, *acts: Act, script: Script | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self.file = file
        self.etag = '"one"'
        self.asked: list[Asked] = []
        self.busy = self.peak = 0
        self._script = script or (lambda number, asked: acts[min(number, len(acts) - 1)])
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos", daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        scheme, host = ("https", "localhost") if context else ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self._listener.getsockname()[1]}"
        self._change = threading.Condition()

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.start_server(self._serve, sock=self._listener, ssl=self._context)
        asyncio.run_coroutine_threadsafe(serving, self._loop).result(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()
        self._listener.close()

    def wait(self, asked: int, busy: int, seconds: float = PATIENCE) -> bool:
        """Wait until `asked` requests have come and `busy` are being answered; return whether that came."""
        with self._change:
            return self._change.wait_for(lambda: len(self.asked) >= asked and self.busy == busy, seconds)

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(await _request(reader), reader, writer):
                pass
        writer.transport.abort()

    async def _answer(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection lives on."""
        act = self._script(len(self.asked), asked)
        self._note(+1, asked)
        try:
            return await self._act(act, asked, reader, writer)
        finally:
            self._note(-1)

    async def _act(
        self, act: Act, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if act.silent:
            return await _end(act.ending, reader, writer)
        if act.token is not None and asked.headers.get("authorization") != f"Bearer {act.token}":
            act = Act(401, b'{"message": "Expired token"}', {"Content-Type": "application/json"})
        status, headers, body = self._made(act, asked)
        named = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **act.headers}.items() if value)
        writer.write(f"HTTP/1.1 {act.status or status} Scripted\r\n{named}\r\n".encode())
        await writer.drain()
        if asked.method == "HEAD":
            return True
        for start in range(0, len(body), act.piece):
            await asyncio.sleep(act.pause if start else 0)
            piece = body[start : start + act.piece]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if act.chunked else piece)
            await writer.drain()
        if act.stop_after is not None:
            return await _end(act.ending, reader, writer)
        if act.chunked:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        return headers.get("Content-Length") == str(len(body)) or act.chunked

    def _made(self, act: Act, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body, the last as far as it will be sent."""
        size = len(self.file)
        part = None if act.body is not None or act.ignore_range else asked.part(size)
        if part is not None and part[0] >= size:
            return 416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"}, b""
        first, end = (0, size) if part is None else (max(0, part[0] + act.shift), part[1])
        whole = self.file if act.body is None else act.body
        body = whole[first:end] if act.body is None else whole
        headers = {
            "Content-Type": "application/octet-stream",
            "ETag": self.etag,
            "Last-Modified": formatdate(EPOCH, usegmt=True),
            "Accept-Ranges": "bytes",
            "Content-Range": "" if part is None else f"bytes {first}-{end - 1}/{size}",
        }
        headers |= {"Transfer-Encoding": "chunked"} if act.chunked else {"Content-Length": str(len(body))}
        if act.flip is not None and first <= act.flip < first + len(body):
            at = act.flip - first
            body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        return 200 if part is None else 206, headers, body[: act.stop_after]

    def _note(self, busy: int, asked: Asked | None = None) -> None:
        with self._change:
            self.busy += busy
            self.peak = max(self.peak, self.busy)
            self.asked += [asked] if asked else []
            self._change.notify_all()


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return Asked(method, path, {name.lower(): value for name, value in headers.items()})


async def _end(ending: Ending, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """End the connection, or say nothing more until the other side goes away."""
    if ending == "stall":
        while await reader.read(PIECE):
            pass
    elif ending == "reset":
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    else:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return False
