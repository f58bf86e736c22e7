"""The archive: a fixed number of products, each a pure function of its row, and the columns to search them by."""

import uuid
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from . import records, trees
from .cells import CellView
from .facts import OrbitProducts, PlacelessProducts, TileProducts
from .families import Family, collections, families
from .hashing import Rows, words
from .views import Texts, View, texts

Mask = NDArray[np.bool_]
_VIEWS: dict[str, type[View]] = {
    "orbit": OrbitProducts,
    "tile": TileProducts,
    "none": PlacelessProducts,
    "cell": CellView,
}
_NODE_BITS = 48
_SPREAD = 0x5DEECE66D | 1
_ID_SALT = 101
_ASSET_SALT = 102
TIME_COLUMNS = {
    "ContentDate/Start": "start",
    "ContentDate/End": "end",
    "PublicationDate": "published",
    "ModificationDate": "modified",
    "OriginDate": "origin_date",
}


class Archive:
    """`size` products over every family; the same size always gives the same products.

    Rows are numbered from 0; all arrays of rows are int64. `large_bytes` makes one single-file product,
    `large_row`, so many bytes long.
    """

    def __init__(self, size: int = 100_000, large_bytes: int | None = None) -> None:
        self.size = size
        self.families = families()
        counts = _shares(size, self.families)
        self._offsets = np.concatenate([[0], np.cumsum(counts)])
        self.large_bytes = large_bytes
        self.large_row = self._row_of_large() if large_bytes else None

    # Rows and their families --------------------------------------------------------------------------------------
    @cached_property
    def all_rows(self) -> Rows:
        """Every row."""
        return np.arange(self.size, dtype=np.int64)

    def family_rows(self, number: int) -> range:
        """The rows of one family."""
        return range(int(self._offsets[number]), int(self._offsets[number + 1]))

    def views(self, rows: Rows) -> Iterator[tuple[NDArray[np.int64], View]]:
        """The rows by family: positions in `rows`, and a view of the products there."""
        number = np.searchsorted(self._offsets, rows, side="right") - 1
        for n in np.unique(number):
            at = np.flatnonzero(number == n)
            k = rows[at] - self._offsets[n]
            family = self.families[n]
            total = int(self._offsets[n + 1] - self._offsets[n])
            yield at, _VIEWS[family.view](family, k, total, rows[at])

    def _row_of_large(self) -> int:
        number = next(
            f.number for f in self.families if f.layout == "single" and f.collection == "SENTINEL-5P"
        )
        return self.family_rows(number)[0]

    # Columns ------------------------------------------------------------------------------------------------------
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
        if path == "Name":
            return self.names[rows]
        if path == "Id":
            return texts(self.ids(rows))
        compute = {"Online": records.online, "ContentLength": records.lengths, "S3Path": records.s3_paths}[
            path
        ]
        out: NDArray[Any] = np.empty(len(rows), dtype=object)
        for at, view in self.views(rows):
            out[at] = compute(view, self)
        return out if path == "S3Path" else out.astype(np.int64 if path == "ContentLength" else np.bool_)

    def attribute(self, name: str, rows: Rows) -> Iterator[tuple[Rows, NDArray[Any], str]]:
        """Attribute `name` of the rows that have it: positions, values and OData type, family by family."""
        for at, view in self.views(rows):
            found = records.attribute(view, name)
            if found is not None:
                present, values, type_ = found
                yield at[present], values[present], type_

    def intersects(self, geometry: shapely.Geometry, rows: Rows) -> Mask:
        """Which footprints meet `geometry` (lon, lat within +-180), exactly and planar in degrees.

        A footprint over the antimeridian is the short way round, whatever form its record prints.
        """
        found = np.zeros(len(rows), dtype=np.bool_)
        shapely.prepare(geometry)
        for at, view in self.views(rows):
            if view.has_footprint:
                found[at] = meets(geometry, view.rings())
        return found

    # Identifiers --------------------------------------------------------------------------------------------------
    def id_keys(self, rows: Rows) -> Rows:
        """Numbers that sort as the identifiers do."""
        return ((words(rows, _ID_SALT) & np.uint64(0xFFFFFFFFFFFF0FFF)) >> np.uint64(1)).astype(np.int64)

    def ids(self, rows: Rows) -> list[str]:
        """Identifiers: UUIDs of version 4, whose last 48 bits hide the row."""
        return [
            identifier(int(row), int(high)) for row, high in zip(rows, words(rows, _ID_SALT), strict=True)
        ]

    def row_of_id(self, text: str) -> int | None:
        """The row of the product of this identifier."""
        row = hidden_row(text)
        known = row is not None and row < self.size and self.ids(np.array([row])) == [text.lower()]
        return row if known else None

    def asset_ids(self, rows: Rows) -> list[str]:
        """Identifiers of the quicklooks; they hide the row as the products' do."""
        return [
            identifier(int(row), int(high)) for row, high in zip(rows, words(rows, _ASSET_SALT), strict=True)
        ]

    def row_of_asset(self, text: str) -> int | None:
        """The row of the product whose quicklook has this identifier."""
        row = hidden_row(text)
        known = row is not None and row < self.size and self.asset_ids(np.array([row])) == [text.lower()]
        return row if known else None

    def product(self, row: int) -> trees.Product:
        """What the files of a product are named after."""
        (_, view) = next(self.views(np.array([row], dtype=np.int64)))
        return records.products_of(view)[0]

    # Records ------------------------------------------------------------------------------------------------------
    def records(
        self, rows: Rows, base_url: str = "https://catalogue.dataspace.copernicus.eu/odata/v1"
    ) -> list[Any]:
        """The complete products, with Attributes, Assets and Locations, in the order of `rows`."""
        out: list[Any] = [None] * len(rows)
        for at, view in self.views(rows):
            for position, record in zip(at, records.products(view, self, base_url), strict=True):
                out[position] = record
        return out

    def record(self, row: int) -> dict[str, Any]:
        """One complete product."""
        found: dict[str, Any] = self.records(np.array([row], dtype=np.int64))[0]
        return found

    def collection(self, row: int) -> str:
        """The collection of a product (records do not say)."""
        return self.family_of(row).collection

    def family_of(self, row: int) -> Family:
        """The family of a product."""
        return self.families[int(np.searchsorted(self._offsets, row, side="right")) - 1]

    @staticmethod
    def collections() -> dict[str, dict[str, str]]:
        """Every collection, with the names and types of its attributes."""
        return collections()


