"""A closed set of named converters between an upstream's values and STAC's.

A converter is one line of `CONVERTERS`: how to read, how to write, and the JSON Schema of what it reads.
`read` takes one value for each path of its row and returns `None` for a missing or malformed value, never a
guess. `write` returns all upstream values that read to a STAC value (tuples where the row has several paths),
nothing where there are none; it is `None` where they cannot be told, so that such a row is filtered through
its closed set of `values` or not at all.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from stacbridge.model import Json
from stacbridge.scalars import boolean, double, integer, text, time

Read = Callable[..., Any]
Write = Callable[[Any], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Converter:
    """`read` from upstream values of the types `takes`, `write` to all that read so, `schema` of the STAC
    value."""

    read: Read
    write: Write | None
    schema: Json
    takes: tuple[str, ...] = ("String",)
    varied: bool = False
    """Whether what it reads differs from product to product."""


def _expiry(value: str) -> str | None:
    """Read an eviction date; CDSE says year 9999 or nothing for "never"."""
    return None if value.startswith("9999") else time(value)


def _as_time(value: Any) -> Iterable[str]:
    moment = time(value)
    return () if moment is None else (moment,)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _write_integer(value: Any) -> Iterable[int]:
    whole = integer(value) if _is_number(value) else None
    return () if whole is None else (whole,)


def _write_lower(value: Any) -> Iterable[str]:
    return (value.upper(),) if isinstance(value, str) and value.upper().lower() == value else ()


def _write_upper(value: Any) -> Iterable[str]:
    return (value.lower(),) if isinstance(value, str) and value.lower().upper() == value else ()


def _write_lower_list(value: Any) -> Iterable[str]:
    return _write_lower(value[0]) if isinstance(value, list) and len(value) == 1 else ()


def _write_list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) and len(value) == 1 else ()


def _platform(name: str, serial: str) -> str | None:
    """Join "SENTINEL-1" and "A" as "sentinel-1a"; "_" is the serial of files that serve all satellites."""
    return f"{name}{serial}".lower() if len(serial) == 1 and serial.isalnum() else None


def _write_platform(value: Any) -> Iterable[tuple[str, str]]:
    upper = value.upper() if isinstance(value, str) else ""
    return (
        ((upper[:-1], upper[-1]),)
        if upper[-1:].isalnum() and len(upper) > 1 and upper.lower() == value
        else ()
    )


def _level(value: str) -> str | None:
    """Read "LEVEL1", "S2MSI1C", "1", "L1B" as "L1"."""
    found = re.fullmatch(r"(?:LEVEL-?|S2MSI|L)?([0-4])[A-Z]{0,2}", value, re.IGNORECASE)
    return f"L{found[1]}" if found else None


def _polarisations(value: str) -> list[str] | None:
    """Read "VV&VH" (also "VV, VH" or "VV VH") as a list."""
    channels = re.split(r"\s*[&,/]\s*|\s+", value.strip())
    return channels if all(channel in ("HH", "VV", "HV", "VH") for channel in channels) else None


def _beams(value: str) -> list[str] | None:
    """Read "IW1 IW2 IW3" as a list, in lower case as CDSE's STAC writes beams."""
    return [beam.lower() for beam in re.split(r"[\s,&]+", value.strip()) if beam] or None


def _orbit_state(value: str) -> str | None:
    return {"A": "ascending", "ASCENDING": "ascending", "D": "descending", "DESCENDING": "descending"}.get(
        value.upper()
    )


def _write_orbit_state(value: Any) -> Iterable[str]:
    return (value.upper(), value[0].upper()) if value in ("ascending", "descending") else ()


_TILE = re.compile(r"T?(\d{2}[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V])")


def _mgrs(value: str) -> str | None:
    """Read an MGRS tile "54PXA" (rarely "T54PXA") as a grid code."""
    found = _TILE.fullmatch(value)
    return f"MGRS-{found[1]}" if found else None


def _write_mgrs(value: Any) -> Iterable[str]:
    tile = value.removeprefix("MGRS-") if isinstance(value, str) else ""
    return (tile, f"T{tile}") if _mgrs(tile) == value and not tile.startswith("T") else ()


