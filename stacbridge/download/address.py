"""The path of an asset: `/assets/{catalogue}/{collection}/{item}/{asset}/{file}`."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote_to_bytes

from stacbridge.errors import NotFound

PREFIX = "/assets/"
SIBLINGS = (".aux", ".aux.xml", ".msk", ".ovr", ".rrd")
"""Ends of names that GDAL looks for beside a raster; no asset's name ends so, and none is worth a search."""
LONGEST_NAME = 255
"""Characters in a part of the path at most, as in file systems."""


@dataclass(frozen=True, slots=True)
class Address:
    """The five parts of an asset's path."""

    catalogue: str
    collection: str
    item: str
    asset: str
    file: str

    @classmethod
    def parse(cls, path: bytes) -> Self:
        """Read a path as it stood in the request line, so that an escaped `/` in an id stays one.

        Raises `NotFound` for every path that no item has, without asking any catalogue.
        """
        _, _, rest = path.partition(PREFIX.encode())
        try:
            parts = [unquote_to_bytes(part).decode() for part in rest.split(b"/")]
        except UnicodeDecodeError:
            parts = []
        sound = all(part.isprintable() and 0 < len(part) <= LONGEST_NAME for part in parts)
        if len(parts) != 5 or not sound or parts[-1].lower().endswith(SIBLINGS):
            raise NotFound(
                "There is no asset at this path.", advice="Take the href of an item's asset as it is."
            )
        return cls(*parts)
