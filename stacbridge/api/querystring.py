"""The query string of a search: text becomes the JSON that a POST body would hold."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from stacbridge.errors import BadRequest
from stacbridge.model import Json

CQL2_JSON = ("cql2-json", "cql-json")
"""`cql-json` is what old clients (pystac-client 0.3 in QGIS's plugin) call JSON filters."""


FLAGS = {"": True, "true": True, "false": False}
LISTS = ("collections", "ids", "sortby", "fields", "q", "aggregations")


def from_url(pairs: Iterable[tuple[str, str]]) -> Json:
    """Return the JSON form of a URL's parameters; lists may be written `a,b` or by repeating the name.

    Unknown parameters are left out. Raises `BadRequest` naming the parameter.
    """
    texts: dict[str, str] = {}
    for name, text in pairs:
        if name in texts and name not in LISTS:
            raise BadRequest(f"{name} is given more than once.", parameter=name)
        texts[name] = f"{texts[name]},{text}" if name in texts else text
    body = {name: PARAMETERS[name](text) for name, text in texts.items() if name in PARAMETERS}
    if body.get("filter") and body.get("filter-lang") in CQL2_JSON:
        body["filter"] = _json(body["filter"], "filter")
    return body


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadRequest("bbox must be four or six numbers with commas between.", parameter="bbox") from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f"limit must be a whole number, not {text[:20]!r}.", parameter="limit") from None


def _json(text: str, parameter: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{parameter} is not JSON: {error}.", parameter=parameter) from None


def _sort_keys(text: str) -> list[Json]:
    """Read `name`, `+name` (whose `+` may have become a space on its way) and `-name`."""
    return [
        {"field": name.lstrip("+-").strip(), "direction": "desc" if name.startswith("-") else "asc"}
        for name in _split(text)
    ]


def _field_names(text: str) -> Json:
    names = _split(text)
    include = [name.lstrip("+").strip() for name in names if not name.startswith("-")]
    exclude = [name[1:] for name in names if name.startswith("-")]
    return {"include": include, "exclude": exclude} if include else {"exclude": exclude}


PARAMETERS: dict[str, Callable[[str], Any]] = {
    "collections": _split,
    "ids": _split,
    "bbox": lambda text: _numbers(text) if text else None,
    "intersects": lambda text: _json(text, "intersects") if text else None,
    "datetime": str,
    "limit": lambda text: _whole(text) if text else None,
    "filter": lambda text: text or None,
    "filter-lang": lambda text: text or None,
    "filter-crs": lambda text: text or None,
    "sortby": _sort_keys,
    "fields": _field_names,
    "token": lambda text: text or None,
    "strict": lambda text: FLAGS.get(text.lower(), text),
    "count": lambda text: FLAGS.get(text.lower(), text),
    "query": lambda text: _json(text, "query") if text else None,
    "q": _split,
    "scenes": lambda text: text or None,
    "aggregations": _split,
    "datetime_frequency_interval": lambda text: text or None,
}
"""Every parameter that a URL may have, and how its text becomes JSON."""
