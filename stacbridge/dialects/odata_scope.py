"""What a query asks of the archive, whichever page of the answer: collections, filter, time and area as
`$filter`."""

from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass

from stacbridge import geometry, scalars
from stacbridge.cql import conditions
from stacbridge.cql.conditions import Condition, conjunction
from stacbridge.dialects import odata_filter
from stacbridge.dialects.odata_filter import Pushed
from stacbridge.dialects.odata_text import Text, both, either, quoted
from stacbridge.mapping.families import Collection
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Interval, Query

ENTITY_SETS = ("Bursts",)
"""Families that are entity sets of their own, not collections of `Products`. Their entities have plain
properties only, and no Attributes (documentation.dataspace.copernicus.eu, Sentinel-1 SLC Burst).
"""
Tells = Callable[[list[Collection], list[Collection]], Text]
"""Returns what tells the products of some collections from those of others in their family."""
RESERVE = 220
"""Characters kept for the conditions that continue a walk."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The text, and the collections whose products are wanted (`None`: all); with `wide`, products of others,
    or of none, come, too.

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
        self._whole = any(_is_all(spec) for spec in specs.values())

    def find(self, query: Query) -> Scope:
        """Return the scope of a query. Raises `UnsupportedFilter`.

        A search of everything names no collections. Where what tells their products would be too long, it is
        what tells them from those of other collections, or else their families, and what comes is to be
        sorted out by whoever reads the answer. Where that is too long still, they are without what their
        collections say differently, and at last without the longest parts of the filter.
        """
        condition = conditions.parse(query.filter) if query.filter else True
        dropped: tuple[str, ...] = ()
        while True:
            texts = self._texts(condition, query)
            scope = self._scope(texts, query, dropped)
            longest = None if self._fits(scope.text) else self._longest(condition, query)
            if longest is None:
                return scope
            condition = conjunction(part for part in conditions.conjuncts(condition) if part is not longest)
            dropped += (f"a condition on {', '.join(sorted(map(repr, conditions.names(longest))))}",)

    def _scope(self, texts: dict[str, Pushed], query: Query, dropped: tuple[str, ...]) -> Scope:
        around = both([*_when(query.interval), *_where(query)])
        same = {pushed.text for pushed in texts.values()}
        if not query.collections and len(same) == 1:
            return Scope(both([*same, around]), None, not self._whole, _checked(texts, dropped))
        wanted = frozenset(name for name, pushed in texts.items() if pushed.text is not False)
        for tells, told in (
            (odata_filter.membership, texts),
            (odata_filter.distinction, texts),
            (odata_filter.outline, texts),
            (odata_filter.outline, self._levelled(texts)),
        ):
            text = both([self._families(told, tells), around])
            if self._fits(text):
                break
        return Scope(text, wanted, tells is not odata_filter.membership, _checked(told, dropped))

    def _levelled(self, texts: dict[str, Pushed]) -> dict[str, Pushed]:
        """Return no text at all for the collections of a family whose collections have different ones."""
        families: dict[str, set[Text]] = {}
        for name, pushed in texts.items():
            if pushed.text is not False:
                families.setdefault(self._specs[name].family, set()).add(pushed.text)
        untold = Pushed(True, ("a condition too long for each collection",))
        return {
            name: untold if len(families.get(self._specs[name].family, ())) > 1 and pushed.text else pushed
            for name, pushed in texts.items()
        }

    def _fits(self, text: Text) -> bool:
        return len(str(text)) <= self._length - RESERVE

    def _texts(self, condition: Condition, query: Query) -> dict[str, Pushed]:
        """Return the filter on each collection, by its id."""
        specs, names = self._specs, self._mapping.names
        return {
            name: odata_filter.write(condition, specs[name], names(name), self._mapping.endings)
            for name in query.collections or specs
            if name in specs
        }

    def _longest(self, condition: Condition, query: Query) -> Condition | None:
        """Return the part of a condition that takes most text, of those that take any and must all hold."""

        def length(part: Condition) -> int:
            texts = (pushed.text for pushed in self._texts(part, query).values())
            return max((len(text) for text in texts if isinstance(text, str)), default=0)

        longest = max(conditions.conjuncts(condition), key=length)
        return longest if length(longest) else None

    def _families(self, texts: dict[str, Pushed], tells: Tells) -> Text:
        """Return `(family and what tells collections and filter) or …`; an outline is only for families that
        have one filter as a whole."""
        specs = self._specs
        groups: dict[tuple[str, Text], list[Collection]] = {}
        for name, pushed in texts.items():
            if pushed.text is not False:
                groups.setdefault((specs[name].family, pushed.text), []).append(specs[name])
        families = [family for family, _ in groups]
        found: list[Text] = []
        for (family, text), group in groups.items():
            ids = {spec.id for spec in group}
            others = [spec for spec in specs.values() if spec.family == family and spec.id not in ids]
            split = tells is odata_filter.outline and families.count(family) > 1
            member = (odata_filter.distinction if split else tells)(group, others)
            found.append(both([_of_family(family), member, text]))
        return either([f"({text})" if len(found) > 1 else text for text in found])


def _checked(texts: dict[str, Pushed], dropped: tuple[str, ...]) -> tuple[str, ...]:
    return (*dropped, *dict.fromkeys(name for pushed in texts.values() for name in pushed.checked))


def _is_all(spec: Collection) -> bool:
    """Tell whether all entities of a set are products of a collection."""
    return odata_filter.is_whole(spec) and (spec.family in ENTITY_SETS or not spec.family_match)


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
