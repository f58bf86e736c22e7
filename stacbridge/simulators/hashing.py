"""Numbers that look random and are a pure function of a row, so that the archive needs no state."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Words = NDArray[np.uint64]
Floats = NDArray[np.floating[Any]]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A = np.uint64(0xBF58476D1CE4E5B9)
_B = np.uint64(0x94D049BB133111EB)


def words(rows: Rows, salt: int) -> Words:
    """64 bits for every row (the splitmix64 mixing function, vectorised; `salt` makes independent draws)."""
    with np.errstate(over="ignore"):
        x = rows.astype(np.uint64) * _GOLDEN + np.uint64(salt) * _A + _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _A
        x = (x ^ (x >> np.uint64(27))) * _B
        return x ^ (x >> np.uint64(31))


def fractions(rows: Rows, salt: int) -> Floats:
    """A float in [0, 1) for every row."""
    return (words(rows, salt) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def integers(rows: Rows, salt: int, below: int) -> Rows:
    """An integer in [0, below) for every row."""
    return (words(rows, salt) % np.uint64(below)).astype(np.int64)
