"""Conditions on one collection as OData `$filter` text, exactly or not at all.

Grammar and attribute forms are those of CDSE's documentation (APIs/OData): attributes are tested within `any(…)`, which
is false for products that lack them, so that a missing attribute satisfies neither a test nor its inversion.
"""

import re
from decimal import Decimal
from math import ceil, floor
from typing import Any

from stacbridge import geometry
from stacbridge.conditions import And, Condition, Or, Predicate, moment, unsupported
from stacbridge.evaluate import holds
from stacbridge.families import Collection
from stacbridge.model import Json
from stacbridge.rows import Row

Text = str | bool
"""`$filter` text, or whether all or no products satisfy it."""

_OPERATORS = {"=": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_NEVER_MISSING = ("ContentDate/Start", "ContentDate/End", "Online", "PublicationDate", "ModificationDate")


def both(texts: list[Text]) -> Text:
    """Join texts that must all hold."""
    kept = [text for text in texts if text is not True]
    if False in kept:
        return False
    return " and ".join(map(str, kept)) if kept else True


def either(texts: list[Text]) -> Text:
    """Join texts of which one must hold, in parentheses where there are several."""
    kept = list(dict.fromkeys(text for text in texts if text is not False))
    if True in kept:
        return True
    return False if not kept else str(kept[0]) if len(kept) == 1 else f"({' or '.join(map(str, kept))})"


def write(condition: Condition, spec: Collection, endings: tuple[str, ...]) -> Text:
    """Return a condition on the products of one collection. Raises `UnsupportedFilter`."""
    if isinstance(condition, bool):
        return condition
    if isinstance(condition, And):
        return both([write(part, spec, endings) for part in condition.parts])
    if isinstance(condition, Or):
        return either([write(part, spec, endings) for part in condition.parts])
    return _test(condition, spec, endings)


def membership(spec: Collection) -> Text:
    """Return what tells a collection's products from others of its family."""
    return both(
        [
            either([attribute(name, "String", "eq", value) for value in sorted(values)])
            for name, values in spec.match.items()
        ]
    )


def attribute(name: str, kind: str, operator: str, value: Any) -> str:
    """Return the test of an attribute."""
    path = f"OData.CSC.{kind}Attribute"
    test = f"att/Name eq {quoted(name)} and att/{path}/Value {operator} {literal(kind, value)}"
    return f"Attributes/{path}/any(att:{test})"


def quoted(text: str) -> str:
    """Return a string literal."""
    return "'" + text.replace("'", "''") + "'"


def literal(kind: str, value: Any) -> str:
    """Return a value of an upstream type as OData writes it; numbers without exponent, at full precision."""
    if kind == "String":
        return quoted(str(value))
    if kind == "Boolean":
        return "true" if value else "false"
    if kind == "DateTimeOffset":
        return str(value)
    return format(Decimal(repr(value)), "f")


def intersects(area: Json) -> Text:
    """Return the test of a checked GeoJSON geometry; parts of collections and of several polygons one by one."""
    return either([f"OData.CSC.Intersects(area=geography'SRID=4326;{wkt}')" for wkt in geometry.wkts(area)])


def _test(test: Predicate, spec: Collection, endings: tuple[str, ...]) -> Text:
    if test.name == "collection":
        return holds(test, spec.id)
    if test.name in spec.constants:
        return holds(test, spec.constants[test.name])
    if test.name == "id":
        return _identity(test, endings)
    if test.name == "geometry":
        return _spatial(test)
    row = spec.rows.get(test.name)
    if row is None:
        return test.op == "isnull" and not test.negated
    if test.op == "isnull":
        return _presence(test, row)
    return _closed(test, row) if row.values is not None else _open(test, row)


def _presence(test: Predicate, row: Row) -> Text:
    if all(path in _NEVER_MISSING for path in row.paths):
        return test.negated
    raise unsupported(f"{test.name!r} isNull: the upstream cannot tell whether it is there.")


def _closed(test: Predicate, row: Row) -> Text:
    """Predicate a property with a closed set of upstream values: it is one of those that satisfy the test."""
    read = [
        (value, row.read(*value) if isinstance(value, tuple) else row.read(value))
        for value in row.values or ()
    ]
    return either([_equal(row, value) for value, found in read if holds(test, found)])


def _open(test: Predicate, row: Row) -> Text:
    if test.casei or test.negated or (test.op not in _OPERATORS and test.op not in ("<>", "like")):
        raise _refused(test)
    if row.push == "order":
        return _ordered(test, row)
    if row.push == "text" and test.op == "like":
        return _like(row.paths[0], test, ("",))
    if row.push is None or row.write is None or test.op != "=":
        raise _refused(test)
    _check_kind(test, row)
    return either([_equal(row, value) for value in row.write(test.value)])


def _refused(test: Predicate) -> Exception:
    operator = f"not {test.op}" if test.negated else test.op
    folded = " with CASEI" if test.casei else ""
    return unsupported(f"{test.name!r} {operator}{folded}: the upstream cannot answer this exactly.")


def _equal(row: Row, value: Any) -> Text:
    parts = value if isinstance(value, tuple) else (value,)
    return both([_compare(path, row.type, "eq", part) for path, part in zip(row.paths, parts, strict=True)])


def _compare(path: str, kind: str, operator: str, value: Any) -> str:
    if path.startswith("Attributes/"):
        return attribute(path.removeprefix("Attributes/"), kind, operator, value)
    return f"{path} {operator} {literal(kind, value)}"


def _ordered(test: Predicate, row: Row) -> Text:
    _check_kind(test, row)
    if test.op == "like":
        raise _refused(test)
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
        raise _refused(test)
    value = test.value
    return intersects(
        geometry.box(geometry.parse_bbox(value["bbox"], "filter")) if "bbox" in value else value
    )


# --- names: an item's id is the product's name without its ending


def _identity(test: Predicate, endings: tuple[str, ...]) -> Text:
    if test.op == "isnull":
        return test.negated
    if test.casei or not isinstance(test.value, str):
        raise _refused(test)
    if test.op in ("=", "<>"):
        return _inverted(named(test.value, endings), test.op == "<>")
    if test.op == "like":
        return _inverted(_like("Name", test, endings), test.negated)
    raise _refused(test)


def _inverted(text: Text, negated: bool) -> Text:
    """Invert a test of the name, which no product lacks."""
    if not negated:
        return text
    return not text if isinstance(text, bool) else f"not ({text})"


def named(item: str, endings: tuple[str, ...]) -> Text:
    """Return the test for the product of an item id: its name is the id with one of the endings, or as it is."""
    bare = () if item.endswith(endings) and endings else ("",)
    return either([f"Name eq {quoted(item + ending)}" for ending in (*endings, *bare)])


def _like(path: str, test: Predicate, endings: tuple[str, ...]) -> Text:
    """Return a LIKE pattern of one text with `%` before it, after it or both; others are refused."""
    endings = tuple(ending for ending in endings if ending)
    pattern = re.sub("%+", "%", test.value) if "\\" not in test.value else test.value
    text = pattern.removeprefix("%")
    before, after = text != pattern, text.endswith("%") and not text.endswith("\\%")
    text = text[:-1] if after else text
    plain = re.sub(r"\\([%_\\])", r"\1", text)
    if re.search(r"[%_]", re.sub(r"\\[%_\\]", "", text)):
        raise unsupported(f"{test.name!r} like: {test.value!r} has wildcards within its text.")
    if not plain and (before or after):
        return True
    if not before and not after:
        return named(plain, endings) if endings else f"{path} eq {quoted(plain)}"
    if before and not after:
        return _ending(path, plain, endings)
    if after and any(plain.endswith(ending[:end]) for ending in endings for end in range(1, len(ending) + 1)):
        raise unsupported(f"{test.name!r} like: {test.value!r} reaches into the ending of product names.")
    if before and any(plain in ending for ending in endings):
        raise unsupported(f"{test.name!r} like: {test.value!r} also occurs in the ending of product names.")
    return f"contains({path},{quoted(plain)})" if before else f"startswith({path},{quoted(plain)})"


def _ending(path: str, text: str, endings: tuple[str, ...]) -> Text:
    """Return the test that a name without its ending ends with `text`."""
    with_ending: list[Text] = [f"endswith({path},{quoted(text + ending)})" for ending in endings]
    if endings and text.endswith(endings):
        return either(with_ending)
    hiding = [f"endswith({path},{quoted(ending)})" for ending in endings if ending.endswith(text)]
    bare = both([f"endswith({path},{quoted(text)})", *[f"not {test}" for test in hiding]])
    return either([*with_ending, bare])
