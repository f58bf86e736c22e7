"""`$filter` of CDSE's OData, parsed by odata-query and evaluated over columns.

Semantics where the service leaves room: texts compare exactly; an attribute that a product lacks matches
nothing, so `not` of it matches; the type in the path of an attribute is not looked at; a text literal
against a number compares as a number. Inside an attribute's lambda texts take only `eq`, `ne` and `in`,
since nothing else is documented.
"""

import operator
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from odata_query import ast

from .syntax import FilterError, flatten, geometry, kind, literal, parse, path

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_MIRRORED: dict[type, type] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
_ALIASES = {
    "SLC": ("_SLC__1S",),
    "GRD": ("_GRDH_1S", "_GRDM_1S"),
    "RAW": ("_RAW__0S",),
    "GRD-COG": ("_GRDH_1S-COG", "_GRDM_1S-COG"),
}
_KINDS = {
    "String": "text",
    "Integer": "number",
    "Double": "number",
    "DateTimeOffset": "time",
    "Boolean": "truth",
}
_TEXT_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


class Table(Protocol):
    """What a filter is evaluated over: rows with plain properties, attributes and footprints."""

    def column(self, path: str, rows: Rows) -> NDArray[Any]:
        """Values of a plain property (KeyError if there is none); times are microseconds since 1970."""

    def collection_mask(self, name: str, rows: Rows) -> Mask:
        """Which rows are of this collection."""

    def attribute(self, name: str, rows: Rows) -> Iterator[tuple[Rows, NDArray[Any], str]]:
        """Positions, values and OData type of the rows that have this attribute."""

    def intersects(self, geometry: shapely.Geometry, rows: Rows) -> Mask:
        """Which footprints meet a geometry."""


class Filter:
    """A parsed filter over one table; `collections` are the names that `Collection/Name` may have."""

    def __init__(self, table: Table, collections: frozenset[str], time_columns: frozenset[str]) -> None:
        self._table = table
        self._collections = collections
        self._time_columns = time_columns

    def rows(self, text: str, rows: Rows) -> Rows:
        """The rows among `rows` that the filter lets through, in their order; raises FilterError."""
        return self.among(parse(text), rows)

    def among(self, tree: Any, rows: Rows) -> Rows:
        """The same of a filter that was parsed."""
        try:
            return rows[self._mask(tree, rows)]
        except RecursionError as error:
            raise FilterError("Invalid filter: nested too deeply") from error

    def _mask(self, node: Any, rows: Rows) -> Mask:
        match node:
            case ast.BoolOp(op=ast.And()):
                return self._all(sorted(flatten(node, ast.And), key=_cost), rows)
            case ast.BoolOp():
                masks = [self._mask(part, rows) for part in flatten(node, ast.Or)]
                return np.asarray(np.any(masks, axis=0))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self._mask(operand, rows)
            case ast.Compare():
                return self._compare(node, rows)
            case ast.Call():
                return self._call(node, rows)
            case ast.CollectionLambda():
                return self._attribute(node, rows)
        raise FilterError(f"Invalid filter: {type(node).__name__} is no condition")

    def _all(self, parts: list[Any], rows: Rows) -> Mask:
        """Every part in turn, each over the rows that are left."""
        left = np.arange(len(rows))
        for part in parts:
            left = left[self._mask(part, rows[left])]
        found = np.zeros(len(rows), dtype=np.bool_)
        found[left] = True
        return found

    # Plain properties -----------------------------------------------------------------------------
    def _compare(self, node: Any, rows: Rows) -> Mask:
        left, right, comparator = node.left, node.right, type(node.comparator)
        if not isinstance(left, ast.Identifier | ast.Attribute):
            left, right, comparator = right, left, _MIRRORED.get(comparator, comparator)
        field = path(left)
        if field == "Collection/Name":
            return self._collection(comparator, right, rows)
        values = self._column(field, rows)
        if comparator is ast.In:
            return np.asarray(np.isin(values, [self._literal(field, item) for item in right.val]))
        return np.asarray(_OPERATORS[comparator](values, self._literal(field, right)), dtype=np.bool_)

    def _column(self, field: str, rows: Rows) -> NDArray[Any]:
        try:
            return self._table.column(field, rows)
        except KeyError as error:
            raise FilterError(f"Invalid field: {field}") from error

    def _literal(self, field: str, node: Any) -> Any:
        is_time = kind(node) == "time"
        if is_time != (field in self._time_columns):
            raise FilterError(f"Invalid value: {literal(node)!r} for {field}")
        return literal(node)

    def _collection(self, comparator: type, right: Any, rows: Rows) -> Mask:
        names = [literal(item) for item in right.val] if comparator is ast.In else [literal(right)]
        for name in names:
            if name not in self._collections:
                raise FilterError(f"Invalid value: {name!r} is no collection")
        masks = [self._table.collection_mask(name, rows) for name in names]
        found = np.asarray(np.any(masks, axis=0))
        if comparator in (ast.Eq, ast.In):
            return found
        if comparator is ast.NotEq:
            return ~found
        raise FilterError("Invalid filter: Collection/Name takes eq and ne")

    # Functions ------------------------------------------------------------------------------------
    def _call(self, node: Any, rows: Rows) -> Mask:
        name = node.func.full_name()
        if name == "OData.CSC.Intersects":
            return self._table.intersects(geometry(node.args), rows)
        test = _TEXT_FUNCTIONS.get(name)
        if test is None or len(node.args) != 2:
            raise FilterError(f"Invalid filter: function {name}")
        values, part = self._column(path(node.args[0]), rows), literal(node.args[1])
        if not isinstance(part, str) or values.dtype != object:
            raise FilterError(f"Invalid value: {name} takes texts")
        return np.fromiter((test(text, part) for text in values), dtype=np.bool_, count=len(rows))

    # Attributes -----------------------------------------------------------------------------------
    def _attribute(self, node: Any, rows: Rows) -> Mask:
        if not path(node.owner).lower().startswith("attributes/") or not isinstance(node.operator, ast.Any):
            raise FilterError(f"Invalid field: {path(node.owner)}")
        variable = node.lambda_.identifier.name
        name: str | None = None
        conditions: list[Any] = []
        for part in flatten(node.lambda_.expression, ast.And):
            named = _attribute_name(part, variable)
            name, conditions = (named, conditions) if named else (name, [*conditions, part])
        if name is None or not conditions:
            raise FilterError("Invalid filter: an attribute needs its Name and a condition on its Value")
        found = np.zeros(len(rows), dtype=np.bool_)
        for at, values, type_ in self._table.attribute(name, rows):
            masks = [_value_mask(part, name, values, type_) for part in conditions]
            found[at] = np.all(masks, axis=0)
        return found


