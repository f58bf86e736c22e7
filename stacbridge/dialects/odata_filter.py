"""Conditions on one collection as OData `$filter` text, exactly or not at all.

Grammar and attribute forms are those of CDSE's documentation (APIs/OData): attributes are tested within
`any(…)`, which is false for products that lack them, so that a missing attribute satisfies neither a test nor
its inversion.
"""

from math import ceil, floor
from typing import Any

from stacbridge import geometry
from stacbridge.cql.conditions import And, Condition, Or, Predicate, moment, unsupported
from stacbridge.dialects import odata_names
from stacbridge.cql.evaluate import holds
from stacbridge.dialects.odata_text import Text, attribute, both, either, literal, refused
from stacbridge.mapping.families import Collection, Match
from stacbridge.mapping.rows import Row
from stacbridge.model import Json

_OPERATORS = {"=": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_NEVER_MISSING = ("ContentDate/Start", "ContentDate/End", "Online", "PublicationDate", "ModificationDate")


def write(condition: Condition, spec: Collection, endings: tuple[str, ...]) -> Text:
    """Return a condition on the products of one collection. Raises `UnsupportedFilter`."""
    if isinstance(condition, bool):
        return condition
    if isinstance(condition, And):
        return both([write(part, spec, endings) for part in condition.parts])
    if isinstance(condition, Or):
        return either([write(part, spec, endings) for part in condition.parts])
    return _test(condition, spec, endings)


def membership(specs: list[Collection], family: list[Collection], *, wide: bool = False) -> Text:
    """Return what tells the products of some collections from the others of their family.

    What all of them match is tested once, the rest only where it is needed. With `wide` only the shortest is
    tested, so that products of other collections may come, too.
    """
    others = [spec for spec in family if spec not in specs]
    if not others:
        return True
    first, *further = specs
    common = {name: values for name, values in first.match.items() if _all_have(further, name, values)}
    if wide:
        return _matching({name: values for name, values in common.items() if len(values) == 1})
    if all(_apart(common, spec.match) for spec in others):
        return _matching(common)
    rest = [{name: values for name, values in spec.match.items() if name not in common} for spec in specs]
    return both([_matching(common), either([_matching(match) for match in rest])])


def _all_have(specs: list[Collection], name: str, values: frozenset[Any]) -> bool:
    return all(spec.match.get(name) == values for spec in specs)


def _apart(match: Match, other: Match) -> bool:
    """Tell whether no product can match both."""
    return any(values.isdisjoint(other.get(name, values)) for name, values in match.items())


def _matching(match: Match) -> Text:
    return both([_one_of(name, values) for name, values in match.items()])


def _one_of(name: str, values: frozenset[Any]) -> Text:
    return either([attribute(name, "String", "eq", value) for value in sorted(values)])


def intersects(area: Json) -> Text:
    """Return the test of a checked GeoJSON geometry; parts of collections and of several polygons one by
    one."""
    return either([f"OData.CSC.Intersects(area=geography'SRID=4326;{wkt}')" for wkt in geometry.wkts(area)])


def _test(test: Predicate, spec: Collection, endings: tuple[str, ...]) -> Text:
    if test.name == "collection":
        return holds(test, spec.id)
    if test.name in spec.constants:
        return holds(test, spec.constants[test.name])
    if test.name == "id":
        return odata_names.identity(test, endings)
    if test.name == "geometry":
        return _spatial(test)
    row = spec.rows.get(test.name)
    if row is None:
        return test.op == "isnull" and not test.negated
    if test.op == "isnull":
        return _presence(test, row)
    known = {**spec.family_match, **spec.match}
    return _closed(test, row, known) if row.values is not None else _open(test, row, known)


def _presence(test: Predicate, row: Row) -> Text:
    if row.required or all(path in _NEVER_MISSING for path in row.paths):
        return test.negated
    raise unsupported(f"{test.name!r} isNull: the upstream cannot tell whether it is there.")


def _closed(test: Predicate, row: Row, known: Match) -> Text:
    """Test a property with a closed set of upstream values: it is one of those that satisfy the test."""
    values = row.values or ()
    read = [row.read(*value) if isinstance(value, tuple) else row.read(value) for value in values]
    fitting = [value for value, found in zip(values, read, strict=True) if holds(test, found)]
    if row.required and len(fitting) == len(values):
        return True
    return either([_equal(row, value, known) for value in fitting])


def _open(test: Predicate, row: Row, known: Match) -> Text:
    if test.casei or test.negated or (test.op not in _OPERATORS and test.op not in ("<>", "like")):
        raise refused(test)
    if row.push == "order":
        return _ordered(test, row)
    if row.push == "text" and test.op == "like":
        return odata_names.like(row.paths[0], test, ())
    if row.push is None or row.write is None or test.op != "=":
        raise refused(test)
    _check_kind(test, row)
    return either([_equal(row, value, known) for value in row.write(test.value)])


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


def _ordered(test: Predicate, row: Row) -> Text:
    _check_kind(test, row)
    if test.op == "like":
        raise refused(test)
    value = moment(test.name, test.value) if row.type == "DateTimeOffset" else test.value
    if test.op == "<>":
        return either([_bound(row, "<", value), _bound(row, ">", value)])
    return _bound(row, test.op, value)


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


def _check_kind(test: Predicate, row: Row) -> None:
    wanted = _KINDS.get(row.schema.get("type", ""))
    if wanted and (
        not isinstance(test.value, wanted) or (isinstance(test.value, bool) and bool not in wanted)
    ):
        raise unsupported(f"{test.name!r} {test.op}: {test.value!r} is not of type {row.schema['type']}.")


def _spatial(test: Predicate) -> Text:
    if test.op == "isnull" or test.negated:
        raise refused(test)
    value = test.value
    return intersects(
        geometry.box(geometry.parse_bbox(value["bbox"], "filter")) if "bbox" in value else value
    )
