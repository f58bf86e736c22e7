"""Identifiers that hide a row, so that an entity is found by its identifier without a table."""

import uuid

import numpy as np

from .hashing import Rows, words

_NODE_BITS = 48
_SPREAD = 0x5DEECE66D
_VERSION_MASK = np.uint64(0xFFFFFFFFFFFF0FFF)


def identifier(row: int, bits: int) -> str:
    """A UUID of version 4 from 64 random bits; its last 48 bits hide the row."""
    high = (bits & int(_VERSION_MASK) | 0x4000) << 64
    clock = (bits >> 3) & 0x3FFF | 0x8000
    node = row * _SPREAD % (1 << _NODE_BITS)
    return str(uuid.UUID(int=high | clock << _NODE_BITS | node))


def hidden_row(text: str) -> int | None:
    """The row that an identifier hides, if it is a UUID; whether it is ours is for the caller to see."""
    try:
        node = uuid.UUID(text).node
    except ValueError:
        return None
    return node * pow(_SPREAD, -1, 1 << _NODE_BITS) % (1 << _NODE_BITS)


class Identifiers:
    """The identifiers of `size` rows of one kind; `salt` tells kinds apart."""

    def __init__(self, salt: int, size: int) -> None:
        self._salt = salt
        self._size = size

    def of(self, rows: Rows) -> list[str]:
        """The identifiers of these rows."""
        return [
            identifier(int(row), int(bits)) for row, bits in zip(rows, words(rows, self._salt), strict=True)
        ]

    def row(self, text: str) -> int | None:
        """The row of an identifier, if there is one."""
        row = hidden_row(text)
        known = row is not None and row < self._size and self.of(np.array([row])) == [text.lower()]
        return row if known else None

    def keys(self, rows: Rows) -> Rows:
        """Numbers that sort as the identifiers do."""
        return ((words(rows, self._salt) & _VERSION_MASK) >> np.uint64(1)).astype(np.int64)


def digits(rows: Rows, salt: int) -> list[str]:
    """32 hexadecimal digits for every row: checksums."""
    high, low = words(rows, salt), words(rows, salt + 1)
    return [f"{a:016x}{b:016x}" for a, b in zip(high.tolist(), low.tolist(), strict=True)]
