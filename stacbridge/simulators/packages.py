"""Bytes of products: members, zips and the large file, made on demand and kept while there is room."""

import hashlib
import io
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

from . import content, trees

CACHE_BYTES = 64 * 1024 * 1024
BLOCK = bytes(range(256)) * 4096
"""The large file is this megabyte over and over."""
_EPOCH = (2026, 1, 1, 0, 0, 0)


class Packages:
    """Makes the bytes of members and zips; keeps the last ones, at most `limit` bytes of them."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    @property
    def kept_bytes(self) -> int:
        """How many bytes are kept."""
        return self._size

    def member(self, product: trees.Product, member: trees.Member) -> bytes:
        """The bytes of one file of a product."""
        return self._keep((product.name, member.path), lambda: _make(product, member))

    def zip(self, product: trees.Product) -> bytes:
        """A zip of all files, stored in a folder of the product's name."""
        return self._keep((product.name, ""), lambda: _zip(product))

    def _keep(self, key: tuple[str, str], make: Callable[[], bytes]) -> bytes:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._size += len(made)
            while self._size > self._limit:
                _, old = self._kept.popitem(last=False)
                self._size -= len(old)
        return made


def _make(product: trees.Product, member: trees.Member) -> bytes:
    text = manifest(product) if member.kind == "manifest" else ""
    title = member.path if product.layout == "single" else f"{product.name}/{member.path}"
    return content.make(member.kind, title, product.bounds, text)


@lru_cache(maxsize=4096)
def stored(product: trees.Product) -> tuple[int, str]:
    """Length and MD5 of the stored zip of a product."""
    made = _zip(product)
    return len(made), hashlib.md5(made, usedforsecurity=False).hexdigest()


def _zip(product: trees.Product) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for member in trees.members(product):
            info = zipfile.ZipInfo(f"{product.name}/{member.path}", _EPOCH)
            archive.writestr(info, _make(product, member))
    return out.getvalue()


def manifest(product: trees.Product) -> str:
    """The list of a product's files, in the form that SAFE and SEN3 products share."""
    objects = "\n".join(
        f'<dataObject ID="d{n}"><byteStream mimeType="application/octet-stream" size="{member.size}">'
        f'<fileLocation locatorType="URL" href="./{member.path}"/></byteStream></dataObject>'
        for n, member in enumerate(trees.members(product))
        if member.kind != "manifest"
    )
    space = 'xmlns:xfdu="urn:ccsds:schema:xfdu:1"'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<xfdu:XFDU {space}>\n'
        f"<dataObjectSection>\n{objects}\n</dataObjectSection>\n</xfdu:XFDU>\n"
    )


def large_slice(start: int, length: int) -> bytes:
    """Bytes of the large file from `start`, at most one block."""
    offset = start % len(BLOCK)
    return BLOCK[offset : offset + length]
