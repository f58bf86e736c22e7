"""An upstream over TLS with a bridge in front of it that trusts it, and what it sends."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stacbridge.download.tap import SPAN
from tests.unit.download_servers import Asked, Bridge, Connection, Script, Upstream, in_front_of, tls

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
