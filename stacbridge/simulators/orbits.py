"""Where a satellite is: a circular orbit over a turning Earth, exact enough that facts agree with each other.

Orbit number, relative orbit, cycle, time since the ascending node and footprint all follow from one time. The
reference orbits (time of one ascending node, and how relative orbit and cycle count from the orbit number)
are those of real products, so orbit numbers and times of the simulated products are close to the real ones.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from .hashing import Floats, Rows

SECOND = 1_000_000
"""Times are integers of microseconds since 1970."""
KM_PER_DEGREE = 111.195
_EARTH_RATE = 360.0 / 86400.0


def microseconds(text: str) -> int:
    """Read an ISO 8601 time (UTC when it names no zone) as microseconds since 1970."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = datetime.fromisoformat(text + "+00:00")
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * SECOND + moment.microsecond


@dataclass(frozen=True, slots=True)
class Satellite:
    """One satellite: its names, its life, and its orbit.

    `anx` is the time of the ascending node of orbit `anx_orbit`; `relative_shift` and `cycle_shift` are
    what to add to the orbit number to count relative orbits and cycles; `node_longitude` is where relative
    orbit 1 crosses the equator northwards, degrees east.
    """

    code: str
    platform: str
    serial: str
    first: int
    last: int
    anx: int
    anx_orbit: int
    cycle_orbits: int
    cycle_days: float
    relative_shift: int
    cycle_shift: int
    inclination: float
    node_longitude: float

    @property
    def period(self) -> float:
        """Time of one revolution, seconds."""
        return self.cycle_days * 86400.0 / self.cycle_orbits

    def orbit(self, times: Rows) -> Rows:
        """Absolute orbit number at these times (microseconds)."""
        turns = (times - self.anx) / (self.period * SECOND)
        return np.floor(turns).astype(np.int64) + self.anx_orbit

    def since_node(self, times: Rows) -> Floats:
        """Seconds since the last ascending node."""
        seconds = (times - self.anx) / SECOND
        return np.asarray(np.mod(seconds, self.period), dtype=np.float64)

    def relative_orbit(self, orbit: Rows) -> Rows:
        """Relative orbit number, 1 to `cycle_orbits`."""
        return (orbit + self.relative_shift) % self.cycle_orbits + 1

    def cycle(self, orbit: Rows) -> Rows:
        """Number of the repeat cycle."""
        return (orbit + self.relative_shift) // self.cycle_orbits + self.cycle_shift

    def ascending(self, since_node: Floats) -> NDArray[np.bool_]:
        """Whether the satellite flies northwards."""
        part = since_node / self.period
        return np.asarray((part < 0.25) | (part >= 0.75))

    def ground(self, since_node: Floats, relative_orbit: Rows) -> tuple[Floats, Floats, Floats]:
        """Latitude and longitude (degrees, not wrapped) below the satellite, and its heading (radians)."""
        angle = 2 * np.pi * since_node / self.period
        tilt = np.radians(self.inclination)
        latitude = np.arcsin(np.sin(tilt) * np.sin(angle))
        around = np.arctan2(np.cos(tilt) * np.sin(angle), np.cos(angle))
        node = self.node_longitude - (relative_orbit - 1) * 360.0 * self.cycle_days / self.cycle_orbits
        longitude = node + np.degrees(around) - _EARTH_RATE * since_node
        heading = np.arctan2(np.cos(tilt), np.sin(tilt) * np.cos(angle))
        return np.degrees(latitude), longitude, heading


def beside(
    latitude: Floats, longitude: Floats, heading: Floats, distance_km: float | Floats
) -> tuple[Floats, Floats]:
    """Return the points `distance_km` to the right of the track (negative: to the left)."""
    north = -np.sin(heading) * distance_km
    east = np.cos(heading) * distance_km
    lat = np.clip(latitude + north / KM_PER_DEGREE, -89.0, 89.0)
    lon = longitude + east / (KM_PER_DEGREE * np.cos(np.radians(lat)))
    return lat, lon


def strip(
    satellite: Satellite, times: Rows, seconds: Floats, near_km: float, far_km: float, steps: int
) -> Floats:
    """Rings (n, 2 * steps + 1, 2) of lon, lat around what is seen from `times` on, for `seconds` each.

    `near_km` and `far_km` are the edges of the swath to the right of the ground track. Longitudes are
    continuous along a ring and may lie beyond +-180.
    """
    parts = np.linspace(0.0, 1.0, steps)
    since = satellite.since_node(times)[:, None] + seconds[:, None] * parts
    relative = np.broadcast_to(satellite.relative_orbit(satellite.orbit(times))[:, None], since.shape)
    lat, lon, heading = satellite.ground(since, relative)
    lat_near, lon_near = beside(lat, lon, heading, near_km)
    lat_far, lon_far = beside(lat, lon, heading, far_km)
    lons = np.concatenate([lon_near, lon_far[:, ::-1], lon_near[:, :1]], axis=1)
    lats = np.concatenate([lat_near, lat_far[:, ::-1], lat_near[:, :1]], axis=1)
    return centred(np.stack([np.unwrap(lons, period=360.0, axis=1), lats], axis=2))


def centred(rings: Floats) -> Floats:
    """Shift each ring by whole turns so that the middle of its longitudes lies in [-180, 180)."""
    middle = (rings[:, :, 0].min(axis=1) + rings[:, :, 0].max(axis=1)) / 2
    shifted = rings.copy()
    shifted[:, :, 0] -= (np.floor((middle + 180.0) / 360.0) * 360.0)[:, None]
    return np.round(shifted, 6)
