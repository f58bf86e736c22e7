"""What a query asks of the archive, whichever page of the answer: collections, filter, time and area as
`$filter`."""

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass

from stacbridge import geometry, scalars
from stacbridge.cql import conditions
from stacbridge.cql.conditions import Condition, unsupported
from stacbridge.dialects import odata_filter
from stacbridge.dialects.odata_text import Text, both, either, quoted
from stacbridge.errors import UnsupportedFilter
from stacbridge.mapping.families import Collection
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Interval, Query

ENTITY_SETS = ("Bursts",)
"""Families that are entity sets of their own, not collections of `Products`. Their entities have plain
properties only, and no Attributes (documentation.dataspace.copernicus.eu, Sentinel-1 SLC Burst).
"""
RESERVE = 220
"""Characters kept for the conditions that continue a walk."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The text, and the collections whose products are wanted (`None`: all); with `wide`, others come,
    too.

    `checked` names the conditions that the text does not, or not exactly, tell (see `Page`).
    """

    text: Text
    wanted: frozenset[str] | None
    wide: bool = False
    checked: tuple[str, ...] = ()


class Scoping:
    """Finds the scope of queries to one catalogue."""

    def __init__(self, mapping: Mapping, specs: Dictionary[str, Collection], length: int) -> None:
        """Find the scope among the collections `specs`, those of one entity set."""
        self._mapping, self._specs, self._length = mapping, specs, length
        self._properties = {"id", "collection", "geometry"}.union(
            *[{*spec.rows, *spec.constants} for spec in mapping.specs.values()]
        )

    def find(self, query: Query) -> Scope:
        """Return the scope of a query. Raises `UnsupportedFilter`.

        Where the names of all collections would be too long, their families are asked for, and what comes is
        to be sorted out by whoever reads the answer.
        """
        texts = self._texts(query)
        around = both([*_when(query.interval), *_where(query)])
        if not query.collections and len(set(texts.values())) == 1:
            return Scope(both([*set(texts.values()), around]), None)
        wanted = frozenset(name for name, text in texts.items() if text is not False)
        exact = both([self._families(texts, wide=False), around])
        if len(str(exact)) <= self._length - RESERVE:
            return Scope(exact, wanted)
        return Scope(both([self._families(texts, wide=True), around]), wanted, wide=True)

    def _texts(self, query: Query) -> dict[str, Text]:
        """Return the filter on each collection, by its id."""
        condition = conditions.parse(query.filter) if query.filter else True
        if unknown := conditions.names(condition) - self._properties:
            raise unsupported(
                f"{self._mapping.title} has no property {', '.join(sorted(map(repr, unknown)))}."
            )
        specs = self._specs
        chosen = query.collections or specs
        return {name: self._write(condition, specs[name]) for name in chosen if name in specs}

    def _write(self, condition: Condition, spec: Collection) -> Text:
        try:
            return odata_filter.write(condition, spec, self._mapping.endings)
        except UnsupportedFilter as failure:
            failure.advice = (
                f"Collection {spec.id!r} cannot; name others in `collections`, or test something else."
            )
            raise

    def _families(self, texts: dict[str, Text], *, wide: bool) -> Text:
        """Return `(family and membership and filter) or …`; `wide` names families that have one filter as a
        whole."""
        specs = self._specs
        groups: dict[tuple[str, Text], list[Collection]] = {}
        for name, text in texts.items():
            if text is not False:
                groups.setdefault((specs[name].family, text), []).append(specs[name])
        families = [family for family, _ in groups]
        found: list[Text] = []
        for (family, text), group in groups.items():
            siblings = [spec for spec in specs.values() if spec.family == family]
            member = odata_filter.membership(group, siblings, wide=wide and families.count(family) == 1)
            found.append(both([_of_family(family), member, text]))
        return either([f"({text})" if len(found) > 1 else text for text in found])


def _of_family(family: str) -> Text:
    """Return the test of a family's products; entity sets of their own know no collections."""
    return True if family in ENTITY_SETS else f"Collection/Name eq {quoted(family)}"


def _when(interval: Interval | None) -> list[Text]:
    """Return the conditions that a product's interval intersects the one asked for, ends included."""
    if interval is None:
        return []
    texts: list[Text] = []
    if interval.end is not None:
        texts.append(f"ContentDate/Start le {scalars.rfc3339(interval.end)}")
    if interval.start is not None:
        texts.append(f"ContentDate/End ge {scalars.rfc3339(interval.start)}")
    return texts


def _where(query: Query) -> list[Text]:
    areas = [geometry.box(query.bbox)] if query.bbox else []
    areas += [query.intersects] if query.intersects else []
    return [odata_filter.intersects(area) for area in areas]
