"""The parameters of a search: a URL's text becomes a POST body's JSON, and both a checked `Query`."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from stacbridge import cql, geometry, intervals
from stacbridge.errors import BadRequest
from stacbridge.fields import Fields, fields
from stacbridge.model import Bbox, Interval, Json, Query, SortKey
from stacbridge.settings import Settings

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CQL2_TEXT = "cql2-text"
CQL2_JSON = ("cql2-json", "cql-json")
"""`cql-json` is what old clients (pystac-client 0.3 in QGIS's plugin) call JSON filters."""

REFUSED = {
    "query": "Say it as a CQL2 `filter`.",
    "q": "Items have no free-text search here; say it as a CQL2 `filter`.",
}
"""Parameters of extensions that are not served, and whose loss would change the answer."""


@dataclass(frozen=True, slots=True)
class Search:
    """A checked search: what is asked of the catalogues, which page, and what each Item shall hold."""

    query: Query
    token: str | None = None
    fields: Fields | None = None

    def shown(self, item: Json) -> Json:
        """Return the Item with the members that were asked for."""
        return item if self.fields is None else self.fields.project(item)


def from_url(pairs: Iterable[tuple[str, str]]) -> Json:
    """Return the JSON form of a URL's parameters; lists may be written `a,b` or by repeating the name.

    Unknown parameters are left out. Raises `BadRequest` naming the parameter.
    """
    texts: dict[str, str] = {}
    for name, text in pairs:
        if name in texts and name not in LISTS:
            raise BadRequest(f"{name} is given more than once.", parameter=name)
        texts[name] = f"{texts[name]},{text}" if name in texts else text
    return {name: FROM_TEXT[name](text) for name, text in texts.items() if name in FROM_TEXT}


def search(body: Json, settings: Settings) -> Search:
    """Return the checked search that `body` asks for. Raises `BadRequest` naming the parameter.

    Members that are `null` count as absent, but for `fields`; members that no extension knows are ignored.
    """
    for name, advice in REFUSED.items():
        if body.get(name):
            raise BadRequest(f"The parameter {name} is not served.", parameter=name, advice=advice)
    given = {name: value for name, value in body.items() if value is not None or name == "fields"}
    limit = _limit(given.get("limit", settings.default_limit))
    token = given.get("token")
    if token is not None and not isinstance(token, str):
        raise BadRequest("token must be a string.", parameter="token")
    query = Query(
        collections=_names(given, "collections"),
        ids=_ids(given, settings),
        bbox=_bbox(given["bbox"]) if "bbox" in given else None,
        intersects=_intersects(given, settings),
        interval=_interval(given),
        filter=_filter(given, settings),
        sortby=_sortby(given.get("sortby", [])),
        limit=min(limit, settings.max_limit),
        count=limit == 1 or _flag(given, "count"),
    )
    return Search(query, token, _fields(given["fields"]) if "fields" in given else None)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise _bad_bbox(f"{text[:80]!r} is not four or six numbers with commas between") from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f"limit must be a whole number, not {text[:20]!r}.", parameter="limit") from None


def _object(text: str) -> Json | None:
    if not text:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"intersects is not JSON: {error}.", parameter="intersects") from None
    checked: Json = _expect(value, dict, "intersects", "a GeoJSON geometry")
    return checked


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


FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "collections": _split,
    "ids": _split,
    "bbox": lambda text: _numbers(text) if text else None,
    "intersects": _object,
    "datetime": str,
    "limit": lambda text: _whole(text) if text else None,
    "filter": lambda text: text or None,
    "filter-lang": lambda text: text or None,
    "filter-crs": lambda text: text or None,
    "sortby": _sort_keys,
    "fields": _field_names,
    "token": lambda text: text or None,
    "count": lambda text: text.lower() in ("", "true", "1"),
    "query": str,
    "q": str,
}
"""Every parameter that a URL may have, and how its text becomes JSON."""

LISTS = ("collections", "ids", "sortby", "fields")


def _expect(value: Any, kind: type, parameter: str, what: str) -> Any:
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise BadRequest(f"{parameter} must be {what}.", parameter=parameter)
    return value


