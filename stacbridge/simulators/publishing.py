"""Products that come into a catalogue while it is being searched."""

import numpy as np
from numpy.typing import NDArray

from .hashing import Rows, integers

_SALT = 104


class Published:
    """Which of `size` rows are in the catalogue: all but `held` of them, which come in as they are published.

    Which these are, and in what order they come, looks random and is always the same.
    """

    def __init__(self, size: int, held: int) -> None:
        order = np.argsort(integers(np.arange(size), _SALT, 2**62), kind="stable")
        self._waiting: Rows = order[:held]
        self.mask: NDArray[np.bool_] = np.ones(size, dtype=np.bool_)
        self.mask[self._waiting] = False

    def publish(self, count: int) -> Rows:
        """Let the next `count` rows in, or as many as there are."""
        coming, self._waiting = self._waiting[:count], self._waiting[count:]
        self.mask[coming] = True
        return coming
