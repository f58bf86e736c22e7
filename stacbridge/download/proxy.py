"""Downloads with a catalogue's account, at `/assets/{catalogue}/{collection}/{item}/{asset}/{file}`.

A plain ASGI application, to be mounted outside every middleware: one that packs or buffers bodies would break
ranges, and hold whole products in memory.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from stacbridge.callers.threads import Threads
from stacbridge.catalogue import Catalogue
from stacbridge.download.delivery import Wanted, promise
from stacbridge.download.fetch import Fetch
from stacbridge.download.pump import Send, Transfers
from stacbridge.download.ranges import ByteRange
from stacbridge.download.slots import Slots
from stacbridge.errors import MethodNotAllowed, NotFound, NotStaged, StacbridgeError
from stacbridge.model import Pending, Ready
from stacbridge.settings import Settings

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]

PREFIX = "/assets/"
METHODS = ("GET", "HEAD", "OPTIONS")
SIBLINGS = (".aux", ".aux.xml", ".msk", ".ovr", ".rrd")
"""Ends of names that GDAL looks for beside a raster; no asset's name ends so, and none is worth a search."""
LONGEST_NAME = 255
"""Characters in a part of the path at most, as in file systems."""
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Location, Retry-After"
    ),
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": ", ".join(METHODS),
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Range, Range",
    "Access-Control-Max-Age": "86400",
    "Allow": ", ".join(METHODS),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """The five parts of an asset's path."""

    catalogue: str
    collection: str
    item: str
    asset: str
    file: str

    @classmethod
    def parse(cls, path: bytes) -> "Address":
        """Read a path as it stood in the request line, so that an escaped `/` in an id stays one.

        Raises `NotFound` for every path that no item has, without asking any catalogue.
        """
        _, _, rest = path.partition(PREFIX.encode())
        try:
            parts = [unquote_to_bytes(part).decode() for part in rest.split(b"/")]
        except UnicodeDecodeError:
            parts = []
        sound = all(part.isprintable() and 0 < len(part) <= LONGEST_NAME for part in parts)
        if len(parts) != 5 or not sound or parts[-1].lower().endswith(SIBLINGS):
            raise NotFound(
                "There is no asset at this path.", advice="Take the href of an item's asset as it is."
            )
        return cls(*parts)


class AssetProxy:
    """An ASGI application for everything below `/assets/`."""

    def __init__(
        self, catalogues: Mapping[str, Catalogue], settings: Settings, context: ssl.SSLContext | None = None
    ) -> None:
        """Serve the assets of `catalogues`, by id; `context` says which authorities vouch for upstreams."""
        self._catalogues = catalogues
        self._settings = settings
        self._transfers = Transfers(settings, context)
        self._threads = Threads(settings.search_threads, "assets")
        self._slots = {
            name: Slots(name, catalogue.connections, settings.download_queue, settings.download_wait)
            for name, catalogue in catalogues.items()
        }

    async def close(self) -> None:
        """Give back the connections and threads, when the server stops."""
        await self._transfers.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; leave as soon as its client does."""
        async with _until_disconnect(receive):
            answer = _Answer(scope["method"] == "HEAD", send)
            try:
                await self._serve(scope, answer)
            except Exception as failure:
                if answer.started:
                    raise
                await answer.fail(failure)

    async def _serve(self, scope: Scope, answer: "_Answer") -> None:
        if scope["method"] == "OPTIONS":
            await answer.start(204, _PREFLIGHT)
            await answer.end()
        elif scope["method"] not in METHODS:
            raise MethodNotAllowed(
                "Assets can be read, and nothing else.", parameter="method", allow=", ".join(METHODS)
            )
        else:
            await self._send(scope, answer)

    async def _send(self, scope: Scope, answer: "_Answer") -> None:
        address = Address.parse(scope["raw_path"])
        catalogue = self._catalogues.get(address.catalogue)
        if catalogue is None:
            raise NotFound(f"There is no catalogue {address.catalogue!r} here.")
        ready = await self._locate(catalogue, address)
        wanted = _wanted(scope)
        if wanted.head and ready.request.method == "POST":
            promised = promise(ready)
            await answer.start(promised.status, promised.headers)
            await answer.end()
        else:
            await self._deliver(catalogue, ready, wanted, answer)

    async def _locate(self, catalogue: Catalogue, address: Address) -> Ready:
        place: Ready | Pending = await self._in_thread(
            catalogue.locate, address.collection, address.item, address.asset
        )
        if isinstance(place, Pending):
            raise NotStaged(place.reason, upstream=catalogue.id, retry_after=place.retry_after)
        if place.name != address.file:
            raise NotFound(f"The file of asset {address.asset!r} is {place.name!r}, not {address.file!r}.")
        return place

    async def _deliver(self, catalogue: Catalogue, ready: Ready, wanted: Wanted, answer: "_Answer") -> None:
        fetch = Fetch(catalogue, self._transfers, self._settings, self._in_thread)
        async with (
            self._slots[catalogue.id].hold(urgent=wanted.head),
            fetch.open(ready, wanted) as (delivery, body),
        ):
            await answer.start(delivery.status, delivery.headers)
            if wanted.head:
                await answer.end()
            else:
                await body.pump(answer.send, self._settings.download_idle_timeout)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *arguments))


class _Answer:
    """What goes to the client. Once it has started, a failure can only cut the connection."""

    def __init__(self, head: bool, send: Send) -> None:
        self.send = send
        self.started = False
        self._head = head

    async def start(self, status: int, headers: dict[str, str]) -> None:
        encoded = [
            (name.lower().encode(), value.encode("utf-8", "surrogateescape"))
            for name, value in (_CORS | headers).items()
        ]
        self.started = True
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})

    async def end(self, body: bytes = b"") -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    async def fail(self, failure: Exception) -> None:
        if not isinstance(failure, StacbridgeError):
            log.error("An asset request failed.", exc_info=failure)
            failure = StacbridgeError("The bridge itself failed; its log says how.")
        elif failure.status >= 500:
            log.warning("%s: %s", failure.code, failure)
        body = orjson.dumps(failure.body())
        told = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
        }
        await self.start(failure.status, failure.headers() | told)
        await self.end(b"" if self._head else body)


def _wanted(scope: Scope) -> Wanted:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    return Wanted(
        scope["method"] == "HEAD", ByteRange.parse(headers.get(b"range", "")), headers.get(b"if-range")
    )


@asynccontextmanager
async def _until_disconnect(receive: Receive) -> AsyncIterator[None]:
    """Cancel what runs inside as soon as the client hangs up, wherever it waits, and leave quietly.

    Watches from the first moment on, since servers do not cancel an application whose client has left.
    """
    task = asyncio.current_task()
    assert task is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not gone:
            raise
        task.uncancel()
    finally:
        watcher.cancel()