def identifier(row: int, high: int) -> str:
    """Make the UUID of a row from 64 random bits."""
    bits = (high & ~0xF000 | 0x4000) << 64
    clock = (high >> 3) & 0x3FFF | 0x8000
    node = row * _SPREAD % (1 << _NODE_BITS)
    return str(uuid.UUID(int=bits | clock << _NODE_BITS | node))


def hidden_row(text: str) -> int | None:
    """The row that an identifier hides, if it is a UUID; whether it is ours is for the caller to see."""
    try:
        node = uuid.UUID(text).node
    except ValueError:
        return None
    return node * pow(_SPREAD, -1, 1 << _NODE_BITS) % (1 << _NODE_BITS)


def meets(geometry: shapely.Geometry, rings: NDArray[np.float64]) -> Mask:
    """Which rings (n, vertices, 2), whose longitudes may pass +-180, meet `geometry`."""
    west, south, east, north = shapely.bounds(geometry)
    lons, lats = rings[:, :, 0], rings[:, :, 1]
    level = (lats.max(axis=1) >= south) & (lats.min(axis=1) <= north)
    low, high = lons.min(axis=1), lons.max(axis=1)
    found = np.zeros(len(rings), dtype=np.bool_)
    for turn in (0.0, 360.0, -360.0):
        near = np.flatnonzero(level & (high + turn >= west) & (low + turn <= east) & ~found)
        if len(near):
            found[near] = shapely.intersects(geometry, shapely.polygons(rings[near] + [turn, 0.0]))
    return found


def _shares(size: int, kinds: tuple[Family, ...]) -> list[int]:
    whole = sum(family.weight for family in kinds)
    counts = [max(1, int(size * family.weight / whole)) for family in kinds]
    counts = [min(n, family.limit or n) for n, family in zip(counts, kinds, strict=True)]
    counts[0] += size - sum(counts)
    return counts
