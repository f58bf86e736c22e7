"""The products of a simulated SeDAS: its source groups, and a few thousand products of plausible form.

The names of Sentinel products follow their missions' conventions; those of the other groups are in the style
of real ones without having been checked against them. Fields beyond `supplierId`, `downloadUrl`,
`coordinatesWKT` and `instrumentName` are those of Geocento's API and are assumed.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

import numpy as np
import shapely
from numpy.typing import NDArray

from .publishing import Published

Style = Literal["full", "bare", "epoch"]
"""Products with all fields, with those only that are known from clients, or with times in milliseconds."""

WEST, SOUTH, SIDE = -9.0, 49.5, 12
"""The lower left corner of the region that all products lie in, and its side in degrees."""
CROWD = 121
"""Tiles of a large Sentinel-2 datatake: more of one second than an answer holds."""


@dataclass(frozen=True, slots=True)
class Group:
    """A source group: its satellites, whether a radar, and how many of a hundred products are of it."""

    name: str
    satellites: tuple[str, ...]
    sensor: Literal["SAR", "Optical"]
    share: int
    public: bool = True


GROUPS = (
    Group("S1", ("Sentinel-1A", "Sentinel-1B"), "SAR", 30),
    Group("S2", ("Sentinel-2A", "Sentinel-2B"), "Optical", 45),
    Group("AIRSAR", ("AIRSAR",), "SAR", 5),
    Group("NovaSAR", ("NovaSAR-1",), "SAR", 5),
    Group("Cosmo-SkyMed", tuple(f"Cosmo-SkyMed-{number}" for number in range(1, 5)), "SAR", 5, public=False),
    Group("SPOT", ("SPOT-6", "SPOT-7"), "Optical", 5, public=False),
    Group("Pleiades", ("Pleiades-1A", "Pleiades-1B"), "Optical", 5, public=False),
)


@dataclass(frozen=True, slots=True)
class Product:
    """One product; times are UTC, `box` is west, south, east, north, `more` are further fields."""

    name: str
    group: Group
    satellite: str
    instrument: str
    start: datetime
    stop: datetime
    box: tuple[float, float, float, float]
    more: dict[str, Any] = field(default_factory=dict)

    def shown(self, style: Style, url: str | None) -> dict[str, Any]:
        """The product as the service answers it; `downloadUrl` is absent while it is in the archive."""
        found: dict[str, Any] = {
            "supplierId": self.name,
            "instrumentName": self.instrument,
            "coordinatesWKT": _wkt(self.box),
        }
        if style != "bare" or self.group.name not in ("S1", "S2"):
            found |= {"satelliteName": self.satellite, "sensorType": self.group.sensor}
            found |= {
                "start": _time(self.start, style),
                "stop": _time(self.stop, style),
                "type": "ARCHIVE",
                **self.more,
            }
        return found if url is None else {**found, "downloadUrl": url}


class Products:
    """A store of products, `held` of which are not found until they are published."""

    def __init__(self, products: list[Product], held: int = 0) -> None:
        self.all = products
        self.published = Published(len(products), held)
        self.by_name = {product.name: product for product in products}
        self.starts = _times([product.start for product in products])
        self.stops = _times([product.stop for product in products])
        self.shapes = shapely.box(*np.array([product.box for product in products]).reshape(-1, 4).T)
        self.groups = np.array([product.group.name for product in products])
        self.sensors = np.array([product.group.sensor for product in products])
        self.satellites = np.array([product.satellite for product in products])
        shuffled = random.Random(1)
        self.ranks = np.array([shuffled.random() for _ in products])

    @classmethod
    def made(cls, size: int, until: datetime, held: int = 0, others: Iterable[Product] = ()) -> Self:
        """Products of all groups, about `size` of them, in the three years before `until`; and `others`."""
        return cls([*others, *(product for group in GROUPS for product in _make(group, size, until))], held)

    def publish(self, count: int) -> list[Product]:
        """Let the next `count` products in that were held."""
        return [self.all[row] for row in self.published.publish(count)]


def _times(moments: list[datetime]) -> NDArray[np.float64]:
    return np.array([moment.timestamp() for moment in moments])


def _make(group: Group, size: int, until: datetime) -> Iterator[Product]:
    chance = random.Random(group.name)
    count = max(1, size * group.share // 100)
    maker = _MAKERS.get(group.name, _other)
    step = timedelta(days=3 * 365) / count
    return maker(group, chance, count, until, step)


def _radar(
    group: Group, chance: random.Random, count: int, until: datetime, step: timedelta
) -> Iterator[Product]:
    """Sentinel-1: each acquisition as GRD and as SLC."""
    for number in range(count):
        start = _spread(until, step * (number // 2 * 2 + 1), chance)
        stop = start + timedelta(seconds=25 + number % 2)
        kind = ("GRDH", "SLC_")[number % 2]
        satellite = group.satellites[number // 2 % 2]
        orbit = 30000 - number
        name = (
            f"S1{satellite[-1]}_IW_{kind}_1SDV_{_compact(start)}_{_compact(stop)}_{orbit:06}_{number:06X}_"
            f"{chance.randrange(65536):04X}"
        )
        more = {
            "sarProductType": kind[:3],
            "polarisation": "VV VH",
            "orbitDirection": ("ASCENDING", "DESCENDING")[number // 2 % 2],
            "orbit": orbit,
            "thumbnail": f"https://quicklooks.example/{name}.png",
        }
        yield Product(name, group, satellite, "SAR-C", start, stop, _box(chance, 2.5, 1.6), more)


def _optical(
    group: Group, chance: random.Random, count: int, until: datetime, step: timedelta
) -> Iterator[Product]:
    """Sentinel-2: datatakes of nine tiles, now and then of many; all tiles of one start at one time."""
    made = 0
    while made < count:
        tiles = CROWD if made // 400 < (made + 9) // 400 else 9
        start = _spread(until, step * (made + 1), chance)
        satellite = group.satellites[made % 2]
        side = int(tiles**0.5)
        left, low = chance.randrange(SIDE - side + 1), chance.randrange(SIDE - side + 1)
        for tile in range(min(tiles, count - made)):
            west, south = WEST + left + tile % side, SOUTH + low + tile // side
            letters = f"{chr(65 + (left + tile % side) % 8)}{chr(65 + (low + tile // side) % 20)}"
            code = f"{30 + (left + tile % side) // 8}U{letters.replace('I', 'V').replace('O', 'U')}"
            name = (
                f"S2{satellite[-1]}_MSIL1C_{_compact(start)}_N0300_R{made % 143 + 1:03}_T{code}_"
                f"{_compact(start + timedelta(seconds=7200 + tile))}"
            )
            more = {"cloudCoveragePercent": round(chance.random() * 100, 2), "sza": 40.5}
            yield Product(
                name, group, satellite, "MSI", start, start, (west, south, west + 1, south + 1), more
            )
        made += tiles


def _other(
    group: Group, chance: random.Random, count: int, until: datetime, step: timedelta
) -> Iterator[Product]:
    for number in range(count):
        start = _spread(until, step * (number + 1), chance)
        satellite = group.satellites[number % len(group.satellites)]
        name = f"{satellite.replace('-', '')}_{number:05}_{start:%Y%m%d_%H%M%S}"
        more: dict[str, Any]
        if group.sensor == "SAR":
            more = {"polarisation": ("HH", "HH HV")[number % 2], "sarProductType": ("SLC", "GRD")[number % 2]}
        else:
            more = {"cloudCoveragePercent": round(chance.random() * 100, 2), "sensorResolution": 1.5}
        instrument = "Stripmap" if group.sensor == "SAR" else "NAOMI"
        stop = start + timedelta(seconds=4)
        yield Product(name, group, satellite, instrument, start, stop, _box(chance, 0.6, 0.4), more)


def crowd(count: int, until: datetime) -> Iterator[Product]:
    """Products of NovaSAR as if it had taken them all at once."""
    chance = random.Random("crowd")
    group = next(group for group in GROUPS if group.name == "NovaSAR")
    start = until - timedelta(days=400)
    for number in range(count):
        name = f"NovaSAR1_C{number:06}_{start:%Y%m%d_%H%M%S}"
        yield Product(
            name, group, group.satellites[0], "Stripmap", start, start, _box(chance, 0.06, 0.04),
            {"polarisation": "HH", "sarProductType": "SLC"},
        )  # fmt: skip


Maker = Callable[[Group, random.Random, int, datetime, timedelta], Iterator[Product]]
_MAKERS: dict[str, Maker] = {"S1": _radar, "S2": _optical}


def _spread(until: datetime, back: timedelta, chance: random.Random) -> datetime:
    moment = until - back - timedelta(seconds=chance.randrange(3000))
    return moment.replace(microsecond=0).astimezone(UTC)


def _box(chance: random.Random, wide: float, high: float) -> tuple[float, float, float, float]:
    west = round(WEST + chance.random() * (SIDE - wide), 4)
    south = round(SOUTH + chance.random() * (SIDE - high), 4)
    return west, south, round(west + wide, 4), round(south + high, 4)


def _wkt(box: tuple[float, float, float, float]) -> str:
    west, south, east, north = box
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return f"POLYGON(({','.join(f'{x:g} {y:g}' for x, y in ring)}))"


def _compact(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S}"


def _time(moment: datetime, style: Style) -> str | int:
    if style == "epoch":
        return int(moment.timestamp() * 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
