"""Whether an upstream's answer is the file, and which headers a client gets with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from stacbridge.download.ranges import ByteRange, Part
from stacbridge.download.version import UNKNOWN, Version
from stacbridge.errors import UpstreamError
from stacbridge.model import Ready

_PASSED_ON = ("ETag", "Last-Modified")
_UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/download"})
"""Media types that say nothing, so that the catalogue knows better."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a file a client wants: its headers (`head`), or one `range` if it still is `if_range`."""

    head: bool = False
    range: ByteRange | None = None
    if_range: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the request headers that ask an upstream for it."""
        if self.range is None:
            return {}
        return {"Range": str(self.range)} | ({"If-Range": self.if_range} if self.if_range else {})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A checked answer: status 200 or 206, the client's headers, and how many bytes its body must have.

    `length` is None where the upstream sends chunks and only the last of them tells, and for answers to HEAD.
    `first` is the offset of its first byte in the file, which is as `version` says.
    """

    status: int
    headers: dict[str, str]
    length: int | None
    first: int = 0
    version: Version = UNKNOWN

    @property
    def whole(self) -> bool:
        """Whether the body is the file from its first byte to its last."""
        return self.first == 0 and (self.status == 200 or self.length == self.version.total)


def delivery(status: int, headers: Mapping[str, str], ready: Ready, wanted: Wanted) -> Delivery:
    """Read an upstream's 200 or 206 to a request for `wanted` of the file `ready`.

    `headers` are the upstream's, in a mapping that ignores case. Only those that hold for the client too are
    passed on. Raises `UpstreamError` for a page or an error object in place of the file, for another range
    than the one asked for, and for a body whose end could not be told from a cut.
    """
    check_type(headers, ready)
    length = _part(headers, wanted) if status == 206 else _whole(headers, ready, wanted)
    passed = {name: headers[name] for name in _PASSED_ON if name in headers}
    if status == 206:
        passed["Content-Range"] = headers["Content-Range"]
    if length is not None:
        passed["Content-Length"] = str(length)
    ranges = ready.ranges and _in_parts(status, headers, wanted)
    told = headers.get("Content-Type", "")
    part = Part.parse(headers.get("Content-Range")) if status == 206 else None
    return Delivery(
        status,
        passed | own_headers(ready, ready.media_type if _media_type(told) in _UNTOLD else told, ranges),
        None if wanted.head else length,
        part.first if part else 0,
        Version.of(headers, part.total if part else length),
    )


def _in_parts(status: int, headers: Mapping[str, str], wanted: Wanted) -> bool:
    """Tell whether the upstream can send a part: not what it makes while it sends, without a length, nor
    where it was just asked for a part and sent all."""
    sized = status == 206 or "Content-Length" in headers
    whole = status == 200 and wanted.range is not None and wanted.if_range is None
    return sized and not whole and headers.get("Accept-Ranges", "bytes").lower() != "none"


def own_headers(ready: Ready, media_type: str, ranges: bool) -> dict[str, str]:
    """Return the headers that the bridge itself gives every file."""
    return {
        "Content-Type": media_type,
        "Content-Disposition": disposition(ready.name),
        "Accept-Ranges": "bytes" if ranges else "none",
        "Cache-Control": "private",
        "X-Content-Type-Options": "nosniff",
    }


def promise(ready: Ready, ranges: bool) -> dict[str, str]:
    """Return the headers of a file as far as they are known without asking for it."""
    length = {} if ready.size is None else {"Content-Length": str(ready.size)}
    return length | own_headers(ready, ready.media_type, ranges)


def disposition(name: str) -> str:
    """Return the Content-Disposition (RFC 6266) that saves a file as `name`, whatever characters it has."""
    name = "".join("_" if char in '/\\"' or not char.isprintable() else char for char in name)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def check_type(headers: Mapping[str, str], ready: Ready) -> None:
    """Refuse a login page or an error object that comes with a status of success."""
    told, expected = _media_type(headers.get("Content-Type", "")), _media_type(ready.media_type)
    for sort in ("html", "json"):
        if sort in told and sort not in expected:
            raise UpstreamError(f"The upstream answered with {told} instead of the file.")
    encoding = headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        raise UpstreamError(
            f"The upstream packed the file ({encoding[:20]}), though asked to send it as it is."
        )


def _whole(headers: Mapping[str, str], ready: Ready, wanted: Wanted) -> int | None:
    told = headers.get("Content-Length")
    length = ready.size if told is None else int(told)
    if length == 0 and ready.size != 0 and not wanted.head:
        raise UpstreamError("The upstream sent an empty file.")
    if length is None and not wanted.head and "chunked" not in headers.get("Transfer-Encoding", "").lower():
        raise UpstreamError(
            "The upstream does not say how long the file is, so a cut could not be told from its end."
        )
    return length


def _part(headers: Mapping[str, str], wanted: Wanted) -> int:
    given = headers.get("Content-Range")
    length = None if wanted.range is None else wanted.range.length_of(given)
    if length is None or headers.get("Content-Length", str(length)) != str(length):
        raise UpstreamError(
            f"The upstream was asked for {wanted.range or 'all'} of the file, and sent another part.",
            answered=f"Content-Range: {(given or 'none')[:80]}",
        )
    return length
