"""Facts about many products of one family at once: every field is an array with one entry for each row.

A field is a constant of the family, a fact drawn by facts.toml, or a property of a view, computed when
first asked for. The same fields name a product, fill its JSON and answer a filter, so the three cannot
disagree.
"""

import string
import zlib
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .families import Family, facts
from .hashing import Floats, Rows, fractions, integers
from .orbits import SECOND, microseconds

Texts = NDArray[np.object_]
HOUR = 3600 * SECOND
DAY = 24 * HOUR
TIME_FIELDS = frozenset({"start", "end", "processed", "segment_start", "seen"})
TRAPS = 10
AT_ONCE = microseconds("2022-02-02T02:02:02.020202")
"""When products are published that are all published at once."""


def texts(values: list[Any]) -> Texts:
    """An array of Python objects."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def pick(choices: list[Any] | tuple[Any, ...], index: Rows) -> Texts:
    """Entry number `index` (modulo their number) of `choices`, for every row."""
    return np.asarray(texts(list(choices))[index % len(choices)])


def salt(name: str) -> int:
    """A number of its own for every fact, to draw it by."""
    return zlib.crc32(name.encode())


class View:
    """Products number `k` of `total` of one family; `rows` are their numbers in the whole archive.

    Times are microseconds since 1970.
    """

    def __init__(self, family: Family, k: Rows, total: int, rows: Rows) -> None:
        self.family = family
        self.constants = family.constants
        self.k = k
        self.total = total
        self.rows = rows

    # Fields ---------------------------------------------------------------------------------------
    def field(self, name: str) -> NDArray[Any]:
        """The values of one field."""
        constant = self.constants.get(name)
        if isinstance(constant, list):
            return pick(constant, integers(self.group, salt(name), len(constant)))
        if constant is not None:
            return pick([constant], self.rows)
        fact = facts().get(name)
        return self._drawn(name, fact) if fact else np.asarray(getattr(self, name))

    def _drawn(self, name: str, fact: dict[str, Any]) -> NDArray[Any]:
        if "text" in fact:
            return self.render(fact["text"])
        rows = self.group if fact.get("per") == "group" else self.rows
        if "choices" in fact:
            return pick(fact["choices"], integers(rows, salt(name), len(fact["choices"])))
        if "below" in fact:
            return np.asarray(fact.get("add", 0) + integers(rows, salt(name), fact["below"]))
        drawn = fact["low"] + fractions(rows, salt(name)) * (fact["high"] - fact["low"])
        return np.asarray(np.round(drawn, fact["digits"]))

    def render(self, template: str) -> Texts:
        """Fill a template of fields for every row; times are datetimes there."""
        names, positional = _positional(template)
        if not names:
            return pick([template], self.rows)
        columns = [self._printable(name) for name in names]
        return texts([positional.format(*values) for values in zip(*columns, strict=True)])

    def _printable(self, name: str) -> list[Any]:
        values = self.field(name)
        printable: list[Any] = (values.astype("datetime64[us]") if name in TIME_FIELDS else values).tolist()
        return printable

    # Place in time --------------------------------------------------------------------------------
    @cached_property
    def group(self) -> Rows:
        """Number of the data take."""
        return np.asarray(self.k // self.constants.get("group", 1))

    @cached_property
    def place(self) -> Rows:
        """Number in the data take, from 0."""
        return np.asarray(self.k % self.constants.get("group", 1))

    @cached_property
    def satellite_index(self) -> Rows:
        """Number of the satellite among those of the family."""
        return self.group % max(1, len(self.family.satellites))

    @cached_property
    def group_start(self) -> Rows:
        """Start of the data take: all are spread evenly over the life of the satellite."""
        groups = -(-self.total // self.constants.get("group", 1))
        share = (self.group + fractions(self.group, salt("start"))) / groups
        first, last = self.life
        return np.asarray((first + (last - first) * share).astype(np.int64) // 1000 * 1000)

    @cached_property
    def life(self) -> tuple[Rows, Rows]:
        """First and last time that a product may have."""
        if self.family.satellites:
            firsts = np.array([s.first for s in self.family.satellites])
            lasts = np.array([s.last for s in self.family.satellites])
            return firsts[self.satellite_index], lasts[self.satellite_index]
        first, last = (microseconds(text) for text in self.constants["period"])
        return np.full_like(self.rows, first), np.full_like(self.rows, last)

    @cached_property
    def start(self) -> Rows:
        """ContentDate/Start."""
        return self.group_start + self.place * int(self.constants.get("step", 0) * SECOND)

    @cached_property
    def end(self) -> Rows:
        """ContentDate/End."""
        return self.start + int(self.constants["seconds"] * SECOND)

    @cached_property
    def processed(self) -> Rows:
        """End of processing: hours after the end, or years for the few that were processed again."""
        again = integers(self.rows, salt("again"), 20) == 0
        wait = HOUR + integers(self.rows, salt("wait"), 4 * HOUR)
        years = integers(self.rows, salt("years"), 900) * DAY
        return (self.end + wait + np.where(again, years, 0)) // SECOND * SECOND

    @cached_property
    def origin_date(self) -> Rows:
        """OriginDate."""
        return self.processed + 600 * SECOND + integers(self.rows, salt("origin"), 1800) * SECOND + 43_000

    @cached_property
    def published(self) -> Rows:
        """PublicationDate."""
        if self.constants.get("at_once"):
            return np.full_like(self.rows, AT_ONCE)
        return self._as_recorded(
            self.origin_date + 60 * SECOND + integers(self.rows, salt("published"), 600 * SECOND)
        )

    @cached_property
    def modified(self) -> Rows:
        """ModificationDate: that of publication for three in four."""
        if self.constants.get("at_once"):
            return self.published
        changed = integers(self.rows, salt("changed"), 4) == 0
        return self._as_recorded(
            self.published + np.where(changed, integers(self.rows, salt("modified"), 90 * DAY), 0)
        )

    def _as_recorded(self, times: Rows) -> Rows:
        """Old records have milliseconds only, and are sorted by what they have."""
        return np.where(self.trap == 6, times - times % 1000, times)

    # Names ----------------------------------------------------------------------------------------
    @cached_property
    def ptype(self) -> Texts:
        """The product type; all products of a data take have the same."""
        return pick(self.family.types, integers(self.group, salt("ptype"), len(self.family.types)))

    @cached_property
    def base_type(self) -> Texts:
        """The product type without its `-COG`, as names have it."""
        return texts([text.removesuffix("-COG") for text in self.ptype])

    @cached_property
    def cog(self) -> Texts:
        """`_COG` for cloud-optimised products, else nothing."""
        return texts(["_COG" if text.endswith("-COG") else "" for text in self.ptype])

    @cached_property
    def name(self) -> Texts:
        """The product's name."""
        return self.render(self.family.name)

    @cached_property
    def stem(self) -> Texts:
        """The name without its suffix."""
        return texts([name.rsplit(".", 1)[0] for name in self.name])

    @cached_property
    def folder(self) -> Texts:
        """The folder of the product below /eodata."""
        return self.render(self.family.path)

    @cached_property
    def trap(self) -> Rows:
        """Which oddity of real records a row shows: see records.py; 0 for most."""
        drawn = integers(self.rows, salt("trap"), 25 * TRAPS)
        return np.where(drawn < TRAPS, drawn + 1, 0)

    # Place on Earth -------------------------------------------------------------------------------
    @property
    def has_footprint(self) -> bool:
        """Whether these products have a place at all."""
        return True

    def rings(self) -> Floats:
        """Outer rings (n, vertices, 2) of lon, lat in degrees, rounded to six decimals."""
        raise NotImplementedError


def _positional(template: str) -> tuple[list[str], str]:
    names, parts = [], []
    for literal, name, spec, _ in string.Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            names.append(name)
            parts.append("{:" + (spec or "") + "}")
    return names, "".join(parts)
