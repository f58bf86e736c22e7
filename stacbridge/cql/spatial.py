"""CQL2's spatial functions, decided by GEOS on the geometries of an Item and of the filter.

The cql2 library (0.6.0) errs where a collection has parts of several dimensions, as the box has that ends at
the antimeridian: it takes what touches the line for what is within.
"""

from collections.abc import Callable, Mapping
from typing import Any

import shapely
from shapely.errors import GEOSException
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from stacbridge import geometry
from stacbridge.cql.operators import SPATIAL
from stacbridge.model import Json

Values = Mapping[str, Any]
Side = Callable[[Values], BaseGeometry | None]
RELATIONS: dict[str, Callable[[BaseGeometry, BaseGeometry], Any]] = {
    f"s_{name}": getattr(shapely, name) for name in SPATIAL
}


def decider(node: Json) -> Callable[[Values], bool] | None:
    """Return what decides a spatial function, or its negation, by the values of its properties.

    `None` for what is no such function of properties and geometries. What is missing, or cannot be read as a
    geometry, makes it unknown: false.
    """
    negated = str(node["op"]).lower() == "not"
    test = node["args"][0] if negated else node
    relation = RELATIONS.get(str(test["op"]).lower()) if isinstance(test, dict) and "op" in test else None
    sides = [_side(arg) for arg in test["args"]] if relation else []
    one, other = sides if len(sides) == 2 else (None, None)
    if relation is None or one is None or other is None:
        return None
    related = relation

    def decide(values: Values) -> bool:
        left, right = one(values), other(values)
        try:
            return left is not None and right is not None and bool(related(left, right)) != negated
        except GEOSException:
            return False

    return decide


def _side(arg: Any) -> Side | None:
    if not isinstance(arg, dict):
        return None
    if isinstance(arg.get("property"), str):
        name = arg["property"].removeprefix("properties.")
        return lambda values: _read(values.get(name))
    if "bbox" in arg:
        arg = geometry.box(geometry.parse_bbox(arg["bbox"], "filter"))
    found = _read(arg)
    return None if found is None else lambda values: found


def _read(value: Any) -> BaseGeometry | None:
    try:
        return shape(value) if isinstance(value, dict) else None
    except (GEOSException, ValueError, KeyError, TypeError, AttributeError):
        return None
