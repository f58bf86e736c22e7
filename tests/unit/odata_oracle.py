"""Evaluates `$filter` text on products, over the syntax tree of the independent library odata-query.

Semantics are OData's: `any` over attributes is false where none is of that name, strings compare with case.
Products are the bridge's records: `Attributes` is a dict of name to value.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import shapely
from odata_query import ast
from odata_query.grammar import ODataLexer, ODataParser

from stacbridge.model import Json

_COMPARE: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: lambda left, right: left == right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
}
_CALLS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": str.__contains__,
}


def compiled(text: str) -> Callable[[Json, str], bool]:
    """Parse a `$filter` into what tells whether a product of a family satisfies it."""
    tree = ODataParser().parse(ODataLexer().tokenize(text))
    return lambda product, family: bool(_value(tree, {**product, "Collection": {"Name": family}}))


def _value(node: Any, product: Json) -> Any:
    if isinstance(node, ast.BoolOp):
        left, right = _value(node.left, product), _value(node.right, product)
        return left and right if isinstance(node.op, ast.And) else left or right
    if isinstance(node, ast.UnaryOp):
        return not _value(node.operand, product)
    if isinstance(node, ast.Compare):
        left, right = _value(node.left, product), _value(node.right, product)
        return left is not None and _COMPARE[type(node.comparator)](left, right)
    if isinstance(node, ast.CollectionLambda):
        return _any(node, product)
    if isinstance(node, ast.Call):
        return _call(node, product)
    if isinstance(node, ast.Identifier):
        return _moment(product.get(node.name))
    if isinstance(node, ast.Attribute):
        return _moment(_value(node.owner, product).get(node.attr))
    return _literal(node)


def _any(node: Any, product: Json) -> bool:
    name, value = node.lambda_.expression.left, node.lambda_.expression.right
    assert node.owner.attr == value.left.owner.attr, "outer and inner type differ"
    found = product["Attributes"].get(name.right.val)
    if found is None:
        return False
    kind = {"StringAttribute": str, "BooleanAttribute": bool}.get(node.owner.attr, object)
    if not isinstance(found, kind):
        return False
    return _COMPARE[type(value.comparator)](_moment(found), _literal(value.right))


def _call(node: Any, product: Json) -> bool:
    if node.func.name == "Intersects":
        area = shapely.from_wkt(node.args[0].param.val.removeprefix("SRID=4326;"))
        footprint = product["GeoFootprint"]
        return footprint is not None and area.intersects(
            shapely.from_geojson(str(footprint).replace("'", '"'))
        )
    text, part = (_value(arg, product) for arg in node.args)
    return bool(_CALLS[node.func.name](text, part))


def _literal(node: Any) -> Any:
    if isinstance(node, ast.DateTime):
        return datetime.fromisoformat(node.val)
    if isinstance(node, ast.Integer | ast.Float):
        return float(node.val)
    if isinstance(node, ast.Boolean):
        return node.val == "true"
    return node.val


def _moment(value: Any) -> Any:
    """Turn texts that are times into times; nothing else in these products looks like one."""
    if isinstance(value, str) and len(value) == 27 and value.endswith("Z"):
        return datetime.fromisoformat(value)
    return value
