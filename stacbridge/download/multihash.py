"""Checksums in the form of `file:checksum` (STAC file extension): multihashes, in hexadecimal."""

import hashlib
import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Self

log = logging.getLogger(__name__)

HASHES = {
    "d50110": "md5",
    "1114": "sha1",
    "1220": "sha256",
    "1340": "sha512",
    "1440": "sha3_512",
    "1530": "sha3_384",
    "1620": "sha3_256",
    "171c": "sha3_224",
    "2030": "sha384",
    "1e20": "blake3",
}
"""Code and length that a multihash starts with (https://multiformats.io/multihash/), and its hash's name."""


class Checksum:
    """A stated checksum, and the hash of what has come so far."""

    def __init__(self, stated: str, hash: Any) -> None:
        self._stated = stated
        self._hash = hash

    @classmethod
    def of(cls, multihash: str) -> Self | None:
        """Return a check against `multihash`; None where that hash is unknown or cannot be computed here."""
        stated = multihash.lower()
        for prefix, name in HASHES.items():
            if stated.startswith(prefix):
                maker = _maker(name)
                return None if maker is None else cls(stated.removeprefix(prefix), maker())
        return None

    def update(self, piece: bytes | memoryview) -> None:
        """Take in what comes next."""
        self._hash.update(piece)

    def matches(self) -> bool:
        """Tell whether all that came has the stated checksum."""
        return bool(self._hash.hexdigest() == self._stated)


def _maker(name: str) -> Callable[[], Any] | None:
    """Return a maker of the hash; BLAKE3 comes from the `blake3` package where that is installed."""
    return _blake3() if name == "blake3" else lambda: hashlib.new(name, usedforsecurity=False)


@cache
def _blake3() -> Callable[[], Any] | None:
    return found("blake3")


def found(package: str) -> Callable[[], Any] | None:
    """Return the hash of a package that bears its name; None, and a word in the log, where it is missing."""
    if find_spec(package) is None:
        log.warning("Files pass unchecked whose checksum is a %s: install stacbridge[%s].", *[package] * 2)
        return None
    maker: Callable[[], Any] = getattr(import_module(package), package)
    return maker
