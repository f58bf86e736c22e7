"""Check a file against a multihash, the form of `file:checksum` (STAC file extension)."""

import hashlib
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Multihash prefix (code and length, https://multiformats.io/multihash/) -> name of the hash.
HASHES = {
    "d50110": "md5",
    "1114": "sha1",
    "1220": "sha256",
    "1340": "sha512",
    "1e20": "blake3",
}


def matches(path: Path, multihash: str) -> bool | None:
    """Tell whether the file has the multihash (hexadecimal); None where that hash cannot be computed here."""
    stated = multihash.lower()
    prefix = next((known for known in HASHES if stated.startswith(known)), None)
    algorithm = _algorithm(HASHES[prefix]) if prefix else None
    if prefix is None or algorithm is None:
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest() == stated.removeprefix(prefix)


def _algorithm(name: str) -> Callable[[], Any] | None:
    """Return a maker of the hash; BLAKE3 comes from the `blake3` package where that is installed."""
    if name != "blake3":
        return lambda: hashlib.new(name, usedforsecurity=False)
    if find_spec("blake3") is None:
        return None
    maker: Callable[[], Any] = import_module("blake3").blake3
    return maker
