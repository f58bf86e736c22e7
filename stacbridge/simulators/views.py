"""Facts about many products of one family at once: every field is an array with one entry for each row.

A field is an attribute of a view, computed when first asked for. The same fields name a product, fill its JSON and
answer a filter, so the three cannot disagree.
"""

import string
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import orbits
from .families import Family
from .grids import Squares
from .hashing import Floats, Rows, fractions, integers, words
from .orbits import SECOND, Satellite, microseconds

Texts = NDArray[np.object_]
HOUR = 3600 * SECOND
DAY = 24 * HOUR
TIME_FIELDS = frozenset({"start", "end", "processed", "segment_start"})
_SALT_TIME, _SALT_GROUP, _SALT_LATENCY, _SALT_UID, _SALT_TRAP = 11, 13, 17, 19, 23


def pick(choices: list[Any] | tuple[Any, ...], index: Rows) -> Texts:
    """Entry number `index` (modulo their number) of `choices`, for every row."""
    table = np.empty(len(choices), dtype=object)
    table[:] = choices
    return np.asarray(table[index % len(choices)])


def texts(values: list[Any]) -> Texts:
    """An array of Python objects."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


class View:
    """Products number `k` of `total` of one family; `rows` are their numbers in the whole archive."""

    def __init__(self, family: Family, k: Rows, total: int, rows: Rows) -> None:
        self.family = family
        self.k = k
        self.total = total
        self.rows = rows

    def field(self, name: str) -> NDArray[Any]:
        """The values of one field, or of a constant of the family."""
        constant = self.family.constants.get(name)
        if constant is not None and not isinstance(constant, list):
            return pick([constant], np.zeros_like(self.rows))
        return np.asarray(getattr(self, name))

    def render(self, template: str) -> Texts:
        """Fill a template of fields for every row; times are datetimes there."""
        names, positional = _positional(template)
        if not names:
            return pick([template], np.zeros_like(self.rows))
        columns = [self._printable(name) for name in names]
        return texts([positional.format(*values) for values in zip(*columns, strict=True)])

    def _printable(self, name: str) -> list[Any]:
        values = self.field(name)
        return values.astype("datetime64[us]").tolist() if name in TIME_FIELDS else values.tolist()

    # Place in time ------------------------------------------------------------------------------------------------
    @cached_property
    def group(self) -> Rows:
        return self.k // self.family.constants.get("group", 1)

    @cached_property
    def place(self) -> Rows:
        return self.k % self.family.constants.get("group", 1)

    @cached_property
    def satellite_index(self) -> Rows:
        return self.group % max(1, len(self.family.satellites))

    @cached_property
    def group_start(self) -> Rows:
        groups = -(-self.total // self.family.constants.get("group", 1))
        share = (self.group + fractions(self.group, _SALT_TIME)) / groups
        first, last = self._life
        return (first + (last - first) * share).astype(np.int64) // 1000 * 1000

    @cached_property
    def _life(self) -> tuple[Rows, Rows]:
        if self.family.satellites:
            firsts = np.array([s.first for s in self.family.satellites])
            lasts = np.array([s.last for s in self.family.satellites])
            return firsts[self.satellite_index], lasts[self.satellite_index]
        first, last = (microseconds(text) for text in self.family.constants["period"])
        return np.full_like(self.rows, first), np.full_like(self.rows, last)

    @cached_property
    def start(self) -> Rows:
        return self.group_start + self.place * int(self.family.constants.get("step", 0) * SECOND)

    @cached_property
    def end(self) -> Rows:
        return self.start + int(self.family.constants["seconds"] * SECOND)

    @cached_property
    def processed(self) -> Rows:
        late = integers(self.rows, _SALT_LATENCY, 20) == 0
        wait = HOUR + integers(self.rows, _SALT_LATENCY + 1, 4 * HOUR)
        again = integers(self.rows, _SALT_LATENCY + 2, 900) * DAY
        return (self.end + wait + np.where(late, again, 0)) // SECOND * SECOND

    @cached_property
    def origin_date(self) -> Rows:
        return self.processed + 600 * SECOND + integers(self.rows, 41, 1800) * SECOND + 43_000

    @cached_property
    def published(self) -> Rows:
        return self.origin_date + 60 * SECOND + integers(self.rows, 42, 600 * SECOND)

    @cached_property
    def modified(self) -> Rows:
        changed = integers(self.rows, 43, 4) == 0
        return self.published + np.where(changed, integers(self.rows, 44, 90 * DAY), 0)

    # Names --------------------------------------------------------------------------------------------------------
    @cached_property
    def ptype(self) -> Texts:
        return pick(self.family.types, integers(self.group, _SALT_GROUP, 2**31))

    @cached_property
    def base_type(self) -> Texts:
        return texts([text.removesuffix("-COG") for text in self.ptype])

    @cached_property
    def cog(self) -> Texts:
        return texts(["_COG" if text.endswith("-COG") else "" for text in self.ptype])

    @cached_property
    def uid(self) -> Rows:
        return integers(self.rows, _SALT_UID, 65536)

    @cached_property
    def name(self) -> Texts:
        return self.render(self.family.name)

    @cached_property
    def stem(self) -> Texts:
        return texts([name.rsplit(".", 1)[0] for name in self.name])

    @cached_property
    def folder(self) -> Texts:
        return self.render(self.family.path)

    @cached_property
    def timeliness(self) -> Texts:
        return pick(self.family.constants["timeliness"], integers(self.group, 29, 2**31))

    @cached_property
    def trap(self) -> Rows:
        """Which oddity of real records a row shows: see records.py; 0 for most."""
        drawn = integers(self.rows, _SALT_TRAP, 250)
        return np.where(drawn < 10, drawn + 1, 0)

    # Place on Earth -----------------------------------------------------------------------------------------------
    @property
    def has_footprint(self) -> bool:
        return True

    def rings(self) -> Floats:
        """Outer rings (n, vertices, 2) of lon, lat in degrees, rounded to six decimals."""
        raise NotImplementedError


class OrbitView(View):
    """Products seen from an orbit."""

    def _per_satellite(self, compute: Any, dtype: Any = np.int64) -> NDArray[Any]:
        out = np.empty(len(self.rows), dtype=dtype)
        for index, satellite in enumerate(self.family.satellites):
            chosen = self.satellite_index == index
            if chosen.any():
                out[chosen] = compute(satellite, chosen)
        return out

    def _of_satellite(self, attribute: str) -> Texts:
        return pick([getattr(s, attribute) for s in self.family.satellites], self.satellite_index)

    @cached_property
    def satellite(self) -> Texts:
        return self._of_satellite("code")

    @cached_property
    def serial(self) -> Texts:
        return self._of_satellite("serial")

    @cached_property
    def platform(self) -> Texts:
        return self._of_satellite("platform")

    @cached_property
    def orbit(self) -> Rows:
        return self._per_satellite(lambda s, chosen: s.orbit(self.start[chosen]))

    @cached_property
    def group_orbit(self) -> Rows:
        return self._per_satellite(lambda s, chosen: s.orbit(self.group_start[chosen]))

    @cached_property
    def relative_orbit(self) -> Rows:
        return self._per_satellite(lambda s, chosen: s.relative_orbit(self.orbit[chosen]))

    @cached_property
    def cycle(self) -> Rows:
        return self._per_satellite(lambda s, chosen: s.cycle(self.orbit[chosen]))

    @cached_property
    def since_node(self) -> Floats:
        """Seconds since the ascending node of `orbit`."""
        return self._per_satellite(lambda s, chosen: s.since_node(self.start[chosen]), np.float64)

    @cached_property
    def direction(self) -> Texts:
        rising = self._per_satellite(lambda s, chosen: s.ascending(self.since_node[chosen]), np.bool_)
        return pick(["DESCENDING", "ASCENDING"], rising.astype(np.int64))

    def rings(self) -> Floats:
        near, far = self.family.constants["near_km"], self.family.constants["far_km"]
        steps = self.family.constants.get("steps", 2)
        seconds = (self.end - self.start) / SECOND

        def seen(satellite: Satellite, chosen: NDArray[np.bool_]) -> Floats:
            return orbits.strip(satellite, self.start[chosen], seconds[chosen], near, far, steps)

        out = np.empty((len(self.rows), 2 * steps + 1, 2))
        for index, satellite in enumerate(self.family.satellites):
            chosen = self.satellite_index == index
            if chosen.any():
                out[chosen] = seen(satellite, chosen)
        return out


class NoneView(OrbitView):
    """Products without a place: auxiliary files."""

    @property
    def has_footprint(self) -> bool:
        return False


class TileView(OrbitView):
    """Products cut to the 100 km tile below one moment of an orbit; all tiles of a data take share its start."""

    @cached_property
    def start(self) -> Rows:
        return self.group_start // SECOND * SECOND + 24_000

    @cached_property
    def end(self) -> Rows:
        return self.start

    @cached_property
    def seen_at(self) -> Rows:
        """When the tile itself was seen."""
        return self.start + (self.place * int(self.family.constants["step"]) + 3) * SECOND

    @cached_property
    def squares(self) -> Squares:
        lat, lon = np.empty(len(self.rows)), np.empty(len(self.rows))
        across = (fractions(self.group, 31) * 2 - 1) * self.family.constants["far_km"]
        for index, satellite in enumerate(self.family.satellites):
            chosen = self.satellite_index == index
            times = self.seen_at[chosen]
            relative = satellite.relative_orbit(satellite.orbit(times))
            below = satellite.ground(satellite.since_node(times), relative)
            lat[chosen], lon[chosen] = orbits.beside(*below, across[chosen])
        return Squares(lon, lat)

    @cached_property
    def tile(self) -> Texts:
        return texts(self.squares.names())

    def rings(self) -> Floats:
        return orbits.centred(self.squares.rings())


def _positional(template: str) -> tuple[list[str], str]:
    names, parts = [], []
    for literal, name, spec, _ in string.Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            names.append(name)
            parts.append("{:" + (spec or "") + "}")
    return names, "".join(parts)


def identifiers(rows: Rows, salt: int) -> Texts:
    """32 hexadecimal digits for every row: checksums."""
    high, low = words(rows, salt), words(rows, salt + 1)
    return texts([f"{a:016x}{b:016x}" for a, b in zip(high.tolist(), low.tolist(), strict=True)])