def _attribute_name(node: Any, variable: str) -> str | None:
    if (
        isinstance(node, ast.Compare)
        and isinstance(node.comparator, ast.Eq)
        and path(node.left) == f"{variable}/Name"
    ):
        return str(literal(node.right))
    return None


def _value_mask(node: Any, name: str, values: NDArray[Any], type_: str) -> Mask:
    match node:
        case ast.BoolOp():
            masks = [_value_mask(part, name, values, type_) for part in flatten(node, type(node.op))]
            join = np.all if isinstance(node.op, ast.And) else np.any
            return np.asarray(join(masks, axis=0))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ~_value_mask(operand, name, values, type_)
        case ast.Compare(comparator=ast.In(), right=ast.List(val=items)):
            return np.asarray(
                np.any([_value_is(ast.Eq, item, name, values, type_) for item in items], axis=0)
            )
        case ast.Compare() if path(node.left).endswith("/Value"):
            return _value_is(type(node.comparator), node.right, name, values, type_)
    raise FilterError("Invalid filter: a condition on an attribute compares its Value")


def _value_is(comparator: type, node: Any, name: str, values: NDArray[Any], type_: str) -> Mask:
    wanted = literal(node)
    if isinstance(wanted, str) and type_ in ("Integer", "Double"):
        wanted = _number(wanted)
    if isinstance(wanted, str) and comparator not in (ast.Eq, ast.NotEq):
        raise FilterError(f"Invalid filter: {name} is a text, which takes eq and ne")
    if name == "productType" and wanted in _ALIASES and comparator is ast.Eq:
        ends = _ALIASES[str(wanted)]
        return np.fromiter((text.endswith(ends) for text in values), dtype=np.bool_, count=len(values))
    if ("number" if isinstance(wanted, float) else kind(node)) != _KINDS[type_]:
        return np.full(len(values), comparator is ast.NotEq, dtype=np.bool_)
    return np.asarray(_OPERATORS[comparator](values, wanted), dtype=np.bool_)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _cost(node: Any) -> int:
    """Cheap conditions first: they leave fewer rows to the others."""
    match node:
        case ast.Compare(left=left):
            return 4 if isinstance(left, ast.Identifier) and left.name in ("Name", "Id", "S3Path") else 0
        case ast.CollectionLambda():
            return 1
        case ast.Call(func=ast.Identifier(name="Intersects")):
            return 2
    return 3
