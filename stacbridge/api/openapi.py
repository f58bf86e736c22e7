"""How the OpenAPI document describes requests. What they must hold is decided in `parameters`."""

from typing import Annotated, Any

import attr
from fastapi import Path, Query
from stac_fastapi.types.search import APIRequest

from stacbridge.model import Json

DESCRIPTIONS = {
    "collections": "Ids of collections, with commas between.",
    "ids": "Ids of items, with commas between.",
    "bbox": "west,south,east,north in degrees; west > east crosses the antimeridian.",
    "intersects": "A GeoJSON geometry; not together with bbox.",
    "datetime": "An instant or an interval (a/b, a/.., ../b) in RFC 3339 with time zones.",
    "limit": "Items on a page at most.",
    "filter": "A CQL2 filter over the queryables.",
    "filter-lang": "cql2-text (the default in a URL) or cql2-json (the default in a body).",
    "filter-crs": "Only http://www.opengis.net/def/crs/OGC/1.3/CRS84.",
    "sortby": "Sortables with commas between; `-` before a name sorts descending.",
    "fields": "Members of the items to hold, with commas between; `-` before a name leaves it out.",
    "token": "Where a next link goes on.",
    "strict": "true: fail where a catalogue does not answer, instead of telling federation:missing.",
    "query": "Conditions on properties, as JSON: {property: {operator: value}}; the older way of filter.",
    "q": "Texts with commas between: one of them is in id, title, description, platform, instruments …",
    "scenes": "once: scenes that several catalogues hold come once, online copies first. linked: copies are "
    "linked.",
    "aggregations": "Names of aggregations, with commas between; /aggregations lists them.",
    "datetime_frequency_interval": "Length of the buckets of datetime_frequency: hour, day, week, month or "
    "year; without it, it follows from the time that the items cover.",
    "count": "true: tell the number of all matches (numberMatched), which can be slow upstream.",
}

Text = str | None


def described(name: str) -> Any:
    """Return the query parameter `name` with its description."""
    return Query(alias=name, description=DESCRIPTIONS[name])


@attr.s
class PageUrl(APIRequest):
    """The parameters of pages of Items."""

    bbox: Annotated[Text, described("bbox")] = attr.ib(default=None)
    datetime: Annotated[Text, described("datetime")] = attr.ib(default=None)
    limit: Annotated[Text, described("limit")] = attr.ib(default=None)
    filter: Annotated[Text, described("filter")] = attr.ib(default=None)
    filter_lang: Annotated[Text, described("filter-lang")] = attr.ib(default=None)
    filter_crs: Annotated[Text, described("filter-crs")] = attr.ib(default=None)
    query: Annotated[Text, described("query")] = attr.ib(default=None)
    q: Annotated[Text, described("q")] = attr.ib(default=None)
    sortby: Annotated[Text, described("sortby")] = attr.ib(default=None)
    scenes: Annotated[Text, described("scenes")] = attr.ib(default=None)
    fields: Annotated[Text, described("fields")] = attr.ib(default=None)
    token: Annotated[Text, described("token")] = attr.ib(default=None)
    count: Annotated[Text, described("count")] = attr.ib(default=None)
    strict: Annotated[Text, described("strict")] = attr.ib(default=None)


@attr.s
class SearchUrl(PageUrl):
    """The parameters of GET /search."""

    collections: Annotated[Text, described("collections")] = attr.ib(default=None)
    ids: Annotated[Text, described("ids")] = attr.ib(default=None)
    intersects: Annotated[Text, described("intersects")] = attr.ib(default=None)


@attr.s
class ItemsUrl(PageUrl):
    """The parameters of GET /collections/{collection_id}/items."""

    collection_id: Annotated[str, Path(description="Id of a collection.")] = attr.ib(kw_only=True)


@attr.s
class ItemUrl(APIRequest):
    """The parameters of GET /collections/{collection_id}/items/{item_id}."""

    collection_id: Annotated[str, Path(description="Id of a collection.")] = attr.ib()
    item_id: Annotated[str, Path(description="Id of an item.")] = attr.ib()
    scenes: Annotated[Text, described("scenes")] = attr.ib(default=None)


@attr.s
class CollectionsUrl(APIRequest):
    """The parameters of GET /collections."""

    bbox: Annotated[Text, described("bbox")] = attr.ib(default=None)
    datetime: Annotated[Text, described("datetime")] = attr.ib(default=None)
    limit: Annotated[Text, Query(description="Collections on a page at most.")] = attr.ib(default=None)
    filter: Annotated[Text, described("filter")] = attr.ib(default=None)
    filter_lang: Annotated[Text, described("filter-lang")] = attr.ib(default=None)
    filter_crs: Annotated[Text, described("filter-crs")] = attr.ib(default=None)
    query: Annotated[Text, described("query")] = attr.ib(default=None)
    q: Annotated[Text, described("q")] = attr.ib(default=None)
    sortby: Annotated[Text, described("sortby")] = attr.ib(default=None)
    token: Annotated[Text, described("token")] = attr.ib(default=None)


