"""CQL2 JSON as CQL2 text, written by the grammar of the standard."""

import json
from typing import Any

from shapely.geometry import shape

Json = dict[str, Any]

INFIX = {
    "and": "AND",
    "or": "OR",
    "like": "LIKE",
    **{op: op for op in ("=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "^")},
    "div": "DIV",
}


def text(node: Any) -> str:
    """Return an expression as text."""
    if isinstance(node, str):
        return "'" + node.replace("'", "''") + "'"
    if isinstance(node, bool | int | float):
        return json.dumps(node)
    if isinstance(node, list):
        return f"({', '.join(map(text, node))})"
    if "property" in node:
        return f'"{node["property"]}"'
    if "op" in node:
        return _operation(node["op"], node["args"])
    return _literal(node)


def _operation(op: str, args: list[Any]) -> str:
    if op in INFIX:
        return "(" + f" {INFIX[op]} ".join(map(text, args)) + ")"
    if op == "not":
        return f"(NOT {text(args[0])})"
    if op == "isNull":
        return f"({text(args[0])} IS NULL)"
    if op == "between":
        value, lower, upper = map(text, args)
        return f"({value} BETWEEN {lower} AND {upper})"
    if op == "in":
        return f"({text(args[0])} IN {text(args[1])})"
    return f"{op.upper()}({', '.join(map(text, args))})"


def _literal(node: Json) -> str:
    for name in ("timestamp", "date"):
        if name in node:
            return f"{name.upper()}('{node[name]}')"
    if "interval" in node:
        ends = (f"'{end}'" if isinstance(end, str) else text(end) for end in node["interval"])
        return f"INTERVAL({', '.join(ends)})"
    if "bbox" in node:
        return f"BBOX({', '.join(map(json.dumps, node['bbox']))})"
    return str(shape(node).wkt)
