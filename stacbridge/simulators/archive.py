"""The archive: products that are pure functions of their row, and the columns to search them by."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from . import footprints, records, trees, values
from .cells import CellView
from .families import Family, collections, families
from .hashing import Rows
from .identifiers import Identifiers
from .missions import OrbitProducts, PlacelessProducts, TileProducts
from .views import Texts, View

Mask = NDArray[np.bool_]
_VIEWS: dict[str, type[View]] = {
    "orbit": OrbitProducts,
    "tile": TileProducts,
    "none": PlacelessProducts,
    "cell": CellView,
}
_ID_SALT, _ASSET_SALT = 101, 102
BASE_URL = "https://catalogue.dataspace.copernicus.eu/odata/v1"
TIME_COLUMNS = {
    "ContentDate/Start": "start",
    "ContentDate/End": "end",
    "PublicationDate": "published",
    "ModificationDate": "modified",
    "OriginDate": "origin_date",
}


class Archive:
    """`size` products (at least 1000) over every family; the same size always gives the same products.

    Rows are numbered from 0; arrays of rows are int64. `large_bytes` makes one single-file product,
    `large_row`, so many bytes long. All products of the collection `at_once` are published at one time.
    """

    def __init__(
        self, size: int = 100_000, large_bytes: int | None = None, at_once: str | None = None
    ) -> None:
        if size < 1000:
            raise ValueError(
                f"an archive of {size} products is too small for every kind of product; 1000 are enough"
            )
        self.size = size
        self.families = tuple(
            replace(family, constants={**family.constants, "at_once": family.collection == at_once})
            for family in families()
        )
        self._offsets = np.concatenate([[0], np.cumsum(_shares(size, self.families))])
        self.ids = Identifiers(_ID_SALT, size)
        self.asset_ids = Identifiers(_ASSET_SALT, size)
        self.large_bytes = large_bytes
        self.large_row = self._row_of_large() if large_bytes else None
        self._holdings = values.Holdings(self.ids, self.asset_ids, self.large_row, large_bytes)

    # Rows and their families ----------------------------------------------------------------------
    @cached_property
    def all_rows(self) -> Rows:
        """Every row."""
        return np.arange(self.size, dtype=np.int64)

    def family_rows(self, number: int) -> range:
        """The rows of one family."""
        return range(int(self._offsets[number]), int(self._offsets[number + 1]))

    def family_of(self, row: int) -> Family:
        """The family of a product."""
        return self.families[int(np.searchsorted(self._offsets, row, side="right")) - 1]

    def views(self, rows: Rows) -> Iterator[tuple[Rows, View]]:
        """The rows by family: positions in `rows`, and a view of the products there."""
        number = np.searchsorted(self._offsets, rows, side="right") - 1
        for n in np.unique(number):
            at = np.flatnonzero(number == n)
            family = self.families[n]
            total = len(self.family_rows(n))
            yield at, _VIEWS[family.view](family, rows[at] - self._offsets[n], total, rows[at])

    def view(self, row: int) -> View:
        """A view of one product."""
        return next(self.views(np.array([row], dtype=np.int64)))[1]

    def _row_of_large(self) -> int:
        """The first OFFL or NRTI product of Sentinel-5P that no oddity befalls."""
        number = next(
            f.number for f in self.families if f.layout == "single" and f.collection == "SENTINEL-5P"
        )
        return next(row for row in self.family_rows(number) if self.view(row).trap[0] == 0)

    # Columns --------------------------------------------------------------------------------------
    @cached_property
    def _times(self) -> dict[str, Rows]:
        columns = {name: np.empty(self.size, dtype=np.int64) for name in TIME_COLUMNS}
        for at, view in self.views(self.all_rows):
            for name, field in TIME_COLUMNS.items():
                columns[name][at] = view.field(field)
        return columns

    @cached_property
    def names(self) -> Texts:
        """The name of every product; built when first asked for."""
        out = np.empty(self.size, dtype=object)
        for at, view in self.views(self.all_rows):
            out[at] = view.name
        return out

    @cached_property
    def _row_by_name(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names.tolist())}

    def row_of_name(self, name: str) -> int | None:
        """The row of the product of this exact name."""
        return self._row_by_name.get(name)

    def collection_mask(self, name: str, rows: Rows) -> Mask:
        """Which rows are of this collection."""
        found = np.zeros(len(rows), dtype=np.bool_)
        for family in self.families:
            if family.collection == name:
                span = self.family_rows(family.number)
                found |= (rows >= span.start) & (rows < span.stop)
        return found

    def column(self, path: str, rows: Rows) -> NDArray[Any]:
        """Values of a plain property: times as microseconds since 1970, else numbers, truth values or texts.

        Raises KeyError for a property that products do not have.
        """
        if path in self._times:
            return self._times[path][rows]
        if path == "Name" and ("names" in vars(self) or len(rows) > self.size // 10):
            return self.names[rows]
        compute, dtype = values.COLUMNS[path]
        out: NDArray[Any] = np.empty(len(rows), dtype=object)
        for at, view in self.views(rows):
            out[at] = compute(view, self._holdings)
        return out.astype(dtype)

    def attribute(self, name: str, rows: Rows) -> Iterator[tuple[Rows, NDArray[Any], str]]:
        """Attribute `name` of the rows that have it: positions, values and OData type, family by family."""
        for at, view in self.views(rows):
            found = values.attribute(view, name)
            if found is not None:
                present, held, type_ = found
                yield at[present], held[present], type_

    def intersects(self, geometry: shapely.Geometry, rows: Rows) -> Mask:
        """Which footprints meet `geometry` (lon, lat within +-180), exactly and planar in degrees.

        A footprint over the antimeridian is the short way round, whatever form its record prints.
        """
        found = np.zeros(len(rows), dtype=np.bool_)
        for at, view in self.views(rows):
            if view.has_footprint:
                found[at] = footprints.meets(geometry, view.rings())
        return found

    # Products -------------------------------------------------------------------------------------
    def records(self, rows: Rows, base_url: str = BASE_URL) -> list[dict[str, Any]]:
        """The complete products, with Attributes, Assets and Locations, in the order of `rows`."""
        out: list[dict[str, Any]] = [{}] * len(rows)
        for at, view in self.views(rows):
            for position, record in zip(at, records.products(view, self._holdings, base_url), strict=True):
                out[position] = record
        return out

    def record(self, row: int) -> dict[str, Any]:
        """One complete product."""
        return self.records(np.array([row], dtype=np.int64))[0]

    def product(self, row: int) -> trees.Product:
        """What the files of a product are named after."""
        return values.products_of(self.view(row))[0]

    @staticmethod
    def collections() -> dict[str, dict[str, str]]:
        """Every collection, with the names and types of its attributes."""
        return collections()


def _shares(size: int, kinds: tuple[Family, ...]) -> list[int]:
    whole = sum(family.weight for family in kinds)
    counts = [max(1, int(size * family.weight / whole)) for family in kinds]
    counts = [min(n, family.limit or n) for n, family in zip(counts, kinds, strict=True)]
    counts[0] += size - sum(counts)
    return counts
