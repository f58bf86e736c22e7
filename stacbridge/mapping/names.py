"""What the archives' naming conventions put into a product's name: one regular expression per convention.

`{parts}` of a path pattern come from here. A part holds only letters, digits, `-` and `_`, so that it is safe
in a URL and in JSON as it is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

Parts = dict[str, str]


@dataclass(frozen=True, slots=True)
class Convention:
    """How a family names its products: the parts there are, and how to read them (`None`: not such a
    name)."""

    parts: frozenset[str]
    read: Callable[[str], Parts | None]


def _convention(pattern: str) -> Convention:
    compiled = re.compile(pattern, re.ASCII)

    def read(name: str) -> Parts | None:
        found = compiled.match(name)
        return found.groupdict() if found else None

    return Convention(frozenset(compiled.groupindex), read)


def _lowered(convention: Convention) -> Convention:
    """Return a convention that reads names in lower case."""
    return Convention(convention.parts, lambda name: convention.read(name.lower()))


CONVENTIONS: dict[str, Convention] = {
    # Sentinel-1 Product Specification, section 3.4; file names inside a product repeat these parts in lower
    # case.
    "sentinel-1": _lowered(
        _convention(
            r"(?P<platform>s1[a-z])_(?P<mode>[a-z0-9]{2})_(?P<type>[a-z]{3})(?P<resolution>[fhm_])_"
            r"(?P<level>\d)(?P<class>[san])(?P<polarisation>[sdhv]{2})_"
            r"(?P<start>\d{8}t\d{6})_(?P<stop>\d{8}t\d{6})_(?P<orbit>\d{6})_(?P<datatake>[0-9a-f]{6})_"
            r"(?P<unique>[0-9a-f]{4})"
        )
    ),
    # Sentinel-2 Products Specification Document, "compact" names since December 2016.
    "sentinel-2": _convention(
        r"(?P<platform>S2[A-Z])_(?P<type>MSIL[12][ABC])_(?P<start>\d{8}T\d{6})_N(?P<baseline>\d{4})_"
        r"R(?P<orbit>\d{3})_(?P<tile>T\d{2}[A-Z]{3})_(?P<discriminator>\d{8}T\d{6})"
    ),
}