def _names(given: Json, parameter: str) -> tuple[str, ...]:
    """Return distinct ids; a lone string is taken as one, as stac-api-validator's sort test sends it."""
    value = given.get(parameter, [])
    names = [value] if isinstance(value, str) else _expect(value, list, parameter, "a list of ids")
    return tuple(dict.fromkeys(_expect(name, str, parameter, "a list of ids") for name in names))


def _ids(given: Json, settings: Settings) -> tuple[str, ...]:
    ids = _names(given, "ids")
    if len(ids) > settings.max_ids:
        raise BadRequest(f"More than {settings.max_ids} ids (max_ids) are asked for.", parameter="ids")
    return ids


def _limit(value: Any) -> int:
    limit: int = _expect(value, int, "limit", "a whole number")
    if limit < 1:
        raise BadRequest(f"limit must be 1 or more, not {limit}.", parameter="limit")
    return limit


def _flag(given: Json, parameter: str) -> bool:
    return bool(_expect(given.get(parameter, False), bool, parameter, "true or false"))


def _interval(given: Json) -> Interval | None:
    if "datetime" not in given:
        return None
    return intervals.parse(_expect(given["datetime"], str, "datetime", "a string"))


def _bbox(value: Any) -> Bbox:
    numbers = _expect(value, list, "bbox", "a list of four or six numbers")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise _bad_bbox("it must be a list of numbers")
    if len(numbers) not in (4, 6):
        raise _bad_bbox(f"it has {len(numbers)} numbers, not four or six")
    west, south, east, north = numbers if len(numbers) == 4 else (*numbers[0:2], *numbers[3:5])
    if south > north:
        raise _bad_bbox("its southern edge is north of its northern one")
    if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
        raise _bad_bbox("longitudes go from -180 to 180 and latitudes from -90 to 90 degrees")
    return (west, south, east, north)


def _bad_bbox(reason: str) -> BadRequest:
    return BadRequest(f"bbox is off: {reason}.", parameter="bbox", advice="Write west,south,east,north.")


def _intersects(given: Json, settings: Settings) -> Json | None:
    if "intersects" not in given:
        return None
    if "bbox" in given:
        raise BadRequest("bbox and intersects exclude each other.", parameter="intersects")
    value = _expect(given["intersects"], dict, "intersects", "a GeoJSON geometry")
    return geometry.checked(value, settings, "intersects")


def _filter(given: Json, settings: Settings) -> Json | None:
    value, language = given.get("filter"), given.get("filter-lang")
    if given.get("filter-crs", CRS84) != CRS84:
        raise BadRequest(f"filter-crs must be {CRS84}.", parameter="filter-crs")
    if language not in (None, CQL2_TEXT, *CQL2_JSON):
        raise BadRequest("filter-lang must be cql2-text or cql2-json.", parameter="filter-lang")
    if value is None:
        return None
    if isinstance(value, dict):
        return cql.parse_json(value, settings)
    text: str = _expect(value, str, "filter", "CQL2 text or JSON")
    return cql.parse_json(text, settings) if language in CQL2_JSON else cql.parse_text(text, settings)


def _sortby(value: Any) -> tuple[SortKey, ...]:
    return tuple(_sort_key(key) for key in _expect(value, list, "sortby", "a list of {field, direction}"))


def _sort_key(key: Any) -> SortKey:
    _expect(key, dict, "sortby", "a list of {field, direction}")
    name = _expect(key.get("field"), str, "sortby", "a list of {field, direction}")
    direction = key.get("direction", "asc")
    if direction not in ("asc", "desc"):
        raise BadRequest("The direction of sortby must be asc or desc.", parameter="sortby")
    return SortKey(name.removeprefix("properties."), descending=direction == "desc")


def _fields(value: Any) -> Fields:
    given = _expect(value, dict, "fields", "an object with include and exclude")
    lists = {}
    for name in ("include", "exclude"):
        members = _expect(given.get(name) or [], list, "fields", "an object of lists")
        lists[name] = [_expect(member, str, "fields", "an object of lists of names") for member in members]
    return fields(lists["include"], lists["exclude"], include_given="include" in given)
