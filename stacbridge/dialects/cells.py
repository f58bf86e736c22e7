"""Quarters of a box, and quarters of these, in each of which an upstream may find few enough records.

An upstream finds a record in every quarter that it reaches into. It belongs to one of them: that which a
point within it is in. So each record comes once, whoever asks for which quarters, in whatever order.
"""

from dataclasses import dataclass, replace
from typing import Self

import shapely
from shapely.geometry import shape

from stacbridge.mapping.footprints import footprints
from stacbridge.model import Bbox, Json

WORLD: Bbox = (-180.0, -90.0, 180.0, 90.0)
DEEPEST = 20
"""Halvings of a box at most; the world, halved so often, is about forty metres wide."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of the box `root`: `path` are the quarters that lead to it, from the outermost.

    Each is a digit: 0 south-west, 1 south-east, 2 north-west, 3 north-east.
    """

    root: Bbox = WORLD
    path: str = ""

    @property
    def box(self) -> Bbox:
        """West, south, east, north of it."""
        box = self.root
        for digit in self.path:
            box = _quarter(box, digit)
        return box

    def quarters(self) -> list[Self]:
        """Return its quarters, none where it is too small."""
        if len(self.path) >= DEEPEST:
            return []
        return [replace(self, path=self.path + digit) for digit in "0123"]

    def following(self) -> Self | None:
        """Return the cell that comes after it and all in it, `None` at the end of the root."""
        path = self.path.rstrip("3")
        return replace(self, path=path[:-1] + str(int(path[-1]) + 1)) if path else None

    def own(self, records: list[Json]) -> list[Json]:
        """Return the records that belong to it; those without a place do to every cell they are found in."""
        if not self.path:
            return records
        places = [place for place, _ in footprints(records)]
        return [
            record
            for record, place in zip(records, places, strict=True)
            if place is None or self._owns(place)
        ]

    def _owns(self, place: Json) -> bool:
        found = shape(place)
        inside = found.intersection(shapely.box(*self.root))
        point = (found if inside.is_empty else inside).representative_point()
        box = self.root
        for digit in self.path:
            x, y = _middle(box)
            if digit != str((point.x >= x) + 2 * (point.y >= y)):
                return False
            box = _quarter(box, digit)
        return True


def _middle(box: Bbox) -> tuple[float, float]:
    west, south, east, north = box
    return (west + east) / 2, (south + north) / 2


def _quarter(box: Bbox, digit: str) -> Bbox:
    west, south, east, north = box
    x, y = _middle(box)
    column, line = int(digit) % 2, int(digit) // 2
    return (x if column else west, y if line else south, east if column else x, north if line else y)
