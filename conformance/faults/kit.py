"""A bridge in front of an upstream that fails as it is told."""

import hashlib
import http.client
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from conformance.faults import FULL
from stacbridge.model import Ready, Request
from stacbridge.simulators.chaos import Act, Chaos, Script
from tests.unit.download_servers import FILE, Bridge, Heard, OneAsset

PRODUCT = b"PK\x03\x04" + b"".join(number.to_bytes(4, "big") for number in range(750_000))
"""A product of 3 MB in which every four bytes differ."""
MD5 = "d50110" + hashlib.md5(PRODUCT, usedforsecurity=False).hexdigest()
SHA256 = "1220" + hashlib.sha256(PRODUCT).hexdigest()
SHA3 = "1620" + hashlib.sha3_256(PRODUCT).hexdigest()
CUT = (http.client.IncompleteRead, ConnectionError)
"""What a client sees of a connection that was cut."""
NIGHT = {"retry_wait": 0.01, "download_idle_timeout": 0.6}
"""Settings under which what takes minutes in earnest takes a moment."""


@contextmanager
def faced(
    *acts: Act,
    file: bytes = PRODUCT,
    script: Script | None = None,
    settings: Mapping[str, Any] | None = None,
    catalogue: Mapping[str, Any] | None = None,
    **ready: Any,
) -> Iterator[tuple[Bridge, Chaos, OneAsset]]:
    """Run an upstream with `file`, which answers by `acts` or `script`, and a bridge in front of it."""
    with Chaos(file, *acts, script=script) as chaos:
        given = {"name": FILE, "media_type": "application/zip", "ranges": True, **ready}
        place = Ready(Request("GET", f"{chaos.url}/product"), **given)
        one = OneAsset(place, trusted={urlsplit(chaos.url).netloc}, **(catalogue or {}))
        with Bridge(one, **{**NIGHT, **(settings or {})}) as bridge:
            yield bridge, chaos, one


def full() -> bool:
    """Tell whether rows are to run their long form."""
    return os.environ.get(FULL) == "1"


def whole(heard: Heard) -> bool:
    """Tell whether a client has all of the product."""
    return heard.status == 200 and heard.body == PRODUCT


def ranges(chaos: Chaos) -> list[str | None]:
    """Return the ranges that the upstream was asked for."""
    return [asked.headers.get("range") for asked in chaos.asked]
