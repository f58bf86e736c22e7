"""CQL2 JSON as CQL2 text, in parentheses wherever there could be doubt: not every reader knows precedence."""

import re
from typing import Any

import shapely
from shapely.geometry import shape

from stacbridge.model import Json

_PLAIN = re.compile(r"[A-Za-z_:][\w:.]*", re.ASCII).fullmatch


def text(node: Any) -> str:
    """Return the text of an expression that `stac_filter` wrote."""
    if isinstance(node, dict) and "op" in node:
        return _operation(node["op"], node["args"])
    if isinstance(node, dict):
        return _object(node)
    if isinstance(node, bool):
        return str(node).upper()
    if isinstance(node, list):
        return f"({', '.join(map(text, node))})"
    return _quoted(node, "'") if isinstance(node, str) else repr(node)


def _operation(op: str, args: list[Any]) -> str:
    parts = [text(arg) for arg in args]
    if op in ("and", "or"):
        return f" {op.upper()} ".join(
            f"({part})" if isinstance(arg, dict) and arg.get("op") in ("and", "or") else part
            for arg, part in zip(args, parts, strict=True)
        )
    if op == "not":
        return f"NOT ({parts[0]})"
    if op == "isNull":
        return f"{parts[0]} IS NULL"
    if op == "like":
        return f"{parts[0]} LIKE {parts[1]}"
    if op[0].isalpha():
        return f"{op.upper()}({', '.join(parts)})"
    return f"{parts[0]} {op} {parts[1]}"


def _object(node: Json) -> str:
    if "property" in node:
        name = str(node["property"])
        return name if _PLAIN(name) else _quoted(name, '"')
    if "timestamp" in node:
        return f"TIMESTAMP('{node['timestamp']}')"
    if "bbox" in node:
        return f"BBOX({', '.join(map(repr, node['bbox']))})"
    return str(shapely.to_wkt(shape(node), rounding_precision=-1))


def _quoted(value: str, mark: str) -> str:
    return f"{mark}{value.replace(mark, mark + mark)}{mark}"
