"""What each mission says about a product beyond its orbit and time, where it follows from other fields."""

from functools import cached_property

import numpy as np

from .hashing import Floats, Rows, fractions, integers
from .swaths import OrbitView, PlacelessView, TileView
from .views import Texts, View, pick, salt, texts

_POLARISATIONS = {"DV": "VV&VH", "DH": "HH&HV", "SV": "VV", "SH": "HH"}
_BEAMS = {"IW": "IW1 IW2 IW3", "EW": "EW1 EW2 EW3 EW4 EW5", "WV": "WV1 WV2"}


class Sentinel1(OrbitView):
    """Sentinel-1: data takes of slices, polarisations, times from the ascending node."""

    @cached_property
    def datatake(self) -> Rows:
        """Number of the data take; names have it in hexadecimal."""
        return self.group_orbit * 8 + self.group % 8

    @cached_property
    def slices(self) -> Rows:
        """How many slices the data take has."""
        return np.full_like(self.rows, self.constants.get("group", 1))

    @cached_property
    def slice_number(self) -> Rows:
        """Number of the slice, from 1."""
        return self.place + 1

    @cached_property
    def slice_flag(self) -> Texts:
        """Whether the product is a slice."""
        return pick([self.constants.get("group", 1) > 1], self.rows)

    @cached_property
    def composition(self) -> Texts:
        """`Slice` or `Individual`."""
        return pick(["Slice" if self.constants.get("group", 1) > 1 else "Individual"], self.rows)

    @cached_property
    def segment_start(self) -> Rows:
        """Start of the data take."""
        return self.group_start

    @cached_property
    def polarisations(self) -> Texts:
        """Polarisations joined by `&`."""
        return texts([_POLARISATIONS[code] for code in self.field("pol")])

    @cached_property
    def mode(self) -> Texts:
        """Instrument mode or stripmap beam: the first two letters of the type."""
        return texts([text[:2] for text in self.ptype])

    @cached_property
    def swaths(self) -> Texts:
        """Swaths joined by blanks."""
        return texts([_BEAMS.get(t[:2], t[:2]) if t[3:6] in ("SLC", "OCN") else t[:2] for t in self.ptype])

    @cached_property
    def s1_level(self) -> Texts:
        """`LEVEL0`, `LEVEL1` or `LEVEL2`, by the type."""
        return texts([f"LEVEL{text[-2]}" for text in self.base_type])

    @cached_property
    def start_anx_ms(self) -> Rows:
        """Milliseconds from the ascending node to the start."""
        return np.asarray(np.rint(self.since_node * 1000).astype(np.int64))

    @cached_property
    def end_anx_ms(self) -> Rows:
        """Milliseconds from the ascending node to the end."""
        return self.start_anx_ms + (self.end - self.start) // 1000

    @cached_property
    def type_tag(self) -> Texts:
        """The type as names of calibrated backscatter have it."""
        return texts([text.replace("-", "_") for text in self.ptype])


class Cloudy(View):
    """Optical products."""

    @cached_property
    def cloud(self) -> Floats:
        """Cloud cover in percent; a tenth of the scenes is wholly clear."""
        clear = integers(self.rows, salt("clear"), 10) == 0
        return np.where(clear, 0.0, np.round(fractions(self.rows, salt("cloud")) * 100, 6))


class Sentinel3(OrbitView):
    """Sentinel-3: frames, processing sites and levels."""

    @cached_property
    def frame(self) -> Rows:
        """Seconds from the ascending node, in steps of a frame."""
        return np.asarray((self.since_node / 180).astype(np.int64) * 180)

    @cached_property
    def site(self) -> Rows:
        """Number of the processing site."""
        return self.satellite_index + 1

    @cached_property
    def s3_level(self) -> Texts:
        """The level's digit, from the type."""
        return texts([text[3] for text in self.ptype])

    @cached_property
    def saline(self) -> Floats:
        """Percent of the scene that is not land."""
        return np.asarray(100.0 - self.field("land"))


class Sentinel6(OrbitView):
    """Sentinel-6, whose product types say most."""

    @cached_property
    def passage(self) -> Rows:
        """Number of the pass: two to an orbit."""
        return self.relative_orbit * 2

    @cached_property
    def s6_instrument(self) -> Texts:
        """Poseidon-4 (`P4`) or microwave radiometer (`MW`)."""
        return texts([text[:2] for text in self.ptype])

    @cached_property
    def s6_mode(self) -> Texts:
        """`LR`, `HR` or `AM`."""
        return texts([text[6:8] for text in self.ptype])

    @cached_property
    def s6_level(self) -> Texts:
        """`1B` or `2`."""
        return texts([text[3:5].strip("_") for text in self.ptype])


class Landsat(OrbitView):
    """Landsat: the second Worldwide Reference System, and projections."""

    @cached_property
    def wrs_path(self) -> Rows:
        """Path, 1 to 233."""
        return (self.relative_orbit * 16) % 233 + 1

    @cached_property
    def wrs_row(self) -> Rows:
        """Row, 1 to 248."""
        return np.asarray((self.since_node / 5933.0 * 248).astype(np.int64) % 248 + 1)

    @cached_property
    def landsat_level(self) -> Texts:
        """`LEVEL1TP` for `L1TP`, else the type."""
        return texts([f"LEVEL{text[1:]}" if text.startswith("L1") else text for text in self.ptype])

    @cached_property
    def epsg(self) -> Rows:
        """EPSG code of the scene's UTM zone."""
        corner = self.rings()[:, 0]
        zone = np.floor((corner[:, 0] + 180) / 6).astype(np.int64) % 60 + 1
        return np.asarray(np.where(corner[:, 1] >= 0, 32600, 32700) + zone)


class Heritage(OrbitView):
    """SMOS and Envisat."""

    @cached_property
    def smos_level(self) -> Texts:
        """The level, which ends the type."""
        return texts([text[-2:] for text in self.ptype])

    @cached_property
    def phase(self) -> Rows:
        """Envisat's orbit phase, which changed in 2010."""
        return np.asarray(np.where(self.cycle < 95, 2, 3))


class OrbitProducts(Sentinel1, Sentinel3, Sentinel6, Landsat, Heritage, Cloudy):
    """Products seen from an orbit, with the facts of their mission."""


class PlacelessProducts(PlacelessView):
    """Auxiliary products."""


class TileProducts(TileView, Cloudy):
    """Sentinel-2 tiles."""

    @cached_property
    def baseline(self) -> Texts:
        """Processing baseline as names have it: `0510`."""
        return texts([text.replace(".", "") for text in self.field("s2_version")])
