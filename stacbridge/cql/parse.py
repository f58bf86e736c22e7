"""CQL2 filters, text and JSON: bounded before native code sees them, then parsed by the cql2 library into
CQL2 JSON.

The parser's recursion crashes the process on deep nesting (cql2 0.6.0: parentheses, chained comparisons,
signs), so length and nesting are checked here first. `conditions` turns the JSON into what catalogues push.
"""

import re
from collections.abc import Iterator
from typing import Any

import cql2
import orjson

from stacbridge import geometry
from stacbridge.cql import operators
from stacbridge.errors import BadRequest
from stacbridge.model import Json
from stacbridge.settings import Settings

_TOKEN = re.compile(
    r"""'[^']*'|"[^"]*"|[(),]|[-+*/^%<>=]|\b(?:and|or|not|div|like|in|is|between)\b""", re.IGNORECASE
)
_RESET = {"and", "or", ","}


def parse_text(text: str, settings: Settings, parameter: str = "filter") -> Json:
    """Parse CQL2 text into CQL2 JSON. Raises `BadRequest` naming the parameter."""
    _check_length(len(text.encode()), settings, parameter)
    if _nesting(text) > settings.max_filter_depth:
        raise _too_deep(settings, parameter)
    return _parsed(text, settings, parameter)


def parse_json(value: Any, settings: Settings, parameter: str = "filter") -> Json:
    """Check CQL2 JSON and return it. Raises `BadRequest` naming the parameter."""
    if not isinstance(value, dict):
        raise BadRequest(f"`{parameter}` must be a CQL2 JSON object.", parameter=parameter)
    if _depth(value, settings.max_filter_depth) > settings.max_filter_depth:
        raise _too_deep(settings, parameter)
    try:
        size = len(orjson.dumps(value))
    except (TypeError, orjson.JSONEncodeError) as error:
        raise BadRequest(f"`{parameter}` is not JSON: {error}.", parameter=parameter) from error
    _check_length(size, settings, parameter)
    return _parsed(value, settings, parameter)


def _parsed(expression: Any, settings: Settings, parameter: str) -> Json:
    try:
        parsed: Any = cql2.Expr(expression).to_json()
    except Exception as error:  # cql2 raises bare exceptions
        reason = " ".join(str(error).split())[:200]
        raise BadRequest(f"`{parameter}` is not CQL2: {reason}", parameter=parameter) from error
    if not isinstance(parsed, dict):
        raise BadRequest(f"`{parameter}` is not a condition.", parameter=parameter)
    if operators.HELD_LIKE in operators.used(parsed):
        raise BadRequest(f"`{parameter}`: {operators.HELD_LIKE!r} is no operator.", parameter=parameter)
    _check_geometries(parsed, settings, parameter)
    return parsed


def _check_geometries(node: Any, settings: Settings, parameter: str) -> None:
    """Check the geometries that a filter names, as `intersects` is checked."""
    if isinstance(node, dict) and "bbox" in node:
        geometry.parse_bbox(node["bbox"], parameter)
    elif isinstance(node, dict) and ("coordinates" in node or "geometries" in node):
        geometry.check(node, settings.max_vertices, parameter)
    elif isinstance(node, dict):
        for arg in node.get("args") or ():
            _check_geometries(arg, settings, parameter)


def _check_length(length: int, settings: Settings, parameter: str) -> None:
    if length > settings.max_filter_bytes:
        raise BadRequest(
            f"`{parameter}` is longer than {settings.max_filter_bytes} bytes.",
            parameter=parameter,
            advice="Shorten it, or have the setting `max_filter_bytes` raised.",
        )


def _too_deep(settings: Settings, parameter: str) -> BadRequest:
    return BadRequest(
        f"`{parameter}` is nested deeper than {settings.max_filter_depth} levels.",
        parameter=parameter,
        advice="Flatten it, or have the setting `max_filter_depth` raised.",
    )


def _nesting(text: str) -> int:
    """Return at least how deep a text is nested: open parentheses, and operators since the last and, or,
    comma."""
    pending, total, deepest = [0], 0, 0
    for token in _tokens(text):
        if token == "(":
            pending.append(0)
        elif token == ")":
            total -= pending.pop() if len(pending) > 1 else 0
        elif token in _RESET:
            total -= pending[-1]
            pending[-1] = 0
        else:
            total += 1
            pending[-1] += 1
        deepest = max(deepest, total + len(pending) - 1)
    return deepest


def _tokens(text: str) -> Iterator[str]:
    return (token for found in _TOKEN.finditer(text) if (token := found[0].lower())[0] not in "'\"")


def _depth(value: Any, limit: int) -> int:
    """Return how deep JSON is nested, walking level by level, and no further than the limit."""
    level, depth = [value], 0
    while level and depth <= limit:
        depth += 1
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return depth