TEXTS: Json = {"type": "array", "items": {"type": "string"}}
NARROWING: Json = {
    "collections": TEXTS,
    "ids": TEXTS,
    "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
    "intersects": {"type": "object", "description": DESCRIPTIONS["intersects"]},
    "datetime": {"type": "string", "description": DESCRIPTIONS["datetime"]},
    "filter": {"type": "object", "description": DESCRIPTIONS["filter"]},
    "filter-lang": {"type": "string", "enum": ["cql2-json", "cql2-text"]},
    "query": {"type": "object", "description": DESCRIPTIONS["query"]},
    "q": {**TEXTS, "description": DESCRIPTIONS["q"]},
}
"""Members of a body that say which Items are meant."""

SORT_KEY: Json = {
    "type": "object",
    "properties": {
        "field": {"type": "string"},
        "direction": {"type": "string", "enum": ["asc", "desc"]},
    },
    "required": ["field"],
}


def _body(properties: Json) -> Json:
    """Return a request body, a JSON object that may have these members."""
    schema = {"type": "object", "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


SEARCH_BODY = _body(
    {
        **NARROWING,
        "limit": {"type": "integer", "minimum": 1},
        "sortby": {"type": "array", "items": SORT_KEY},
        "fields": {"type": "object", "properties": {"include": TEXTS, "exclude": TEXTS}},
        "scenes": {
            "type": "string",
            "enum": ["once", "linked"],
            "description": DESCRIPTIONS["scenes"],
        },
        "token": {"type": "string"},
        "count": {"type": "boolean", "description": DESCRIPTIONS["count"]},
        "strict": {"type": "boolean", "description": DESCRIPTIONS["strict"]},
    }
)
"""The body of POST /search."""

AGGREGATE_URL: list[Json] = [
    {"name": name, "in": "query", "description": DESCRIPTIONS[name], "schema": {"type": "string"}}
    for name in (*NARROWING, "aggregations", "datetime_frequency_interval")
]
"""The parameters of GET /aggregate."""

AGGREGATE_BODY = _body(
    {
        **NARROWING,
        "aggregations": {**TEXTS, "description": DESCRIPTIONS["aggregations"]},
        "datetime_frequency_interval": {
            "type": "string",
            "description": DESCRIPTIONS["datetime_frequency_interval"],
        },
    }
)
"""The body of POST /aggregate."""

BUCKET: Json = {
    "type": "object",
    "required": ["key", "data_type", "frequency"],
    "properties": {
        "key": {"type": "string"},
        "data_type": {"type": "string"},
        "frequency": {"type": "integer", "minimum": 0},
        "from": {"type": "number", "description": "Where a range starts; absent: open."},
        "to": {"type": "number", "description": "Where a range ends, itself excluded; absent: open."},
    },
}
AGGREGATION: Json = {
    "type": "object",
    "required": ["name", "data_type"],
    "properties": {
        "name": {"type": "string"},
        "data_type": {"type": "string"},
        "value": {"description": "The number or time of an aggregation without buckets."},
        "buckets": {"type": "array", "items": BUCKET},
        "overflow": {"type": "integer", "description": "Items that are in none of the buckets."},
    },
}
AGGREGATION_COLLECTION: Json = {
    "type": "object",
    "required": ["type", "aggregations", "links"],
    "properties": {
        "type": {"type": "string", "enum": ["AggregationCollection"]},
        "aggregations": {"type": "array", "items": AGGREGATION},
        "links": {"type": "array", "items": {"type": "object"}},
    },
}
"""What /aggregate and /aggregations answer."""


FAILURE = {
    "type": "object",
    "required": ["code", "description"],
    "properties": {
        "code": {"type": "string", "description": "The failure's name, stable for programs."},
        "description": {"type": "string", "description": "What went wrong, for a person."},
        "upstream": {"type": "string", "description": "Who failed."},
        "asked": {"type": "string", "description": "What was asked of it."},
        "answered": {"type": "string", "description": "What it said."},
        "advice": {"type": "string", "description": "What to do."},
        "parameter": {"type": "string", "description": "Which parameter of the request is off."},
        "retry_after": {"type": "integer", "description": "Seconds after which to ask again."},
        "request_id": {"type": "string", "description": "What the bridge's log calls the request."},
    },
}
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": {"application/json": {"schema": FAILURE}}}
    for status, meaning in (
        ("4XX", "The request cannot be answered."),
        ("5XX", "An upstream or the bridge failed."),
    )
}
"""How every route describes its errors: `errors.StacbridgeError.body`."""
