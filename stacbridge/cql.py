"""Bounded parsing of CQL2 text and JSON."""

from typing import Any

import cql2
import orjson

from stacbridge.errors import BadRequest
from stacbridge.model import Json
from stacbridge.settings import Settings


def parse_text(text: str, settings: Settings) -> Json:
    """Return the CQL2 JSON of CQL2 text. Raises `BadRequest` naming `filter`."""
    if len(text.encode()) > settings.max_filter_bytes or text.count("(") > settings.max_filter_depth:
        raise BadRequest("The filter is too long or too deep.", parameter="filter")
    return _parsed(text)


def parse_json(value: Any, settings: Settings) -> Json:
    """Return the checked CQL2 JSON of an object or its text. Raises `BadRequest` naming `filter`."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if len(text.encode()) > settings.max_filter_bytes or text.count("{") > settings.max_filter_depth:
        raise BadRequest("The filter is too long or too deep.", parameter="filter")
    return _parsed(text)


def _parsed(text: str) -> Json:
    try:
        parsed: Json = cql2.Expr(text).to_json()
    except Exception as error:  # cql2 raises bare exceptions
        raise BadRequest(f"The filter is not CQL2: {error}.", parameter="filter") from None
    return parsed
