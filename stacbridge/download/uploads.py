"""Files on their way to a bucket: read once, hashed meanwhile, and there whole or not at all."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from math import ceil
from typing import BinaryIO

from stacbridge.download.objects import Objects
from stacbridge.download.s3 import UPSTREAM
from stacbridge.errors import StacbridgeError, UpstreamError

PART = 16 * 1024 * 1024
"""Bytes of a part, of which one is in memory; S3 wants 5 MiB at least."""
MOST_PARTS = 10_000
"""Parts that S3 puts together at most."""
SHA256 = "1220"
"""What a multihash of SHA-256 begins with."""


class Stopped(Exception):
    """The bridge stops, so that the rest of a file is not sent."""


def upload(
    objects: Objects,
    name: str,
    file: BinaryIO,
    size: int,
    headers: Mapping[str, str],
    going: Callable[[], bool] = lambda: True,
    part: int = PART,
) -> str:
    """Write a file of `size` bytes to an object, told with `headers`; return its SHA-256 as a multihash.

    Raises as `S3` does, `UpstreamError` where the object has not the file's size afterwards, and `Stopped`
    where it is not `going` on between two parts. An upload that fails is given up there, too.
    """
    whole = hashlib.sha256()

    def parts() -> Iterator[bytes]:
        while body := file.read(max(part, ceil(size / MOST_PARTS))):
            if not going():
                raise Stopped
            whole.update(body)
            yield body

    if size <= part:
        objects.write(name, b"".join(parts()), headers)
    else:
        _in_parts(objects, name, parts(), headers)
    if (found := objects.size(name)) != size:
        raise UpstreamError(
            "The bucket of the spool has another file than was written to it.",
            upstream=UPSTREAM,
            answered=f"{found} bytes instead of {size}",
        )
    return SHA256 + whole.hexdigest()


def _in_parts(objects: Objects, name: str, parts: Iterator[bytes], headers: Mapping[str, str]) -> None:
    id = objects.begin(name, headers)
    try:
        etags = [objects.part(name, id, number, body) for number, body in enumerate(parts, 1)]
        objects.complete(name, id, etags)
    except BaseException:
        with suppress(StacbridgeError):
            objects.abort(name, id)
        raise
