"""Paths and kinds of the files of each kind of product, by the names that real ones have."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from . import sen3


@dataclass(frozen=True, slots=True)
class Product:
    """What the files of a product are named after.

    `bounds` is west, south, east, north in degrees (all 0 without a footprint); `granule`, `datastrip` and
    `shot` are those of Sentinel-2, such as `L1C_T51CVP_A044743_20240116T000743`,
    `DS_2APS_20240116T010505_S20240116T000743`, `T51CVP_20240116T000741`.
    """

    name: str
    layout: str
    ptype: str
    polarisations: tuple[str, ...] = ()
    bounds: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    granule: str = ""
    datastrip: str = ""
    shot: str = ""

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return (
            self.name.removesuffix(".SAFE").removesuffix(".SEN3").removesuffix(".SEN6").removesuffix(".DEM")
        )


Files = Iterator[tuple[str, str]]


def _s1(p: Product) -> Files:
    yield "manifest.safe", "manifest"
    cog = "-cog" if p.stem.endswith("_COG") else ""
    kind = p.ptype[3:6].lower()
    times = _s1_tail(p.stem)
    number = 0
    polarisations = sorted(p.polarisations) if kind == "slc" else p.polarisations
    for pol in polarisations:
        for beam in _beams(p.ptype):
            number += 1
            satellite = p.stem[:3].lower()
            if kind == "raw":
                yield f"{satellite}-{beam}-raw-s-{pol.lower()}-{times}.dat", "raw"
                continue
            core = f"{satellite}-{beam}-{kind}-{pol.lower()}-{times}"
            if kind == "ocn":
                yield f"measurement/{core}-{number:03d}.nc", "netcdf"
                continue
            file = f"{core}-{number:03d}{cog}"
            yield f"annotation/{file}.xml", "xml"
            yield f"annotation/calibration/calibration-{file}.xml", "xml"
            yield f"annotation/calibration/noise-{file}.xml", "xml"
            yield f"measurement/{file}.tiff", "tiff"
    if kind != "raw":
        yield "preview/quick-look.png", "png"
        yield "preview/thumbnail.png", "png"
        yield "preview/map-overlay.kml", "text"
        yield "preview/product-preview.html", "text"
        yield "support/s1-level-1-product.xsd", "text"


def _s1_tail(stem: str) -> str:
    return "-".join(re.split("_+", stem.lower())[4:8])


def _beams(ptype: str) -> list[str]:
    mode = ptype[:2].lower()
    beams = {"iw": 3, "ew": 5, "wv": 2} if ptype[3:6] == "SLC" else {}
    return [f"{mode}{n + 1}" for n in range(beams[mode])] if mode in beams else [mode]


_L1C_BANDS = "B01 B02 B03 B04 B05 B06 B07 B08 B8A B09 B10 B11 B12 TCI"
_L2A_BANDS = {
    10: "AOT B02 B03 B04 B08 TCI WVP",
    20: "AOT B01 B02 B03 B04 B05 B06 B07 B8A B11 B12 SCL TCI WVP",
    60: "AOT B01 B02 B03 B04 B05 B06 B07 B8A B09 B11 B12 SCL TCI WVP",
}


def _s2(p: Product) -> Files:
    level = "MSIL1C" if p.ptype == "S2MSI1C" else "MSIL2A"
    yield "manifest.safe", "manifest"
    yield f"MTD_{level}.xml", "xml"
    yield "INSPIRE.xml", "xml"
    yield f"{p.stem}-ql.jpg", "jpeg"
    yield f"DATASTRIP/{p.datastrip}/MTD_DS.xml", "xml"
    yield f"GRANULE/{p.granule}/MTD_TL.xml", "xml"
    yield f"GRANULE/{p.granule}/QI_DATA/{p.shot}_PVI.jp2", "jp2"
    if p.ptype == "S2MSI1C":
        for band in _L1C_BANDS.split():
            yield f"GRANULE/{p.granule}/IMG_DATA/{p.shot}_{band}.jp2", "jp2"
        return
    for metres, names in _L2A_BANDS.items():
        for band in names.split():
            yield f"GRANULE/{p.granule}/IMG_DATA/R{metres}m/{p.shot}_{band}_{metres}m.jp2", "jp2"


_WITHOUT_QUICKLOOK = ("SR_", "SL_2_AOD", "SY_2_AOD", "SY_2_VGP")


def _s3(p: Product) -> Files:
    yield "xfdumanifest.xml", "manifest"
    if not p.ptype.startswith(_WITHOUT_QUICKLOOK):
        yield "quicklook.jpg", "jpeg"
    for name in sen3.names(p.ptype, p.name):
        yield name, "xml" if name.endswith(".xml") else "netcdf"


def _s6(p: Product) -> Files:
    yield "xfdumanifest.xml", "manifest"
    yield "manifest.safe", "xml"
    yield "EOPMetadata.xml", "xml"
    start, end, _, _, cycle, passage, _, _, _, timeliness, baseline = re.split("_+", p.stem)[-11:]
    level2 = p.ptype.startswith("P4_2_")
    for kind in [f"{p.ptype[:8]}_STD_", f"{p.ptype[:8]}_RED_"] if level2 else [p.ptype]:
        yield f"{p.name[:3]}_{kind}_{timeliness}_{cycle}_{passage}_{start}_{end}_{baseline}.nc", "netcdf"


def _single(p: Product) -> Files:
    yield p.name, {".nc": "netcdf", ".EOF": "xml"}.get(PurePosixPath(p.name).suffix, "raw")


def _aux(p: Product) -> Files:
    yield "manifest.safe", "manifest"
    yield f"data/{p.ptype.lower().replace('_', '-')}.xml", "xml"


def _rtc(p: Product) -> Files:
    yield "metadata.xml", "xml"
    for pol in p.polarisations:
        yield f"{p.stem}_{pol}.tif", "tiff"


def _landsat(p: Product) -> Files:
    yield f"{p.stem}_MTL.xml", "xml"
    yield f"{p.stem}_preview.jpg", "jpeg"
    for band in range(1, 8):
        yield f"{p.stem}_B{band}.TIF", "tiff"


def _smos(p: Product) -> Files:
    yield f"{p.stem}.HDR", "xml"
    yield f"{p.stem}.nc", "netcdf"


def _dem(p: Product) -> Files:
    yield f"{p.stem}.tif", "tiff"
    yield f"{p.stem.replace('_COG', '').removesuffix('_DEM')}.xml", "xml"


_ARCSECONDS = {"10": "04", "30": "10", "90": "30"}
"""Tenths of an arc second between the posts of an elevation tile, by its resolution in metres."""


def _dem_product(p: Product) -> Files:
    """A delivered tile, named after its south-western corner; `DGE` and `INS` are GeoTIFF, `DTE` is DTED."""
    west, south = round(p.bounds[0]), round(p.bounds[1])
    place = f"{'NS'[south < 0]}{abs(south):02d}_00_{'EW'[west < 0]}{abs(west):03d}_00"
    tile = f"Copernicus_DSM_{_ARCSECONDS[p.ptype[8:10]]}_{place}"
    suffix, kind = ("dt2", "raw") if "DTE" in p.ptype else ("tif", "tiff")
    yield f"{tile}/DEM/{tile}_DEM.{suffix}", kind
    yield f"{tile}/PREVIEW/{tile}_QL.tif", "tiff"
    yield f"{tile}/{tile}.xml", "xml"
    yield f"{p.stem}.xml", "xml"


def _ccm(p: Product) -> Files:
    yield f"GSC_CR_ESA_{p.stem[:20]}.xml", "xml"
    yield f"{p.stem}.tif", "tiff"
    yield f"{p.stem}_preview.jpg", "jpeg"


def _burst(p: Product) -> Files:
    core = p.stem.lower().replace("_", "-")
    yield "manifest.safe", "manifest"
    yield f"annotation/{core}.xml", "xml"
    yield f"annotation/calibration/calibration-{core}.xml", "xml"
    yield f"annotation/calibration/noise-{core}.xml", "xml"
    yield f"measurement/{core}.tiff", "tiff"


_MOSAICS = {
    "S1SAR_L3_IW_MCM": ("VV", "VH"),
    "S1SAR_L3_DH_MCM": ("HH", "HV"),
    "S2MSI_L3__MCQ": ("B02", "B03", "B04", "B08", "observations"),
}


def _mosaic(p: Product) -> Files:
    yield "userdata.json", "json"
    for name in _MOSAICS[p.ptype]:
        yield f"{name}.tif", "tiff"


def _etad(p: Product) -> Files:
    core = f"{p.stem[:3].lower()}-{p.ptype[:2].lower()}-eta-{_s1_tail(p.stem)}"
    yield "manifest.safe", "manifest"
    yield f"annotation/{core}.xml", "xml"
    yield f"measurement/{core}.nc", "netcdf"


def _s2glc(p: Product) -> Files:
    yield f"{p.stem}.tif", "tiff"
    yield f"{p.stem}.xml", "xml"


LAYOUTS: dict[str, Callable[[Product], Files]] = {
    "s1": _s1,
    "etad": _etad,
    "s2": _s2,
    "burst": _burst,
    "s3": _s3,
    "s6": _s6,
    "single": _single,
    "safe-aux": _aux,
    "rtc": _rtc,
    "landsat": _landsat,
    "smos": _smos,
    "dem": _dem,
    "dem-product": _dem_product,
    "ccm": _ccm,
    "s2glc": _s2glc,
    "mosaic": _mosaic,
}
"""How the files of each `layout` of families.toml are laid out."""
