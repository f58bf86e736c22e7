"""What each mission says about a product beyond its orbit and time."""

from functools import cached_property

import numpy as np

from .hashing import Floats, Rows, fractions, integers
from .orbits import SECOND
from .views import NoneView, OrbitView, Texts, TileView, pick, texts

_POLARISATIONS = {"DV": "VV&VH", "DH": "HH&HV", "SV": "VV", "SH": "HH"}


class Sentinel1(OrbitView):
    """Sentinel-1: data takes of slices, polarisations, times from the ascending node in milliseconds."""

    @cached_property
    def datatake(self) -> Rows:
        return self.group_orbit * 8 + self.group % 8

    @cached_property
    def slices(self) -> Rows:
        return np.full_like(self.rows, self.family.constants.get("group", 1))

    @cached_property
    def slice_number(self) -> Rows:
        return self.place + 1

    @cached_property
    def slice_flag(self) -> Texts:
        return pick([self.family.constants.get("group", 1) > 1], self.rows)

    @cached_property
    def composition(self) -> Texts:
        return pick(["Slice" if self.family.constants.get("group", 1) > 1 else "Individual"], self.rows)

    @cached_property
    def segment_start(self) -> Rows:
        return self.group_start

    @cached_property
    def pol(self) -> Texts:
        return pick(self.family.constants["pols"], integers(self.group, 61, 2**31))

    @cached_property
    def polarisations(self) -> Texts:
        return texts([_POLARISATIONS[code] for code in self.pol])

    @cached_property
    def mode(self) -> Texts:
        return texts([text[:2] for text in self.ptype])

    @cached_property
    def swaths(self) -> Texts:
        beams = {"IW": "IW1 IW2 IW3", "EW": "EW1 EW2 EW3 EW4 EW5", "WV": "WV1 WV2"}
        slc = ("SLC", "OCN")
        return texts([beams.get(t[:2], t[:2]) if t[3:6] in slc else t[:2] for t in self.ptype])

    @cached_property
    def s1_level(self) -> Texts:
        return texts([f"LEVEL{text.removesuffix('-COG')[-2]}" for text in self.ptype])

    @cached_property
    def s1_version(self) -> Texts:
        return pick(["003.80", "003.90", "004.02"], integers(self.group, 62, 3))

    @cached_property
    def s1_center(self) -> Texts:
        return pick(["Production Service-SERCO", "S1 Production Service-WERUM"], integers(self.group, 63, 2))

    @cached_property
    def configuration(self) -> Rows:
        return 5 + integers(self.group, 64, 3)

    @cached_property
    def start_anx_ms(self) -> Rows:
        return np.rint(self.since_node * 1000).astype(np.int64)

    @cached_property
    def end_anx_ms(self) -> Rows:
        return self.start_anx_ms + (self.end - self.start) // 1000

    @cached_property
    def aux_center(self) -> Texts:
        return pick(["CLS-Brest", "Richmond", "OPOD"], integers(self.rows, 65, 3))

    @cached_property
    def aux_instrument(self) -> Texts:
        return pick(["SAR", "AUX"], integers(self.rows, 66, 2))

    @cached_property
    def type_tag(self) -> Texts:
        return texts([text.replace("-", "_") for text in self.ptype])


class Sentinel3(OrbitView):
    """Sentinel-3: frames, processing sites, and how much of the scene is what."""

    @cached_property
    def frame(self) -> Rows:
        return (self.since_node / 180).astype(np.int64) * 180

    @cached_property
    def site(self) -> Rows:
        return self.satellite_index + 1

    @cached_property
    def collection_number(self) -> Rows:
        return 3 + integers(self.group, 67, 2)

    @cached_property
    def collection_code(self) -> Texts:
        return texts([f"00{n}" for n in self.collection_number])

    @cached_property
    def s3_level(self) -> Texts:
        return texts([text[3] for text in self.ptype])

    @cached_property
    def s3_version(self) -> Texts:
        return pick(["03.45", "03.49", "03.50"], integers(self.group, 68, 3))

    def _percent(self, salt: int) -> Floats:
        return np.round(fractions(self.rows, salt) * 100, 6)

    @cached_property
    def cloud(self) -> Floats:
        """Percent; a tenth of the scenes is wholly clear."""
        clear = integers(self.rows, 70, 10) == 0
        return np.where(clear, 0.0, self._percent(71))

    @cached_property
    def cloud_land(self) -> Floats:
        return self._percent(72)

    @cached_property
    def land(self) -> Floats:
        return self._percent(73)

    @cached_property
    def closed_sea(self) -> Rows:
        return integers(self.rows, 74, 30)

    @cached_property
    def continental_ice(self) -> Rows:
        return integers(self.rows, 75, 30)

    @cached_property
    def open_ocean(self) -> Rows:
        return integers(self.rows, 76, 40)

    @cached_property
    def saline(self) -> Floats:
        return 100.0 - self.land

    @cached_property
    def coastal(self) -> Floats:
        return np.round(self._percent(77) / 10, 6)

    @cached_property
    def fresh(self) -> Floats:
        return np.round(self._percent(78) / 20, 6)

    @cached_property
    def tidal(self) -> Floats:
        return np.round(self._percent(79) / 50, 6)

    @cached_property
    def bright(self) -> Floats:
        return self._percent(80)

    @cached_property
    def snow(self) -> Floats:
        return self._percent(81)


