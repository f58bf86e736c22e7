"""Conditions on one collection as OData `$filter` text: exactly, or wider where text cannot tell them.

Grammar and attribute forms are those of CDSE's documentation (APIs/OData): attributes are tested within
`any(…)`, which is false for products that lack them, so that a missing attribute satisfies neither a test nor
its inversion.
"""

from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import Any

from stacbridge import geometry, scalars, spans
from stacbridge.cql import conditions, times
from stacbridge.cql.conditions import LISTS, And, Condition, Opaque, Or, Predicate
from stacbridge.cql.evaluate import holds, tester
from stacbridge.dialects import odata_names
from stacbridge.dialects.odata_text import UNTOLD, Text, Told, attribute, both, either, literal
from stacbridge.mapping.families import Collection, Match
from stacbridge.mapping.rows import Row
from stacbridge.model import Json

_OPERATORS = {"=": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_EARLIEST = scalars.rfc3339(spans.FIRST)
_NEVER_MISSING = ("ContentDate/Start", "ContentDate/End", "Online", "PublicationDate", "ModificationDate")


@dataclass(frozen=True, slots=True)
class Pushed:
    """A condition as text; `checked` names the tests that it does not, or not exactly, tell."""

    text: Text
    checked: tuple[str, ...] = ()


def write(condition: Condition, spec: Collection, names: Container[str], endings: tuple[str, ...]) -> Pushed:
    """Return a condition on the products of one collection, whose Items have no properties but `names`."""
    wider: dict[str, None] = {}
    text = _write(conditions.without(condition, names), spec, endings, wider)
    return Pushed(text, () if text is False else tuple(wider))


def _write(condition: Condition, spec: Collection, endings: tuple[str, ...], wider: dict[str, None]) -> Text:
    """Return the text of a condition; add the tests that it does not exactly tell to `wider`."""
    if isinstance(condition, bool):
        return condition
    if isinstance(condition, And):
        return both([_write(part, spec, endings, wider) for part in condition.parts])
    if isinstance(condition, Or):
        return either([_write(part, spec, endings, wider) for part in condition.parts])
    told = UNTOLD if isinstance(condition, Opaque) else _test(condition, spec, endings)
    if not told.exact:
        wider[conditions.told(condition)] = None
    return told.text


def membership(specs: list[Collection], _: list[Collection]) -> Text:
    """Return what the products of some collections match and no others of their family, be they of another
    collection or of none.

    What all of the collections match is tested once, the rest only where it is needed.
    """
    matches = [_own(spec) for spec in specs]
    common = _common(matches)
    rest = [{name: values for name, values in match.items() if name not in common} for match in matches]
    return both([_matching(common), either([_matching(match) for match in rest])])


def distinction(specs: list[Collection], others: list[Collection]) -> Text:
    """Return what tells the products of some collections from those of others in their family. It may be
    shorter than their membership, and products of no collection may satisfy it, too."""
    if not others:
        return True
    common = _common([spec.match for spec in specs])
    if all(_apart(common, spec.match) for spec in others):
        return _matching(common)
    return membership(specs, others)


def outline(specs: list[Collection], others: list[Collection]) -> Text:
    """Return the shortest part of a distinction, which products of the others may satisfy, too."""
    common = _common([spec.match for spec in specs]) if others else {}
    return _matching({name: values for name, values in common.items() if len(values) == 1})


def is_whole(spec: Collection) -> bool:
    """Tell whether all products of its family are a collection's."""
    return not _own(spec)


def _own(spec: Collection) -> Match:
    """Return what a collection's products match besides what all of their family do."""
    known = spec.family_match
    return {name: each for name, each in spec.match.items() if name not in known or not known[name] <= each}


def _common(matches: list[Match]) -> Match:
    first, *further = matches
    return {
        name: values for name, values in first.items() if all(match.get(name) == values for match in further)
    }


def _apart(match: Match, other: Match) -> bool:
    """Tell whether no product can match both."""
    return any(values.isdisjoint(other.get(name, values)) for name, values in match.items())


def _matching(match: Match) -> Text:
    return both([_one_of(name, values) for name, values in match.items()])


@lru_cache(1024)
def _one_of(name: str, values: frozenset[Any]) -> Text:
    return either([attribute(name, "String", "eq", value) for value in sorted(values)])


def intersects(area: Json) -> Text:
    """Return the test of a checked GeoJSON geometry; parts of collections and of several polygons one by
    one."""
    return either([f"OData.CSC.Intersects(area=geography'SRID=4326;{wkt}')" for wkt in geometry.wkts(area)])


def _test(test: Predicate, spec: Collection, endings: tuple[str, ...]) -> Told:
    if test.name == "collection":
        return Told(holds(test, spec.id))
    if test.name in spec.constants:
        return Told(holds(test, spec.constants[test.name]))
    if test.name == "id":
        return odata_names.identity(test, endings)
    if test.name == "geometry":
        return _spatial(test)
    row = spec.rows.get(test.name)
    if row is None:
        return UNTOLD
    known = {**spec.family_match, **spec.match}
    if test.op == "isnull":
        return _presence(test, row, known)
    return Told(_closed(test, row, known)) if row.values is not None else _open(test, row, known)


def _presence(test: Predicate, row: Row, known: Match) -> Told:
    """Test whether a property is there; that it is not cannot be told of attributes."""
    if row.required or all(path in _NEVER_MISSING for path in row.paths):
        return Told(test.negated)
    if not test.negated:
        return UNTOLD
    if row.values is not None:
        read = [row.read(*value) if isinstance(value, tuple) else row.read(value) for value in row.values]
        there = [value for value, found in zip(row.values, read, strict=True) if found is not None]
        return Told(either([_equal(row, value, known) for value in there]))
    if row.push == "order" and row.type != "DateTimeOffset":
        return Told(either([_bound(row, "<", 0), _bound(row, ">=", 0)]))
    return UNTOLD


def _closed(test: Predicate, row: Row, known: Match) -> Text:
    """Test a property with a closed set of upstream values: it is one of those that satisfy the test."""
    values = row.values or ()
    satisfied = tester(test)
    read = [row.read(*value) if isinstance(value, tuple) else row.read(value) for value in values]
    fitting = [value for value, found in zip(values, read, strict=True) if satisfied(found)]
    if row.required and len(fitting) == len(values):
        return True
    return either([_equal(row, value, known) for value in fitting])


def _open(test: Predicate, row: Row, known: Match) -> Told:
    if not _is_of_kind(test, row):
        return Told(False)
    if row.push == "text" and test.casei:
        return odata_names.like_in_any_case(row.paths[0], test)
    if test.casei or test.negated:
        return UNTOLD
    if row.push == "order":
        return _ordered(test, row)
    if row.push == "text" and test.op == "like":
        return odata_names.like(row.paths[0], test.value, ())
    if row.push is None or row.write is None or test.op != "=":
        return UNTOLD
    return Told(either([_equal(row, value, known) for value in row.write(test.value)]))


def _equal(row: Row, value: Any, known: Match) -> Text:
    """Test for upstream values, as far as they are not known already from what the collection matches."""
    parts = value if isinstance(value, tuple) else (value,)
    return both([_part(path, row.type, part, known) for path, part in zip(row.paths, parts, strict=True)])


def _part(path: str, kind: str, value: Any, known: Match) -> Text:
    values = known.get(path.removeprefix("Attributes/"))
    if values is not None and (value not in values or len(values) == 1):
        return value in values
    return _compare(path, kind, "eq", value)


def _compare(path: str, kind: str, operator: str, value: Any) -> str:
    if path.startswith("Attributes/"):
        return attribute(path.removeprefix("Attributes/"), kind, operator, value)
    return f"{path} {operator} {literal(kind, value)}"


def _ordered(test: Predicate, row: Row) -> Told:
    value = _writable(test.value) if row.type == "DateTimeOffset" else test.value
    if value is None or times.is_finer(str(test.value)):
        return UNTOLD
    if test.op == "<>":
        return Told(either([_bound(row, "<", value), _bound(row, ">", value)]))
    return Told(_bound(row, test.op, value)) if test.op in _OPERATORS else UNTOLD


def _writable(text: Any) -> str | None:
    """Return a time as its text, or an early one that means the same: no product is of years before 1000."""
    found = times.instant(text)
    return None if found is None else max(found, _EARLIEST)


def _bound(row: Row, op: str, value: Any) -> Text:
    """Compare; with whole numbers, a fraction is rounded to the whole number that tells the same."""
    if row.type == "Integer":
        if value != floor(value):
            if op == "=":
                return False
            op, value = ("<=", floor(value)) if op in ("<", "<=") else (">=", ceil(value))
        value = int(value)
    return _compare(row.paths[0], row.type, _OPERATORS[op], value)


_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "array": (list,),
}


def _is_of_kind(test: Predicate, row: Row) -> bool:
    """Tell whether a test is of the kind that a row's values are; if not, none of them decides it."""
    kind = row.schema.get("type", "")
    if kind not in _KINDS:
        return True
    if kind == "array" or test.op in LISTS:
        return kind == "array" and test.op in LISTS
    if test.op in ("like", "s_intersects"):
        return test.op == "like" and kind == "string"
    return isinstance(test.value, _KINDS[kind]) and isinstance(test.value, bool) == (kind == "boolean")


def _spatial(test: Predicate) -> Told:
    if test.op != "s_intersects":
        return UNTOLD if test.op == "isnull" else Told(False)
    if test.negated:
        return UNTOLD
    value = test.value
    area = geometry.box(geometry.parse_bbox(value["bbox"], "filter")) if "bbox" in value else value
    return Told(intersects(area))
