"""The Query extension: its conditions on single properties become CQL2.

`{"eo:cloud_cover": {"gte": 0, "lt": 10}}`: operators of a property, and properties, must all hold.
Source: https://github.com/stac-api-extensions/query (v1.0.0).
"""

from collections.abc import Callable
from typing import Any

from stacbridge import scalars
from stacbridge.cql import build
from stacbridge.errors import BadRequest
from stacbridge.model import Json
from stacbridge.schemas import TIMES

Make = Callable[[str, Any], Json]


def condition(query: Any) -> Json | None:
    """Return the CQL2 JSON that `query` means; `None` where it holds no condition.

    Raises `BadRequest` naming property and operator.
    """
    if not isinstance(query, dict):
        raise _refused("query must be an object of properties, each with an object of operators.")
    return build.conjunction(
        _one(name, operator, value)
        for name, operators in query.items()
        for operator, value in _operators(name, operators).items()
    )


def _operators(name: str, operators: Any) -> Json:
    if not isinstance(operators, dict) or not operators:
        raise _refused(f"query: {name!r} needs an object of operators, such as {{'eq': 1}}.")
    return operators


def _one(name: str, operator: str, value: Any) -> Json:
    if operator not in OPERATORS:
        known = ", ".join(OPERATORS)
        raise _refused(f"query: {name!r} has the operator {operator!r}; there are {known}.")
    takes, kind, make = OPERATORS[operator]
    if not takes(value):
        raise _refused(f"query: {name!r} {operator} needs {kind}.")
    return make(name.removeprefix("properties."), value)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_scalar_or_null(value: Any) -> bool:
    return value is None or _is_scalar(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(_is_scalar(member) for member in value)


def _compared(operator: str) -> Make:
    return lambda name, value: build.compared(name, operator, _ordered(_literal(name, value)))


def _equal(name: str, value: Any) -> Json:
    return build.missing(name) if value is None else build.compared(name, "=", _literal(name, value))


def _not_equal(name: str, value: Any) -> Json:
    return build.negated(_equal(name, value))


def _like(before: str, after: str) -> Make:
    return lambda name, text: build.like(name, f"{before}{build.escaped(text)}{after}")


def _among(name: str, values: list[Any]) -> Json:
    return build.among(name, [_literal(name, value) for value in values])


def _literal(name: str, value: Any) -> Any:
    """Return a CQL2 literal: a time where the property is one, since it may be written in several ways."""
    is_time = name in TIMES and isinstance(value, str) and scalars.time(value) is not None
    return {"timestamp": scalars.time(value)} if is_time else value


def _ordered(literal: Any) -> Any:
    """Return what has an order: a text that holds a number is one, as pystac-client (0.9.1) sends `x<3`."""
    number = scalars.double(literal) if isinstance(literal, str) else None
    return literal if number is None else number


def _refused(description: str) -> BadRequest:
    return BadRequest(description, parameter="query")


Takes = Callable[[Any], bool]

OPERATORS: dict[str, tuple[Takes, str, Make]] = {
    "eq": (_is_scalar_or_null, "a text, a number, true, false or null", _equal),
    "neq": (_is_scalar_or_null, "a text, a number, true, false or null", _not_equal),
    "lt": (_is_scalar, "a text or a number", _compared("<")),
    "lte": (_is_scalar, "a text or a number", _compared("<=")),
    "gt": (_is_scalar, "a text or a number", _compared(">")),
    "gte": (_is_scalar, "a text or a number", _compared(">=")),
    "startsWith": (_is_text, "a text", _like("", "%")),
    "endsWith": (_is_text, "a text", _like("%", "")),
    "contains": (_is_text, "a text", _like("%", "%")),
    "in": (_is_list, "a list of texts or numbers", _among),
}
"""Operator -> which values it takes, in code and in words, and the CQL2 that it becomes."""
