"""Sentinel-1 bursts: the parts of which IW SLC products are made, as rows to search and to print.

CDSE lists bursts of IW and EW products sensed since 2024-08-02; here only those of IW.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from . import orbits, trees
from .archive import Archive
from .burst_cycle import SWATHS, burst_number, starts
from .footprints import ewkt, geojson, meets
from .hashing import Floats, Rows
from .identifiers import Identifiers
from .orbits import SECOND, microseconds
from .values import iso
from .views import Texts, pick, texts

TIME_COLUMNS = ("ContentDate/Start", "ContentDate/End", "BeginningDateTime", "EndingDateTime", "AzimuthTime")
FIRST_SENSED = microseconds("2024-08-02")
PER_SWATH = 9
_EDGES_KM = (360, 443, 527, 610)
_AZIMUTH_LEAD = 1_137_605
_LASTS = 3_190_000
_SAMPLES = (22998, 25999, 24997)
_ID_SALT = 103
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Burst:
    """What the delivered file of one burst is named after."""

    name: str
    product: trees.Product


class Bursts:
    """The bursts of an archive, as rows numbered from 0."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    @cached_property
    def _parents(self) -> Any:
        archive = self._archive
        family = next(f for f in archive.families if f.types == ("IW_SLC__1S",))
        span = archive.family_rows(family.number)
        rows = np.arange(span.start, span.stop, dtype=np.int64)
        young = archive.column("ContentDate/Start", rows) >= FIRST_SENSED
        return next(archive.views(rows[young]))[1] if young.any() else None

    @cached_property
    def _index(self) -> tuple[Rows, Rows, Rows, Rows]:
        """Number of the parent, of its polarisation, of the swath and of the burst in the swath."""
        if self._parents is None:
            empty = np.empty(0, dtype=np.int64)
            return empty, empty, empty, empty
        counts = np.array([len(text.split("&")) for text in self._parents.polarisations]) * 3 * PER_SWATH
        parent = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(len(parent)) - np.repeat(np.cumsum(counts) - counts, counts)
        return parent, within // (3 * PER_SWATH), within // PER_SWATH % 3, within % PER_SWATH

    @cached_property
    def all_rows(self) -> Rows:
        """Every row."""
        return np.arange(len(self._index[0]), dtype=np.int64)

    @cached_property
    def _columns(self) -> dict[str, NDArray[Any]]:
        parent, pol, swath, n = self._index
        view = self._parents
        node = view.start[parent] - np.rint(view.since_node[parent] * SECOND).astype(np.int64)
        relative, absolute = view.relative_orbit[parent], view.orbit[parent]
        start = starts(node, relative, view.since_node[parent], swath, n)
        since = (start - node) / SECOND
        number, absolute_number = np.empty_like(start), np.empty_like(start)
        for index, name in enumerate(SWATHS):
            chosen = swath == index
            number[chosen] = burst_number(since[chosen], relative[chosen], name)
            absolute_number[chosen] = burst_number(since[chosen], absolute[chosen], name)
        pols = [text.split("&") for text in view.polarisations]
        return {
            "ContentDate/Start": start,
            "ContentDate/End": start + _LASTS,
            "BeginningDateTime": start,
            "EndingDateTime": start + _LASTS,
            "AzimuthTime": start - _AZIMUTH_LEAD,
            "AzimuthAnxTime": np.round(since - _AZIMUTH_LEAD / SECOND, 9),
            "BurstId": number,
            "AbsoluteBurstId": absolute_number,
            "RelativeOrbitNumber": relative,
            "DatatakeID": view.datatake[parent],
            "SwathIdentifier": pick(SWATHS, swath),
            "PolarisationChannels": texts([pols[p][q] for p, q in zip(parent, pol, strict=True)]),
            "OperationalMode": pick(["IW"], swath),
            "OrbitDirection": view.direction[parent],
            "PlatformSerialIdentifier": view.serial[parent],
            "ParentProductType": pick(["IW_SLC__1S"], swath),
            "ParentProductName": view.name[parent],
            "ParentProductId": texts(self._archive.ids.of(view.rows))[parent],
        }

    # Search ---------------------------------------------------------------------------------------
    def column(self, path: str, rows: Rows) -> NDArray[Any]:
        """Values of a plain property; KeyError if bursts do not have it."""
        if path == "Id":
            return texts(self.ids.of(rows))
        if path == "Name":
            return self._all_names[rows]
        return self._columns[path][rows]

    def collection_mask(self, name: str, rows: Rows) -> Mask:
        """Bursts are of no collection."""
        return np.zeros(len(rows), dtype=np.bool_)

    def attribute(self, name: str, rows: Rows) -> Iterator[tuple[Rows, NDArray[Any], str]]:
        """Bursts have plain properties only."""
        return iter(())

    def intersects(self, geometry: shapely.Geometry, rows: Rows) -> Mask:
        """Which footprints meet a geometry."""
        return meets(geometry, self._rings(rows)) if len(rows) else np.zeros(0, dtype=np.bool_)

    @cached_property
    def ids(self) -> Identifiers:
        """The identifiers of the bursts."""
        return Identifiers(_ID_SALT, len(self.all_rows))

    @cached_property
    def _all_names(self) -> Texts:
        return self._names(self.all_rows)

    def _names(self, rows: Rows) -> Texts:
        c = {key: values[rows] for key, values in self._columns.items()}
        azimuth = [f"{t:%Y%m%dT%H%M%S}" for t in c["AzimuthTime"].astype("datetime64[us]").tolist()]
        keys = (
            "PlatformSerialIdentifier",
            "BurstId",
            "SwathIdentifier",
            "PolarisationChannels",
            "DatatakeID",
        )
        return texts(
            [
                f"S1{serial}-SLC-{time}-{number}-{swath}-{pol}-{take:06d}"
                for time, serial, number, swath, pol, take in zip(
                    azimuth, *(c[key] for key in keys), strict=True
                )
            ]
        )

    def _rings(self, rows: Rows) -> Floats:
        """Rings of seven points, as the service prints them."""
        parent, swath = self._index[0][rows], self._index[2][rows]
        start = self._columns["ContentDate/Start"][rows]
        out = np.empty((len(rows), 7, 2))
        for s in range(3):
            for index, satellite in enumerate(self._parents.family.satellites):
                chosen = (swath == s) & (self._parents.satellite_index[parent] == index)
                lasting = np.full(int(chosen.sum()), _LASTS / SECOND)
                if len(lasting):
                    edges = _EDGES_KM[s], _EDGES_KM[s + 1]
                    out[chosen] = orbits.strip(satellite, start[chosen], lasting, *edges, steps=3)
        return out

    # Records --------------------------------------------------------------------------------------
    def records(self, rows: Rows) -> list[Any]:
        """The complete bursts."""
        c = {key: values[rows] for key, values in self._columns.items()} if len(rows) else {}
        printed = {key: iso(c[key]) for key in c if key in TIME_COLUMNS}
        plain = {key: values.tolist() for key, values in c.items() if key not in TIME_COLUMNS}
        rings = self._rings(rows) if len(rows) else np.empty((0, 7, 2))
        paths = self._paths(rows)
        return [
            {
                "@odata.mediaContentType": "application/octet-stream",
                "Id": id_,
                "Name": name,
                "ContentType": "application/octet-stream",
                "S3Path": paths[n],
                "ContentDate": {
                    "Start": printed["ContentDate/Start"][n],
                    "End": printed["ContentDate/End"][n],
                },
                "Footprint": ewkt(geojson(rings[n], 0)),
                "GeoFootprint": geojson(rings[n], 0),
                "ByteOffset": 109_000 + int(self._index[3][rows[n]]) * 138_700_000,
                **{key: values[n] for key, values in plain.items()},
                **{key: printed[key][n] for key in TIME_COLUMNS if "/" not in key},
                "Lines": 1508,
                "LinesPerBurst": 1508,
                "SamplesPerBurst": _SAMPLES[int(self._index[2][rows[n]])],
            }
            for n, (id_, name) in enumerate(
                zip(self.ids.of(rows), self._names(rows) if len(rows) else [], strict=True)
            )
        ]

    def _paths(self, rows: Rows) -> list[str]:
        """The measurement file, in the parent product, that holds each burst."""
        out = []
        for row in rows.tolist():
            parent, pol, swath, _ = (int(column[row]) for column in self._index)
            product = self._archive.product(int(self._parents.rows[parent]))
            core = f"-{SWATHS[swath].lower()}-slc-{product.polarisations[pol].lower()}-"
            path = next(m.path for m in trees.members(product) if m.kind == "tiff" and core in m.path)
            out.append(f"/eodata/{self._parents.folder[parent]}/{product.name}/{path}")
        return out

    def burst(self, row: int) -> Burst:
        """What the delivered file of a burst is named after."""
        c = {key: values[row] for key, values in self._columns.items()}
        time = c["AzimuthTime"].astype("datetime64[us]").item()
        swath, pol = c["SwathIdentifier"], c["PolarisationChannels"]
        serial, number, take = c["PlatformSerialIdentifier"], int(c["BurstId"]), int(c["DatatakeID"])
        name = f"S1{serial}_SLC_{time:%Y%m%dT%H%M%S}_{number:06d}_{swath}_{pol}_{take:06d}.SAFE"
        ring = self._rings(np.array([row]))[0]
        bounds = (*ring.min(axis=0).tolist(), *ring.max(axis=0).tolist())
        return Burst(name, trees.Product(name, "burst", "IW_SLC__1S", (pol,), bounds))
