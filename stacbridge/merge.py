"""Many ordered runs of Items as one: a k-way merge that stops where it would have to guess."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace

from stacbridge.model import Found, Json, Places, SortKey
from stacbridge.ordering import Place, place


@dataclass(slots=True)
class Strand:
    """One catalogue's run of Items, as far as it was read and taken.

    `reached` is where reading goes on, `None` at the start. When the last Item there is has been taken, the
    strand has `ended`. One that is `missing` is passed over.
    """

    reached: Json | None = None
    ended: bool = False
    missing: bool = False
    _all_read: bool = False
    _keys: tuple[SortKey, ...] = ()
    _before: Json | None = None
    _places: Places = ()
    _read: deque[Json] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._before, self._all_read = self.reached, self.ended

    @property
    def position(self) -> Json | None:
        """Where a search goes on behind the last Item taken, `None` at the start and at the end."""
        taken = len(self._places) - len(self._read)
        return self._places[taken - 1] if taken else self._before

    @property
    def begun(self) -> bool:
        """Whether it is no longer at its start."""
        return self.ended or self.position is not None

    @property
    def hungry(self) -> bool:
        """Whether its next Item is unknown, and more has to be read first."""
        return not (self._read or self._all_read or self.missing)

    @property
    def holds(self) -> bool:
        """Whether its next Item is known."""
        return bool(self._read)

    @property
    def place(self) -> Place:
        """Where its next Item, which it `holds`, stands in the order that it was asked for in."""
        return place(self._read[0], self._keys)

    def read(self, found: Found, keys: tuple[SortKey, ...]) -> None:
        """Take a page, when all that was read before is taken."""
        self._before = self.reached if found.items else found.position
        self.reached, self._all_read, self._keys = found.position, found.position is None, keys
        self._places, self._read = found.places, deque(found.items)
        self.ended = self._all_read and not self._read

    def take(self) -> Json:
        """Take the next Item."""
        item = self._read.popleft()
        self.ended = self._all_read and not self._read
        return item


def merge(strands: Sequence[Strand], wanted: int) -> Iterator[Json]:
    """Take up to `wanted` Items in their order; of those in the same place, the first strand's come first.

    Stops before an Item that a hungry strand may have one in front of.
    """
    if any(strand.hungry for strand in strands):
        return
    heads = [(strand.place, number) for number, strand in enumerate(strands) if strand.holds]
    heapify(heads)
    while heads and wanted:
        number = heads[0][1]
        strand = strands[number]
        yield strand.take()
        wanted -= 1
        if strand.hungry:
            return
        if not strand.holds:
            heappop(heads)
        elif len(heads) > 1:  # the last one is compared with nobody
            heapreplace(heads, (strand.place, number))
