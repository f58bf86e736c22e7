"""The syntax of CDSE's `$filter`: odata-query's tree, and the literals, paths and geometries in it."""

from datetime import UTC, datetime
from typing import Any

import shapely
from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from .orbits import SECOND

MAX_LENGTH = 60_000
MAX_PARENTHESES = 20_000


class FilterError(ValueError):
    """The filter cannot be evaluated; the message says why, in the service's words where they are known."""


def parse(text: str) -> Any:
    """Parse a filter into odata-query's syntax tree; raises FilterError."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"Invalid filter: longer than {MAX_LENGTH} characters")
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(text))
    except ODataException as error:
        raise FilterError(f"Invalid filter: {error}") from error
    if tree is None:
        raise FilterError("Invalid filter: nothing to evaluate")
    return tree


def literal(node: Any) -> Any:
    """The value of a literal: times as microseconds since 1970 (UTC when they name no zone)."""
    match node:
        case ast.DateTime(val=text) | ast.Date(val=text):
            return _microseconds(text)
        case ast.GUID(val=text):
            return str(text).lower()
        case ast.String() | ast.Integer() | ast.Float() | ast.Boolean():
            return node.py_val
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -literal(operand)
    raise FilterError(f"Invalid value: {type(node).__name__}")


def kind(node: Any) -> str:
    """What a literal is: `text`, `number`, `time` or `truth`."""
    if isinstance(node, ast.DateTime | ast.Date):
        return "time"
    if isinstance(node, ast.Boolean):
        return "truth"
    return "text" if isinstance(node, ast.String | ast.GUID) else "number"


def _microseconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FilterError(f"Invalid value: {text}") from error
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return int(moment.replace(microsecond=0).timestamp()) * SECOND + moment.microsecond


def path(node: Any) -> str:
    """A property path, its steps joined by slashes and without namespaces: `Attributes/StringAttribute`."""
    match node:
        case ast.Identifier(name=name):
            return str(name)
        case ast.Attribute(owner=owner, attr=name):
            return f"{path(owner)}/{name}"
    raise FilterError(f"Invalid field: {type(node).__name__}")


def flatten(node: Any, operator: type) -> list[Any]:
    """The parts of a chain of `and` or `or`, however long, in their order."""
    parts, waiting = [], [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, ast.BoolOp) and isinstance(current.op, operator):
            waiting += [current.right, current.left]
        else:
            parts.append(current)
    return parts


def geometry(arguments: list[Any]) -> shapely.Geometry:
    """The geometry that Intersects is asked about; raises FilterError if it is none or not valid."""
    named = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], ast.NamedParam) else None
    if (
        named is None
        or named.name.name not in ("area", "Footprint")
        or not isinstance(named.param, ast.Geography)
    ):
        raise FilterError("Invalid value: Intersects takes area=geography'SRID=4326;<WKT>'")
    prefix, _, wkt = named.param.val.partition(";")
    if prefix.upper() != "SRID=4326":
        raise FilterError(f"Invalid value: {prefix}")
    if wkt.count("(") > MAX_PARENTHESES:
        raise FilterError("Invalid value: geometry has too many parts")
    try:
        shape = shapely.from_wkt(wkt)
    except shapely.errors.ShapelyError as error:
        raise FilterError(f"Invalid value: {error}") from error
    if shape is None or shape.is_empty or not shape.is_valid:
        raise FilterError("Invalid value: geometry is not valid")
    shapely.prepare(shape)
    return shape
