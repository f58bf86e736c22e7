"""Pieces of a body: who takes them, and the buffers that they are read into."""

from collections import defaultdict
from io import RawIOBase
from typing import Protocol

PIECE = 256 * 1024
"""Bytes taken from the connection at once at most, while there are few."""
SMALLEST = 16 * 1024
"""Bytes taken at once at most, however many there are."""
KEPT = 4
"""Pieces of a stream that wait at most: those held, and those on their way to a client who stops."""
BUDGET = 32 * 1024 * 1024
"""Bytes of pieces from which on new ones are smaller, so that a thousand readers who stop take little."""
SPARE = 4
"""Buffers of each size that are kept for reading into; more are lent only where reads find nothing."""

Piece = bytes | memoryview


class Drain(Protocol):
    """Takes pieces, as long as it is `open`."""

    @property
    def open(self) -> bool:
        """Whether it takes another piece."""
        ...

    @property
    def pipes(self) -> bool:
        """Whether it takes what is in a pipe."""
        ...

    def give(self, piece: Piece) -> None:
        """Take a piece, at once or as soon as it can; what it keeps of a buffer that is lent, it copies."""
        ...

    def give_pipe(self, end: RawIOBase, count: int) -> None:
        """Take `count` bytes out of a pipe, at once or as soon as it can."""
        ...


class Buffers:
    """Buffers that all streams read into in turn, which thereby stay in the processor's cache."""

    def __init__(self) -> None:
        self._spare: defaultdict[int, list[memoryview]] = defaultdict(list)

    def lend(self, among: int) -> memoryview:
        """Return a buffer for one of so many streams."""
        size = piece_size(among)
        spare = self._spare[size]
        return spare.pop() if spare else memoryview(bytearray(size))

    def take_back(self, buffer: memoryview) -> None:
        """Have a buffer again that nobody reads from any more."""
        spare = self._spare[len(buffer)]
        if len(spare) < SPARE:
            spare.append(buffer)


def piece_size(streams: int) -> int:
    """Return the size of new pieces among so many streams: `PIECE`, halved until all are within `BUDGET`."""
    size = PIECE
    while size > SMALLEST and streams * KEPT * size > BUDGET:
        size //= 2
    return size
