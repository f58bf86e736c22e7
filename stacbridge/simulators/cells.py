"""Products that lie on a grid rather than under an orbit: elevation tiles, mosaics, land cover, tasked scenes."""

from functools import cached_property

import numpy as np

from . import orbits
from .grids import Squares
from .hashing import Floats, Rows, fractions, integers
from .orbits import SECOND
from .views import DAY, Texts, View, pick, texts


class CellView(View):
    """Products of a grid; `grid` of the family names which."""

    @cached_property
    def _position(self) -> tuple[Rows, Rows]:
        """Column and line of the grid; the order in which its cells come looks random and misses none."""
        columns, lines = {"degree": (360, 140), "modis": (36, 18), "mosaic": (120, 120), "europe": (13, 34)}[
            self.family.constants["grid"]
        ]
        cell = (self.k * 7919) % (columns * lines)
        return cell % columns, cell // columns

    @cached_property
    def _lap(self) -> Rows:
        """How often the grid was full before this product."""
        cells = {"degree": 50400, "modis": 648, "mosaic": 14400, "europe": 442}[self.family.constants["grid"]]
        return self.k // cells

    @property
    def column(self) -> Rows:
        return self._position[0]

    @property
    def line(self) -> Rows:
        return self._position[1]

    @cached_property
    def type_index(self) -> Rows:
        if self.family.constants["grid"] == "random":
            return integers(self.k, 13, len(self.family.types))
        return (self.k + self._lap) % len(self.family.types)

    @cached_property
    def ptype(self) -> Texts:
        return pick(self.family.types, self.type_index)

    @cached_property
    def platform(self) -> Texts:
        return pick(self.family.constants["platforms"], self.type_index)

    @cached_property
    def resolution(self) -> Texts:
        return pick(self.family.constants["resolutions"], self.type_index)

    @cached_property
    def arcseconds(self) -> Texts:
        return pick(
            [10 if metres == 30 else 30 for metres in self.family.constants["resolutions"]], self.type_index
        )

    # Time ---------------------------------------------------------------------------------------------------------
    @cached_property
    def _month(self) -> Rows:
        """First month, counted from 1970-01."""
        first = np.datetime64(self.family.constants["first_month"], "M").astype(np.int64)
        last = np.datetime64(self.family.constants["last_month"], "M").astype(np.int64)
        each = self.family.constants["months"]
        return np.asarray(
            first + ((self.k // len(self.family.types) + self._lap) % ((last - first) // each)) * each
        )

    @cached_property
    def start(self) -> Rows:
        if "months" in self.family.constants:
            return self._month.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
        if self.family.constants["grid"] == "modis":
            return self._life[0] + (self._lap * 5 + self.k % 5) * 613 % 8887 * DAY
        if self.family.constants["grid"] == "random":
            return self.group_start // SECOND * SECOND
        first, last = self._life
        return first + integers(self.k, 51, 2**31) % np.maximum((last - first) // DAY, 1) * DAY

    @cached_property
    def end(self) -> Rows:
        if "months" in self.family.constants:
            after = (self._month + self.family.constants["months"]).astype("datetime64[M]")
            return after.astype("datetime64[us]").astype(np.int64) - SECOND
        return self.start + int(self.family.constants["seconds"] * SECOND)

    @cached_property
    def quarter(self) -> Rows:
        return self._month % 12 // 3 + 1

    # Names --------------------------------------------------------------------------------------------------------
    @cached_property
    def mosaic_mode(self) -> Texts:
        return texts([text.split("_")[2] for text in self.ptype])

    @cached_property
    def dataset(self) -> Texts:
        return pick(self.family.constants["datasets"], integers(self.rows, 53, 2))

    @cached_property
    def delivery(self) -> Texts:
        return texts([f"DAP_MG2b_{number:04d}" for number in integers(self.rows, 54, 10_000)])

    @cached_property
    def incidence(self) -> Floats:
        return np.round(fractions(self.rows, 55) * 40 - 20, 2)

    @cached_property
    def uid2(self) -> Rows:
        return integers(self.rows, 56, 65536)

    @cached_property
    def cell(self) -> Texts:
        def one(column: int, line: int) -> str:
            lat, lon = line - 60, column - 180
            return f"{'NS'[lat < 0]}{abs(lat):02d}_00_{'EW'[lon < 0]}{abs(lon):03d}_00"

        return texts([one(c, r) for c, r in zip(self.column.tolist(), self.line.tolist(), strict=True)])

    # Place --------------------------------------------------------------------------------------------------------
    @cached_property
    def squares(self) -> Squares:
        west, south, step = {"mosaic": (-180.0, -60.0, 3.0), "europe": (-9.5, 36.5, 3.0)}[
            self.family.constants["grid"]
        ]
        return Squares(west + 0.5 + self.column * step, south + 0.5 + self.line * 1.0)

    @cached_property
    def tile(self) -> Texts:
        return texts(self.squares.names())

    def rings(self) -> Floats:
        match self.family.constants["grid"]:
            case "degree":
                return _boxes(self.column - 180.0, self.line - 60.0, 1.0)
            case "modis":
                return _boxes(self.column * 10.0 - 180, 80 - self.line * 10.0, 10.0)
            case "random":
                lon, lat = fractions(self.rows, 57) * 360 - 180, fractions(self.rows, 58) * 130 - 60
                return orbits.centred(_boxes(lon, lat, 0.35))
        return orbits.centred(self.squares.rings())


def _boxes(west: Floats, south: Floats, size: float) -> Floats:
    corners = [(0.0, 0.0), (size, 0.0), (size, size), (0.0, size), (0.0, 0.0)]
    return np.round(np.stack([np.stack([west + dx, south + dy], axis=1) for dx, dy in corners], axis=1), 6)
