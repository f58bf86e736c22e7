"""The Military Grid Reference System on UTM: which 100 km square a point is in, and where its tile lies.

Transverse Mercator after Krueger to third order (below a centimetre inside a zone), without the exceptions
of the zones around Norway and Svalbard.
"""

import numpy as np

from .hashing import Floats, Rows

_A = 6378137.0
_F = 1 / 298.257223563
_N = _F / (2 - _F)
_RADIUS = _A / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_ALPHA = (_N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16, 13 * _N**2 / 48 - 3 * _N**3 / 5, 61 * _N**3 / 240)
_BETA = (_N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96, _N**2 / 48 + _N**3 / 15, 17 * _N**3 / 480)
_DELTA = (2 * _N - 2 * _N**2 / 3 - 2 * _N**3, 7 * _N**2 / 3 - 8 * _N**3 / 5, 56 * _N**3 / 15)
_K0 = 0.9996
_E = 2 * np.sqrt(_N) / (1 + _N)

SQUARE = 100_000
TILE = 109_800
"""Side of a Sentinel-2 tile in metres; its upper left corner is that of the 100 km square."""
_BANDS = "CDEFGHJKLMNPQRSTUVWXX"
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"


def zone_of(longitude: Floats) -> Rows:
    """UTM zone 1 to 60."""
    return np.asarray(np.floor((longitude + 180.0) / 6.0).astype(np.int64) % 60 + 1)


def to_utm(longitude: Floats, latitude: Floats, zone: Rows) -> tuple[Floats, Floats]:
    """Easting and northing in metres (northing counts from the equator, negative in the south)."""
    lam = np.radians(np.mod(longitude - (zone * 6 - 183) + 180.0, 360.0) - 180.0)
    phi = np.radians(latitude)
    t = np.sinh(np.arctanh(np.sin(phi)) - _E * np.arctanh(_E * np.sin(phi)))
    xi = np.arctan2(t, np.cos(lam))
    eta = np.arctanh(np.sin(lam) / np.sqrt(1 + t**2))
    north, east = xi.copy(), eta.copy()
    for j, a in enumerate(_ALPHA, start=1):
        north += a * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        east += a * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    return 500_000 + _K0 * _RADIUS * east, _K0 * _RADIUS * north


def from_utm(easting: Floats, northing: Floats, zone: Rows) -> tuple[Floats, Floats]:
    """Longitude and latitude in degrees; the longitude is continuous around the zone's meridian."""
    xi = northing / (_K0 * _RADIUS)
    eta = (easting - 500_000) / (_K0 * _RADIUS)
    xi2, eta2 = xi.copy(), eta.copy()
    for j, b in enumerate(_BETA, start=1):
        xi2 -= b * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        eta2 -= b * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    chi = np.arcsin(np.sin(xi2) / np.cosh(eta2))
    latitude = chi.copy()
    for j, d in enumerate(_DELTA, start=1):
        latitude += d * np.sin(2 * j * chi)
    longitude = np.degrees(np.arctan2(np.sinh(eta2), np.cos(xi2))) + (zone * 6.0 - 183.0)
    return longitude, np.degrees(latitude)


class Squares:
    """The 100 km squares that hold some points: arrays of `zone`, `easting` and `northing` of the corner,
    names.

    Points further than 80 degrees from the equator are moved to 80 degrees, where UTM ends.
    """

    def __init__(self, longitude: Floats, latitude: Floats) -> None:
        latitude = np.clip(latitude, -79.0, 79.0)
        self.zone = zone_of(longitude)
        east, north = to_utm(longitude, latitude, self.zone)
        self.easting = np.floor(east / SQUARE).astype(np.int64) * SQUARE
        self.northing = np.floor(north / SQUARE).astype(np.int64) * SQUARE
        _, middle = from_utm(self.easting + SQUARE / 2, self.northing + SQUARE / 2, self.zone)
        self.band = np.floor((middle + 80.0) / 8.0).astype(np.int64)

    def names(self) -> list[str]:
        """Tile identifiers as Copernicus writes them, without the leading T: `31UDQ`."""
        columns = self.easting // SQUARE - 1
        rows = (self.northing // SQUARE + np.where(self.zone % 2 == 0, 5, 0)) % 20
        return [
            f"{z:02d}{_BANDS[b]}{_COLUMNS[z % 3][c]}{_ROWS[r]}"
            for z, b, c, r in zip(self.zone, self.band, columns, rows, strict=True)
        ]

    def rings(self) -> Floats:
        """Rings (n, 5, 2) of lon, lat around the Sentinel-2 tiles."""
        top = self.northing + SQUARE
        corners = [(0, 0), (0, -TILE), (TILE, -TILE), (TILE, 0), (0, 0)]
        points = [from_utm((self.easting + dx) * 1.0, (top + dy) * 1.0, self.zone) for dx, dy in corners]
        return np.stack([np.stack(point, axis=1) for point in points], axis=1)

    def epsg(self) -> Rows:
        """EPSG code of the tile's projection, WGS 84 / UTM."""
        return np.where(self.northing >= 0, 32600, 32700) + self.zone
