"""An upstream over TLS with a bridge in front of it that trusts it, and what it sends."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stacbridge.download.tap import SPAN
from tests.unit.download_servers import Bridge, in_front_of
from tests.unit.scripted_upstream import Asked, Connection, Script, Upstream, tls

BODY = b"PK\x03\x04" + os.urandom(3 * SPAN + 12345)


@contextmanager
def encrypted(script: Script, **settings: Any) -> Iterator[tuple[Bridge, Upstream]]:
    """Run an upstream over TLS that follows `script`, and a bridge in front of it that trusts it."""
    server, client = tls()
    with Upstream(script, server) as upstream, Bridge(in_front_of(upstream), client, **settings) as bridge:
        yield bridge, upstream


def whole(asked: Asked, connection: Connection) -> None:
    connection.answer(body=BODY)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def first_of(asked: Asked) -> int:
    """Return the first byte that is asked for."""
    return int(asked.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")[0])


def breaking_off(body: bytes, sent: int) -> Script:
    """Return the script of an upstream that sends `sent` bytes of a body, and the rest when asked."""

    def script(asked: Asked, connection: Connection) -> None:
        first = first_of(asked)
        version = {"ETag": '"1"', "Content_Length": str(len(body) - first)}
        if first:
            part = {"Content_Range": f"bytes {first}-{len(body) - 1}/{len(body)}"}
            connection.answer("206 Partial Content", body[first:], **version, **part)
        else:
            connection.answer(body=body[:sent], **version)
            connection.close()

    return script
