"""What the name of a Sentinel product states, under the names that SeDAS gives its own fields.

SeDAS names products as the missions do, without `.SAFE` (Sentinel-1 Product Specification, section 3.4;
Sentinel-2 Products Specification Document). Names of other missions are not read: their forms are not known.
"""

from collections.abc import Callable

from stacbridge.mapping.names import CONVENTIONS, Parts
from stacbridge.model import Json

_POLARISATIONS = {"sh": "HH", "sv": "VV", "dh": "HH HV", "dv": "VV VH"}


def stated(name: str) -> Json:
    """Return the fields that a product's name states, times in ISO 8601; empty for an unknown form."""
    for convention, read in _READERS.items():
        parts = CONVENTIONS[convention].read(name)
        if parts is not None:
            return read(parts)
    return {}


def _radar(parts: Parts) -> Json:
    polarisation = parts["polarisation"]
    return {
        "satelliteName": f"Sentinel-1{parts['platform'][2].upper()}",
        "start": parts["start"].upper(),
        "stop": parts["stop"].upper(),
        "modeName": parts["mode"].upper(),
        "sarProductType": parts["type"].upper(),
        "polarisation": _POLARISATIONS.get(polarisation, polarisation.upper()),
        "processingLevel": f"L{parts['level']}",
        "orbit": int(parts["orbit"]),
    }


def _optical(parts: Parts) -> Json:
    return {
        "satelliteName": f"Sentinel-2{parts['platform'][2]}",
        "start": parts["start"],
        "processingLevel": parts["type"].removeprefix("MSI"),
        "processingBaseline": f"{parts['baseline'][:2]}.{parts['baseline'][2:]}",
        "relativeOrbit": int(parts["orbit"]),
        "tileId": parts["tile"],
    }


_READERS: dict[str, Callable[[Parts], Json]] = {"sentinel-1": _radar, "sentinel-2": _optical}
