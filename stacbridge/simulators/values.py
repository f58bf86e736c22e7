"""Values of products that filters and records share: plain properties, attributes, and the names of files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import footprints, trees
from .hashing import fractions
from .identifiers import Identifiers
from .orbits import SECOND
from .swaths import TileView
from .views import DAY, View, salt

_COMPRESSED = ("RAW", "GRD", "SLC")
ONE_MONTH = 30 * DAY
_ARCHIVE_END = 1_782_777_600 * SECOND
"""2026-06-30: Sentinel-1 products of the month before it still have a compressed location."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What records need of an archive as a whole: its identifiers, and the large product and its bytes."""

    ids: Identifiers
    asset_ids: Identifiers
    large_row: int | None = None
    large_bytes: int | None = None


def iso(times: NDArray[np.int64], decimals: int = 6) -> list[str]:
    """Print microseconds since 1970 with so many decimals and a Z."""
    printed = np.datetime_as_string(times.astype("datetime64[us]"), unit="us")
    return [text[: 20 + decimals] + "Z" for text in printed.tolist()]


def online(view: View, holdings: Holdings) -> list[bool]:
    """Whether each product can be downloaded."""
    return [trap != 9 for trap in view.trap.tolist()]


def lengths(view: View, holdings: Holdings) -> list[int]:
    """ContentLength of each product as its record gives it."""
    known = [trees.length(product) for product in products_of(view)]
    if holdings.large_row is not None and holdings.large_bytes is not None:
        known = [
            holdings.large_bytes if row == holdings.large_row else n
            for row, n in zip(view.rows, known, strict=True)
        ]
    return [{3: 0, 4: -1}.get(trap, n) for trap, n in zip(view.trap.tolist(), known, strict=True)]


def s3_paths(view: View, holdings: Holdings) -> list[str]:
    """S3Path of each product."""
    suffix = view.family.path_suffix
    return [f"/eodata/{folder}/{name}{suffix}" for folder, name in zip(view.folder, view.name, strict=True)]


def ids(view: View, holdings: Holdings) -> list[str]:
    """Id of each product."""
    return holdings.ids.of(view.rows)


def names(view: View, holdings: Holdings) -> list[str]:
    """Name of each product."""
    return list(view.name)


COLUMNS: dict[str, tuple[Callable[[View, Holdings], list[Any]], type]] = {
    "Id": (ids, object),
    "Name": (names, object),
    "Online": (online, bool),
    "ContentLength": (lengths, int),
    "S3Path": (s3_paths, object),
}
"""Plain properties that only records compute, with the type of their values."""


def attribute(view: View, name: str) -> tuple[NDArray[np.int64], NDArray[Any], str] | None:
    """Attribute `name`: positions of the products that have it, all values, OData type; None without it."""
    if name in ("beginningDateTime", "endingDateTime"):
        field = "start" if name == "beginningDateTime" else "end"
        return np.arange(len(view.rows)), view.field(field), "DateTimeOffset"
    spec = view.family.attributes.get(name)
    if spec is None:
        return None
    present = np.flatnonzero(fractions(view.rows, salt(f"has {name}")) >= spec.sparse)
    if spec.constant is None:
        return present, view.field(spec.field) if len(present) else np.empty(len(view.rows)), spec.type
    return present, np.full(len(view.rows), spec.constant, dtype=object), spec.type


def compressed(view: View, n: int) -> bool:
    """Whether product `n` of a view also has a stored archive: young Sentinel-1 RAW, GRD and SLC."""
    kind = view.family.collection == "SENTINEL-1" and str(view.ptype[n])[3:6] in _COMPRESSED
    return bool(kind and view.origin_date[n] > _ARCHIVE_END - ONE_MONTH)


def products_of(view: View) -> list[trees.Product]:
    """What the files of each product are named after."""
    count = len(view.rows)
    sentinel1 = view.family.layout in ("s1", "rtc")
    polarisations = (
        [tuple(text.split("&")) for text in view.field("polarisations")] if sentinel1 else [()] * count
    )
    bounds = footprints.bounds(view.rings()) if view.has_footprint else [(0.0, 0.0, 0.0, 0.0)] * count
    if isinstance(view, TileView):
        granules = view.render("{short}_T{tile}_A{orbit:06d}_{seen:%Y%m%dT%H%M%S}").tolist()
        strips = view.render("DS_{station}_{made}_S{seen:%Y%m%dT%H%M%S}").tolist()
        shots = view.render("T{tile}_{start:%Y%m%dT%H%M%S}").tolist()
    else:
        granules = strips = shots = [""] * count
    rows = zip(view.name, view.ptype, polarisations, bounds, granules, strips, shots, strict=True)
    layout = view.family.layout
    return [trees.Product(name, layout, ptype, *others) for name, ptype, *others in rows]
