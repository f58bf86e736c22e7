"""The parameters of a search: the JSON of a POST body, or of a URL, becomes a checked `Query`."""

from dataclasses import dataclass
from typing import Any

import orjson

from stacbridge import geometry
from stacbridge.api import free_text, intervals, query_extension
from stacbridge.api.fields import Fields, fields
from stacbridge.api.querystring import CQL2_JSON
from stacbridge.cql import build
from stacbridge.cql import parse as cql
from stacbridge.errors import BadRequest
from stacbridge.model import Bbox, Interval, Json, Query, SortKey
from stacbridge.settings import Settings

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CQL2_TEXT = "cql2-text"

SCENES = ("once", "linked")


@dataclass(frozen=True, slots=True)
class Search:
    """A checked search: what is asked of the catalogues, which page, and what each Item shall hold.

    With `strict` it fails where a catalogue does not answer, instead of going on without it.
    """

    query: Query
    token: str | None = None
    fields: Fields | None = None
    strict: bool = False
    scenes: str | None = None

    def shown(self, item: Json) -> Json:
        """Return the Item with the members that were asked for."""
        return item if self.fields is None else self.fields.project(item)


def search(body: Json, settings: Settings) -> Search:
    """Return the checked search that `body` asks for. Raises `BadRequest` naming the parameter.

    Members that are `null` count as absent, but for `fields`; members that no extension knows are ignored.
    """
    _check_writable(body)
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
        filter=_conditions(given, settings),
        sortby=_sortby(given.get("sortby", [])),
        limit=min(limit, settings.max_limit),
        count=limit == 1 or _flag(given, "count"),
    )
    chosen = _fields(given["fields"]) if "fields" in given else None
    return Search(query, token, chosen, _flag(given, "strict"), scenes(given))


def scenes(given: Json) -> str | None:
    """Return how scenes that several catalogues hold are shown. Raises `BadRequest` naming `scenes`."""
    asked = given.get("scenes")
    if asked is not None and asked not in SCENES:
        raise BadRequest("scenes must be once or linked.", parameter="scenes")
    return asked


def _check_writable(body: Json) -> None:
    """Refuse what no cursor or link could repeat: deep nesting, huge integers."""
    try:
        orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise BadRequest(f"The search cannot be read: {error}.") from None


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
    return geometry.parse_bbox(_expect(value, list, "bbox", "a list of four or six numbers"))


def _intersects(given: Json, settings: Settings) -> Json | None:
    if "intersects" not in given:
        return None
    if "bbox" in given:
        raise BadRequest("bbox and intersects exclude each other.", parameter="intersects")
    value = _expect(given["intersects"], dict, "intersects", "a GeoJSON geometry")
    return geometry.check(value, settings.max_vertices, "intersects")


def _conditions(given: Json, settings: Settings) -> Json | None:
    """Return what `filter`, `query` and `q` ask for together."""
    asked = [_filter(given, settings), _query(given, settings), _free_text(given, settings)]
    return build.conjunction(condition for condition in asked if condition is not None)


def _query(given: Json, settings: Settings) -> Json | None:
    condition = query_extension.condition(given["query"]) if "query" in given else None
    return None if condition is None else cql.parse_json(condition, settings, "query")


def _free_text(given: Json, settings: Settings) -> Json | None:
    return free_text.condition(free_text.terms(given["q"], settings)) if "q" in given else None


def _filter(given: Json, settings: Settings) -> Json | None:
    value, language = given.get("filter"), given.get("filter-lang")
    if given.get("filter-crs", CRS84) != CRS84:
        raise BadRequest(f"filter-crs must be {CRS84}.", parameter="filter-crs")
    if language not in (None, CQL2_TEXT, *CQL2_JSON):
        raise BadRequest("filter-lang must be cql2-text or cql2-json.", parameter="filter-lang")
    if value is None:
        return None
    if isinstance(value, dict):
        parsed = cql.parse_json(value, settings)
    else:
        parsed = cql.parse_text(_expect(value, str, "filter", "CQL2 text or JSON"), settings)
    understood: Json = _understood(parsed)
    return understood


def _understood(expression: Any) -> Any:
    """Return a filter in words that the cql2 library (0.6.0) evaluates.

    `between` has three arguments: some clients still write the draft's x, [a, b]. `in` of functions such as
    CASEI, which the library takes for unknown, becomes comparisons.
    """
    if isinstance(expression, list):
        return [_understood(part) for part in expression]
    if not isinstance(expression, dict):
        return expression
    members = {name: _understood(part) for name, part in expression.items()}
    match members:
        case {"op": "between", "args": [value, [lower, upper]]}:
            return {**members, "args": [value, lower, upper]}
        case {"op": "in", "args": [value, [*choices]]} if any(map(_is_function, choices)):
            return build.disjunction({"op": "=", "args": [value, choice]} for choice in choices)
    return members


def _is_function(value: Any) -> bool:
    return isinstance(value, dict) and "op" in value


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
