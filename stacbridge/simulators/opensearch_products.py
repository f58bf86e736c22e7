"""The holdings of a simulated OpenSearch service: collections from a table, products as functions of a
number.
"""

import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.resources import files
from typing import Any
from zlib import crc32

from .publishing import Published

CORNERS = {
    "31UFS": (4.4, 50.4),
    "31UES": (3.0, 50.4),
    "31UDS": (1.6, 50.4),
    "32ULB": (6.0, 51.3),
    "36MZE": (35.7, -1.0),
    "01UBR": (-179.9, 52.0),
    "60UXA": (178.4, 52.0),
    "X00Y00": (-180.0, 55.0),
    "X01Y00": (-90.0, 55.0),
    "X02Y00": (0.0, 55.0),
    "X03Y00": (90.0, 55.0),
}
"""West and south of tiles, in degrees."""
ELEVATION = "urn:eop:VITO:COP_DEM_GLO_30M_COG"
_STRIDE = 7919
SIDES = {False: 1.0, True: 20.0}
"""How wide a tile is, by whether it is one of the global grid."""


@dataclass(frozen=True)
class Holding:
    """One collection; see `data/opensearch.toml`."""

    id: str
    title: str
    abstract: str
    keyword: list[str]
    platform: str
    serials: list[str]
    sensor: str
    product_type: str
    first: datetime
    every: int
    lasts: int
    tiles: list[str]
    files: list[str]
    masks: list[str]
    resolution: int
    share: float
    at_once: bool = False
    """Whether all products begin with the first, each on a square degree of its own."""


@dataclass(frozen=True)
class Product:
    """One product of a collection."""

    holding: Holding
    number: int

    @cached_property
    def start(self) -> datetime:
        """When it begins."""
        if self.holding.at_once:
            return self.holding.first
        if self.holding.every:
            return self.holding.first + timedelta(seconds=self.holding.every * self.number)
        round_ = self.number // len(self.holding.tiles)
        return self.holding.first + timedelta(days=10 * round_)

    @cached_property
    def end(self) -> datetime:
        """When it ends."""
        return self.start + timedelta(seconds=self.holding.lasts)

    @cached_property
    def published(self) -> datetime:
        """When it was published."""
        return self.start.replace(microsecond=0) + timedelta(days=1, hours=2)

    @property
    def tile(self) -> str:
        """Its place in the grid."""
        if self.holding.at_once:
            return f"D{self.number:06}"
        return self.holding.tiles[self.number % len(self.holding.tiles)]

    @property
    def serial(self) -> str:
        """The satellite."""
        return self.holding.serials[self.number % len(self.holding.serials)]

    @property
    def version(self) -> str:
        """The version of its processor."""
        return "V210" if self.number % 7 == 0 else "V200"

    @cached_property
    def title(self) -> str:
        """Its name."""
        name = f"{self.serial}_{self.start:%Y%m%dT%H%M%S}_{self.tile}_{self.holding.product_type}"
        return f"{name}_{self.version}"

    @property
    def id(self) -> str:
        """Its identifier, which begins with that of its collection."""
        return f"{self.holding.id}:{self.title}"

    @cached_property
    def cloud_cover(self) -> float | None:
        """Per cent; zero for some, none where the sensor sees through clouds."""
        if self.holding.sensor != "MSI":
            return None
        return 0.0 if self.number % 11 == 0 else round(100 * crc32(self.title.encode()) / 2**32, 3)

    @property
    def orbit(self) -> int:
        """Relative orbit."""
        return 8 + self.number % 5

    @property
    def direction(self) -> str:
        """Direction of the orbit."""
        return "ASCENDING" if self.number % 9 == 0 else "DESCENDING"

    @cached_property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        if self.holding.at_once:
            degree = self.number * _STRIDE % (360 * 180)
            west, south, side = degree % 360 - 180.0, degree // 360 - 90.0, 1.0
        else:
            (west, south), side = CORNERS[self.tile], SIDES[self.tile.startswith("X")]
        return west, south, min(west + side, 180.0), south + side

    @property
    def geometry(self) -> dict[str, Any]:
        """Its footprint in GeoJSON: a MultiPolygon now and then, as recorded ones are."""
        west, south, east, north = self.bbox
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        if self.number % 13 == 0:
            return {"type": "MultiPolygon", "coordinates": [[ring]]}
        return {"type": "Polygon", "coordinates": [ring]}


class Holdings:
    """All collections with their products, newest numbers last. `size` is the number of the largest one's.

    With `at_once`, so many products of the elevation model begin at one time; `held` of them are not there
    until they are published.
    """

    def __init__(self, size: int, at_once: int = 0, held: int = 0) -> None:
        table = tomllib.loads((files(__package__) / "data/opensearch.toml").read_text(encoding="utf-8"))
        found = [
            Holding(**{**entry, "first": entry["first"].astimezone(UTC)}) for entry in table["collection"]
        ]
        self.collections = {
            holding.id: replace(holding, at_once=bool(at_once) and holding.id == ELEVATION)
            for holding in found
        }
        self.products = {
            holding.id: [
                Product(holding, number)
                for number in range(at_once if holding.at_once else int(size * holding.share))
            ]
            for holding in self.collections.values()
        }
        everything = self.products[ELEVATION]
        self._published = Published(len(everything), held)
        self._waiting = {
            number: each for number, each in enumerate(everything) if not self._published.mask[number]
        }
        self.products[ELEVATION] = [each for each in everything if each.number not in self._waiting]

    def publish(self, count: int) -> list[Product]:
        """Let the next `count` products in that were held."""
        coming = [self._waiting.pop(number) for number in self._published.publish(count).tolist()]
        self.products[ELEVATION] = [*self.products[ELEVATION], *coming]
        return coming
