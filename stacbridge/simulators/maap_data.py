"""The files of the simulated MAAP: single ones by ranges, whole products zipped while they are sent.

A zip comes in chunks, without a length and without ranges. All but `/public/` want an access token, whose
account may read some collections only.
"""

import io
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import content
from .answers import Refused
from .control import Control
from .maap_catalogue import answered
from .maap_holdings import Item, Json, holdings
from .maap_identity import OfflineAccess
from .transfer import Body, Download

_SIGNATURES = {"h": b"\x89HDF\r\n\x1a\n", "h5": b"\x89HDF\r\n\x1a\n", "zip": b"PK\x03\x04"}
"""How files begin whose content is made up otherwise."""
_KINDS = {"tiff": "tiff", "png": "png", "jpeg": "jpeg", "nc": "netcdf", "xml": "xml", "hd": "xml"}


class Files:
    """The data paths of the server. `granted` are the collections that the account may read."""

    def __init__(self, access: OfflineAccess, control: Control, granted: frozenset[str]) -> None:
        self._access, self._control, self._granted = access, control, granted
        every = [item for holding in holdings().values() for item in holding.items]
        self._assets: dict[str, tuple[Item, Json]] = {
            asset["href"].removeprefix("{data}/"): (item, asset)
            for item in every
            for asset in item.stac["assets"].values()
        }

    def app(self) -> Starlette:
        """The paths as an ASGI application."""
        route = Route("/data/{path:path}", self._file, methods=["GET", "HEAD"])
        return Starlette(routes=[route], exception_handlers={Refused: answered})

    async def _file(self, request: Request) -> ASGIApp:
        path = request.path_params["path"]
        if path not in self._assets:
            raise _refused(404, "not_found", f"{path} is not there")
        item, asset = self._assets[path]
        if "/public/" not in path:
            self._check(request, item)
        wanted = request.headers.get("range")
        if path.startswith("zipper/"):
            data = zipped(item.id)
            body = Body(len(data), _slicer(data), f"{item.id}.zip", "application/zip", False)
            return Chunked(Download(body, self._control.faults, None, lambda: None))
        data = made(path)
        media = asset.get("type", "application/octet-stream")
        body = Body(len(data), _slicer(data), path.rpartition("/")[2], media, True, f"{zlib.crc32(data):x}")
        return Download(body, self._control.faults, wanted, lambda: None)

    def _check(self, request: Request, item: Item) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._access.good(token):
            raise _refused(401, "unauthorized", "A valid access token is required")
        if item.collection not in self._granted:
            raise _refused(403, "forbidden", f"The user has no access to collection {item.collection}")


class Chunked:
    """A download without its Content-Length, so that the server sends it in chunks."""

    def __init__(self, download: Download) -> None:
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer to one request."""

        async def without_length(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0] != b"content-length"]
                message = {**message, "headers": kept}
            await send(message)

        await self._download(scope, receive, without_length)


@lru_cache(maxsize=64)
def made(path: str) -> bytes:
    """The bytes of a single file."""
    extension = path.rpartition(".")[2].lower()
    made = content.make(_KINDS.get(extension, "raw"), path.rpartition("/")[2], (10.0, 10.0, 11.0, 11.0))
    signature = _SIGNATURES.get(extension, b"")
    return signature + made[len(signature) :]


@lru_cache(maxsize=16)
def zipped(id: str) -> bytes:
    """The bytes of a whole product."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(3):
            name = f"{id}/measurement_{number}.tiff"
            archive.writestr(zipfile.ZipInfo(name), made(name))
    return buffer.getvalue()


def _slicer(data: bytes) -> Callable[[int, int], bytes]:
    return lambda start, length: data[start : start + length]


def _refused(status: int, error: str, message: str) -> Refused:
    return Refused(status, {"error": error, "message": message})