class Others(OrbitView):
    """Sentinel-5P, Sentinel-6, Landsat, SMOS and Envisat."""

    @cached_property
    def minor(self) -> Rows:
        return 4 + integers(self.group, 82, 5)

    @cached_property
    def collection_code2(self) -> Texts:
        return texts([f"0{n}" for n in 3 + integers(self.group, 67, 2)])

    @cached_property
    def s5p_version(self) -> Texts:
        return texts([f"02.0{n}.00" for n in self.minor])

    @cached_property
    def s5p_center(self) -> Texts:
        return pick(["PDGS-OP", "DLR-DFD"], integers(self.group, 83, 2))

    @cached_property
    def doi(self) -> Texts:
        return texts([f"10.5270/S5P-{text.strip('_').lower()}" for text in self.ptype])

    @cached_property
    def parent(self) -> Texts:
        return texts([f"urn:ogc:def:EOP:ESA:SENTINEL.S5P_TROP_{text}" for text in self.ptype])

    @cached_property
    def passage(self) -> Rows:
        return self.relative_orbit * 2

    @cached_property
    def s6_instrument(self) -> Texts:
        return texts([text[:2] for text in self.ptype])

    @cached_property
    def s6_mode(self) -> Texts:
        return texts([text[6:8].strip("_") or "AMR" for text in self.ptype])

    @cached_property
    def s6_level(self) -> Texts:
        return texts([text[3:5].strip("_") for text in self.ptype])

    @cached_property
    def s6_version(self) -> Texts:
        return pick(["3.6.1", "3.5.2"], integers(self.group, 84, 2))

    @cached_property
    def s6_resolution(self) -> Rows:
        return np.asarray(np.where(integers(self.group, 85, 2) == 0, 20000, 300))

    @cached_property
    def wrs_path(self) -> Rows:
        return (self.relative_orbit * 16) % 233 + 1

    @cached_property
    def wrs_row(self) -> Rows:
        return (self.since_node / 5933.0 * 248).astype(np.int64) % 248 + 1

    @cached_property
    def wrs_path_text(self) -> Texts:
        return texts([f"{n:03d}" for n in self.wrs_path])

    @cached_property
    def wrs_row_text(self) -> Texts:
        return texts([f"{n:03d}" for n in self.wrs_row])

    @cached_property
    def category(self) -> Texts:
        return pick(["T1", "T2", "RT"], integers(self.rows, 86, 3))

    @cached_property
    def landsat_level(self) -> Texts:
        return texts([f"LEVEL{text[1:]}" if text.startswith("L1") else text for text in self.ptype])

    @cached_property
    def scene(self) -> Texts:
        return self.render("{prefix}{wrs_path:03d}{wrs_row:03d}{start:%Y%j}LGN{category}")

    @cached_property
    def epsg(self) -> Rows:
        ring = self.rings()
        zone = np.floor((ring[:, 0, 0] + 180) / 6).astype(np.int64) % 60 + 1
        return np.where(ring[:, 0, 1] >= 0, 32600, 32700) + zone

    @cached_property
    def sun_azimuth(self) -> Floats:
        return np.round(90 + fractions(self.rows, 87) * 90, 6)

    @cached_property
    def sun_elevation(self) -> Floats:
        return np.round(20 + fractions(self.rows, 88) * 50, 6)

    @cached_property
    def smos_level(self) -> Texts:
        return texts([text[-2:] for text in self.ptype])

    @cached_property
    def smos_version(self) -> Texts:
        return texts([f"72{n}" for n in self.minor])

    @cached_property
    def phase(self) -> Rows:
        return np.where(self.cycle < 95, 2, 3)


class OrbitProducts(Sentinel1, Sentinel3, Others):
    """Products seen from an orbit, with the facts of their mission."""


class PlacelessProducts(NoneView, Sentinel1, Sentinel3, Others):
    """Auxiliary products."""


class TileProducts(TileView, Sentinel3):
    """Sentinel-2 tiles."""

    @cached_property
    def baseline(self) -> Rows:
        return np.asarray(pick([500, 509, 510, 511], integers(self.group, 89, 4)), dtype=np.int64)

    @cached_property
    def s2_version(self) -> Texts:
        return texts([f"{n // 100:02d}.{n % 100:02d}" for n in self.baseline])

    @cached_property
    def station(self) -> Texts:
        return pick(["2APS", "2BPS", "S2RP"], integers(self.group, 90, 3))

    @cached_property
    def seen(self) -> Texts:
        moments = (self.seen_at // SECOND).astype("datetime64[s]").tolist()
        return texts([f"{moment:%Y%m%dT%H%M%S}" for moment in moments])

    @cached_property
    def made(self) -> Texts:
        return self.render("{processed:%Y%m%dT%H%M%S}")

    @cached_property
    def datastrip(self) -> Texts:
        return self.render("{satellite}_OPER_MSI_{short}_DS_{station}_{made}_S{seen}_N{s2_version}")

    @cached_property
    def product_group(self) -> Texts:
        return self.render("G{satellite}_{start:%Y%m%dT%H%M%S}_{orbit:06d}_N{s2_version}")

    @cached_property
    def granule(self) -> Texts:
        return self.render(
            "{satellite}_OPER_MSI_{short}_TL_{station}_{made}_A{orbit:06d}_T{tile}_N{s2_version}"
        )

    @cached_property
    def sun_zenith(self) -> Floats:
        return np.round(20 + fractions(self.rows, 91) * 50, 9)