def _checksum(*names: str) -> Callable[[Any], str | None]:
    """Make a reader of OData's list of checksums as a multihash in hex, of the first algorithm that is
    there."""
    digits = {
        "MD5": ("d50110", re.compile("[0-9a-f]{32}")),
        "BLAKE3": ("1e20", re.compile("[0-9a-f]{64}")),
        "SHA256": ("1220", re.compile("[0-9a-f]{64}")),
        "SHA3-256": ("1620", re.compile("[0-9a-f]{64}")),
    }

    def read(value: Any) -> str | None:
        entries = [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
        for name in names:
            prefix, pattern = digits[name]
            for entry in entries:
                digest = str(entry.get("Value")).lower()
                if str(entry.get("Algorithm")).upper() == name and pattern.fullmatch(digest):
                    return prefix + digest
        return None

    return read


def _anx(start: Any, offset: Any) -> str | None:
    """Subtract the milliseconds since the ascending node from the start (CDSE's
    startTimeFromAscendingNode)."""
    since, text = double(offset), time(start)
    if since is None or since <= 0 or text is None:
        return None
    try:
        moment = datetime.fromisoformat(text[:-1]) - timedelta(0, 0, 0, since)
    except OverflowError:  # before the year 1
        return None
    return f"{moment.isoformat('T', 'microseconds')}Z"


def _software(name: str, version: str) -> Json:
    return {name: version}


def _elevation(zenith: float) -> float:
    return 90 - zenith


def _epsg(code: int) -> str:
    return f"EPSG:{code}"


def _write_epsg(value: Any) -> Iterable[int]:
    code = integer(value.removeprefix("EPSG:")) if isinstance(value, str) else None
    return (code,) if code is not None and _epsg(code) == value else ()


def _product_type(value: str) -> str:
    """Read "IW_GRDH_1S-COG" as "IW_GRDH_1S": CDSE's STAC does not name the file format in a product type."""
    return value.removesuffix("-COG")


def _write_product_type(value: Any) -> Iterable[str]:
    return (value, f"{value}-COG") if isinstance(value, str) and _product_type(value) == value else ()


def _baseline(value: str) -> str:
    """Read "003.90" as "03.90", as CDSE's STAC writes versions of the Sentinel-1 processor."""
    return value[1:] if re.fullmatch(r"0\d\d\.\d\d", value) else value


def _write_baseline(value: Any) -> Iterable[str]:
    if not isinstance(value, str) or _baseline(value) != value:
        return ()
    return (value, f"0{value}") if _baseline(f"0{value}") == value else (value,)


def _write_text(value: Any) -> tuple[Any, ...]:
    """Return the number that a text is of, where it is the text that the number reads to."""
    numbers = (integer(value), double(value)) if isinstance(value, str) else ()
    return tuple(number for number in numbers if number is not None and str(number) == value)[:1]


def _positive(value: float) -> float | None:
    return value if value > 0 else None


STRING: Json = {"type": "string"}
INTEGER: Json = {"type": "integer"}
NUMBER: Json = {"type": "number"}
TIME: Json = {"type": "string", "format": "date-time"}
STRINGS: Json = {"type": "array", "items": STRING}

RAW = ("Any",)
NUMBERS = ("Integer", "Double")
SCALARS = ("String", "Integer", "Double", "DateTimeOffset", "Boolean")

TYPES: dict[str, Converter] = {
    "String": Converter(text, lambda value: (value,) if isinstance(value, str) else (), STRING),
    "Integer": Converter(integer, _write_integer, INTEGER),
    "Double": Converter(double, lambda value: (value,) if _is_number(value) else (), NUMBER),
    "DateTimeOffset": Converter(time, _as_time, TIME),
    "Boolean": Converter(
        boolean, lambda value: (value,) if isinstance(value, bool) else (), {"type": "boolean"}
    ),
    "Any": Converter(lambda value: value, None, {}),
}
"""What a row without a converter reads; with one, the converter reads what comes out of these."""

CONVERTERS: dict[str, Converter] = {
    "lower": Converter(str.lower, _write_lower, STRING),
    "upper": Converter(str.upper, _write_upper, STRING),
    "lower_list": Converter(lambda value: [value.lower()], _write_lower_list, STRINGS),
    "list": Converter(lambda value: [value], _write_list, {"type": "array"}, SCALARS),
    "platform": Converter(_platform, _write_platform, STRING),
    "level": Converter(_level, None, STRING),
    "polarisations": Converter(_polarisations, None, STRINGS),
    "beams": Converter(_beams, None, STRINGS),
    "orbit_state": Converter(_orbit_state, _write_orbit_state, STRING),
    "mgrs": Converter(_mgrs, _write_mgrs, STRING, varied=True),
    "checksum": Converter(_checksum("MD5", "BLAKE3"), None, STRING, RAW),
    "md5": Converter(_checksum("MD5"), None, STRING, RAW),
    "blake3": Converter(_checksum("BLAKE3"), None, STRING, RAW),
    "anx": Converter(_anx, None, TIME, RAW),
    "expiry": Converter(_expiry, None, TIME, ("String", "DateTimeOffset")),
    "integer": Converter(integer, lambda value: map(str, _write_integer(value)), INTEGER, varied=True),
    "number": Converter(double, None, NUMBER, varied=True),
    "text": Converter(text, _write_text, STRING, NUMBERS),
    "positive": Converter(_positive, None, NUMBER, NUMBERS),
    "software": Converter(_software, None, {"type": "object"}),
    "epsg": Converter(_epsg, _write_epsg, STRING, ("Integer",)),
    "product_type": Converter(_product_type, _write_product_type, STRING),
    "baseline": Converter(_baseline, _write_baseline, STRING),
    "elevation": Converter(_elevation, None, NUMBER, NUMBERS),
}
