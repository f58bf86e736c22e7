"""Products on a grid rather than under an orbit: elevation tiles, mosaics, land cover, tasked scenes."""

from functools import cached_property

import numpy as np

from . import orbits
from .grids import Squares
from .hashing import Floats, Rows, fractions, integers
from .orbits import SECOND
from .views import DAY, Texts, View, pick, salt, texts

_CELLS = {
    "degree": (360, 140),
    "modis": (36, 18),
    "mosaic": (120, 120),
    "europe": (13, 34),
    "eea": (78, 45),
    "random": (1, 1),
}
"""Columns and lines of each grid; `random` is none: its products lie anywhere."""
_STRIDE = 7919
_CORNERS = {"degree": (-180, -60), "eea": (-32, 27), "mosaic": (-179.5, -59.5), "europe": (-9.0, 37.0)}
"""Longitude and latitude of the south-western corner of each grid."""


class CellView(View):
    """Products of a grid; `grid` of the family names which."""

    @cached_property
    def grid(self) -> str:
        """Name of the grid."""
        return str(self.constants["grid"])

    @cached_property
    def cell_number(self) -> Rows:
        """Number of the cell; the order in which cells come looks random and misses none."""
        columns, lines = _CELLS[self.grid]
        return np.asarray(self.k * _STRIDE % (columns * lines))

    @cached_property
    def lap(self) -> Rows:
        """How often the grid was full before this product."""
        columns, lines = _CELLS[self.grid]
        return np.asarray(self.k // (columns * lines))

    @cached_property
    def column(self) -> Rows:
        """Column of the cell, from the west."""
        return np.asarray(self.cell_number % _CELLS[self.grid][0])

    @cached_property
    def line(self) -> Rows:
        """Line of the cell, from the south (MODIS: from the north)."""
        return np.asarray(self.cell_number // _CELLS[self.grid][0])

    @cached_property
    def type_index(self) -> Rows:
        """Number of the type among those of the family."""
        if self.grid == "random":
            return integers(self.k, salt("type"), len(self.family.types))
        return np.asarray((self.k + self.lap) % len(self.family.types))

    @cached_property
    def ptype(self) -> Texts:
        """The product type."""
        return pick(self.family.types, self.type_index)

    @cached_property
    def platform(self) -> Texts:
        """The platform that goes with the type."""
        return pick(self.constants["platforms"], self.type_index)

    @cached_property
    def dataset(self) -> Texts:
        """The dataset that goes with the type."""
        return pick(self.constants["datasets"], self.type_index)

    @cached_property
    def delivered_type(self) -> Texts:
        """The type without the four characters of its release, as names of elevation tiles have it."""
        return texts([text[:-5] for text in self.ptype])

    @cached_property
    def metres(self) -> Texts:
        """The resolution that goes with the type."""
        return pick(self.constants["resolutions"], self.type_index)

    @cached_property
    def arcseconds(self) -> Texts:
        """Tenths of an arc second between the posts of an elevation tile."""
        return texts([10 if metres == 30 else 30 for metres in self.metres])

    # Time -----------------------------------------------------------------------------------------
    @cached_property
    def month(self) -> Rows:
        """First month of a mosaic, counted from 1970-01."""
        first = int(np.datetime64(self.constants["first_month"], "M").astype(np.int64))
        last = int(np.datetime64(self.constants["last_month"], "M").astype(np.int64))
        each = self.constants["months"]
        number = (self.k // len(self.family.types) + self.lap) % ((last - first) // each)
        return np.asarray(first + number * each)

    @cached_property
    def start(self) -> Rows:
        """ContentDate/Start."""
        if "months" in self.constants:
            return _month_start(self.month)
        if self.grid == "random":
            return self.group_start // SECOND * SECOND
        first, last = self.life
        if self.grid == "modis":
            return first + (self.lap * 5 + self.k % 5) * 613 % 8887 * DAY
        return np.asarray(
            first + integers(self.k, salt("day"), 2**31) % np.maximum((last - first) // DAY, 1) * DAY
        )

    @cached_property
    def end(self) -> Rows:
        """ContentDate/End."""
        if "months" in self.constants:
            return _month_start(self.month + self.constants["months"]) - SECOND
        return self.start + int(self.constants["seconds"] * SECOND)

    @cached_property
    def quarter(self) -> Rows:
        """Quarter of the year of a mosaic."""
        return np.asarray(self.month % 12 // 3 + 1)

    # Names ----------------------------------------------------------------------------------------
    @cached_property
    def mosaic_mode(self) -> Texts:
        """Mode in the name of a Sentinel-1 mosaic: `IW` or `DH`."""
        return texts([text.split("_")[2] for text in self.ptype])

    @cached_property
    def cell(self) -> Texts:
        """Name of a cell of one degree: `N00_00_E006_00`."""

        def one(lon: int, lat: int) -> str:
            return f"{'NS'[lat < 0]}{abs(lat):02d}_00_{'EW'[lon < 0]}{abs(lon):03d}_00"

        west, south = _CORNERS[self.grid]
        return texts(
            [one(west + c, south + r) for c, r in zip(self.column.tolist(), self.line.tolist(), strict=True)]
        )

    # Place ----------------------------------------------------------------------------------------
    @cached_property
    def squares(self) -> Squares:
        """The 100 km tiles of mosaics, three degrees apart so that none comes twice."""
        west, south = _CORNERS[self.grid]
        return Squares(west + self.column * 3.0, south + self.line * 1.0)

    @cached_property
    def tile(self) -> Texts:
        """Tile identifier without its T."""
        return texts(self.squares.names())

    def rings(self) -> Floats:
        """Rings around the cells."""
        match self.grid:
            case "degree" | "eea":
                west, south = _CORNERS[self.grid]
                return _boxes(self.column + float(west), self.line + float(south), 1.0)
            case "modis":
                return _boxes(self.column * 10.0 - 180.0, 80.0 - self.line * 10.0, 10.0)
            case "random":
                lon = fractions(self.rows, salt("lon")) * 360 - 180
                lat = fractions(self.rows, salt("lat")) * 130 - 60
                return orbits.centred(_boxes(lon, lat, 0.35))
        return orbits.centred(self.squares.rings())


def _month_start(months: Rows) -> Rows:
    return np.asarray(months.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64))


def _boxes(west: Floats, south: Floats, size: float) -> Floats:
    corners = [(0.0, 0.0), (size, 0.0), (size, size), (0.0, size), (0.0, 0.0)]
    points = [np.stack([west + dx, south + dy], axis=1) for dx, dy in corners]
    return np.asarray(np.round(np.stack(points, axis=1), 6))
