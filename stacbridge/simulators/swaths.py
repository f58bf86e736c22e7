"""Products seen from an orbit: whole strips, or the tiles below."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import orbits
from .grids import Squares
from .hashing import Floats, Rows, fractions
from .orbits import SECOND, Satellite
from .views import Texts, View, pick, salt, texts

Mask = NDArray[np.bool_]


class OrbitView(View):
    """Strips along the ground track, between `near_km` and `far_km` to its right."""

    def _by_satellite(self) -> Iterator[tuple[Satellite, Mask]]:
        for index, satellite in enumerate(self.family.satellites):
            chosen = self.satellite_index == index
            if chosen.any():
                yield satellite, chosen

    def _computed(self, compute: Callable[[Satellite, Mask], Any], dtype: Any = np.int64) -> NDArray[Any]:
        out = np.empty(len(self.rows), dtype=dtype)
        for satellite, chosen in self._by_satellite():
            out[chosen] = compute(satellite, chosen)
        return out

    def _of_satellite(self, attribute: str) -> Texts:
        return pick([getattr(s, attribute) for s in self.family.satellites], self.satellite_index)

    @cached_property
    def group_start(self) -> Rows:
        """Start of the data take; where the family has a `phase`, moved to that part of the same orbit."""
        anywhere = super().group_start
        if "phase" not in self.constants:
            return anywhere
        low, high = self.constants["phase"]
        part = low + (high - low) * fractions(self.group, salt("phase"))

        def moved(satellite: Satellite, chosen: Mask) -> Rows:
            seconds = part[chosen] * satellite.period - satellite.since_node(anywhere[chosen])
            return np.asarray(anywhere[chosen] + (seconds * 1000).astype(np.int64) * 1000)

        return self._computed(moved)

    @cached_property
    def satellite(self) -> Texts:
        """Code of the satellite, such as `S1A`."""
        return self._of_satellite("code")

    @cached_property
    def serial(self) -> Texts:
        """Which satellite of its kind, such as `A`."""
        return self._of_satellite("serial")

    @cached_property
    def platform(self) -> Texts:
        """The kind of satellite, such as `SENTINEL-1`."""
        return self._of_satellite("platform")

    @cached_property
    def orbit(self) -> Rows:
        """Absolute orbit number at the start."""
        return self._computed(lambda s, chosen: s.orbit(self.start[chosen]))

    @cached_property
    def group_orbit(self) -> Rows:
        """Absolute orbit number at the start of the data take."""
        return self._computed(lambda s, chosen: s.orbit(self.group_start[chosen]))

    @cached_property
    def relative_orbit(self) -> Rows:
        """Relative orbit number."""
        return self._computed(lambda s, chosen: s.relative_orbit(self.orbit[chosen]))

    @cached_property
    def cycle(self) -> Rows:
        """Number of the repeat cycle."""
        return self._computed(lambda s, chosen: s.cycle(self.orbit[chosen]))

    @cached_property
    def since_node(self) -> Floats:
        """Seconds from the ascending node of `orbit` to the start."""
        return self._computed(lambda s, chosen: s.since_node(self.start[chosen]), np.float64)

    @cached_property
    def direction(self) -> Texts:
        """`ASCENDING` or `DESCENDING`."""
        rising = self._computed(lambda s, chosen: s.ascending(self.since_node[chosen]))
        return pick(["DESCENDING", "ASCENDING"], rising)

    def rings(self) -> Floats:
        """Rings around the strips."""
        edges = self.constants["near_km"], self.constants["far_km"]
        steps = self.constants.get("steps", 2)
        seconds = (self.end - self.start) / SECOND
        out = np.empty((len(self.rows), 2 * steps + 1, 2))
        for satellite, chosen in self._by_satellite():
            out[chosen] = orbits.strip(satellite, self.start[chosen], seconds[chosen], *edges, steps)
        return out


class PlacelessView(OrbitView):
    """Products without a place: auxiliary files."""

    @property
    def has_footprint(self) -> bool:
        """Never."""
        return False


class TileView(OrbitView):
    """Products cut to the tile below one moment of an orbit; all tiles of a data take share its start."""

    @cached_property
    def start(self) -> Rows:
        """Start of the data take."""
        return self.group_start // SECOND * SECOND + 24_000

    @cached_property
    def end(self) -> Rows:
        """The same as the start."""
        return self.start

    @cached_property
    def seen(self) -> Rows:
        """When the tile itself was seen."""
        return self.start + (self.place * int(self.constants["step"]) + 3) * SECOND

    @cached_property
    def squares(self) -> Squares:
        """The tiles on their grid."""
        lat, lon = np.empty(len(self.rows)), np.empty(len(self.rows))
        across = (fractions(self.group, salt("across")) * 2 - 1) * self.constants["far_km"]
        for satellite, chosen in self._by_satellite():
            times = self.seen[chosen]
            relative = satellite.relative_orbit(satellite.orbit(times))
            below = satellite.ground(satellite.since_node(times), relative)
            lat[chosen], lon[chosen] = orbits.beside(*below, across[chosen])
        return Squares(lon, lat)

    @cached_property
    def tile(self) -> Texts:
        """Tile identifier without its T, such as `31UDQ`."""
        return texts(self.squares.names())

    def rings(self) -> Floats:
        """Rings around the tiles."""
        return orbits.centred(self.squares.rings())
