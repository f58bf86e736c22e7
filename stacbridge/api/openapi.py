"""How the OpenAPI document describes requests. What they must hold is decided in `parameters`."""

from typing import Annotated, Any

import attr
from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict
from stac_fastapi.types.search import APIRequest

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
    "count": "true: tell the number of all matches (numberMatched), which can be slow upstream.",
}

Text = str | None


def described(name: str) -> Any:
    """Return the query parameter `name` with its description."""
    return Query(alias=name, description=DESCRIPTIONS[name])


@attr.s
class SearchUrl(APIRequest):
    """The parameters of GET /search."""

    collections: Annotated[Text, described("collections")] = attr.ib(default=None)
    ids: Annotated[Text, described("ids")] = attr.ib(default=None)
    bbox: Annotated[Text, described("bbox")] = attr.ib(default=None)
    intersects: Annotated[Text, described("intersects")] = attr.ib(default=None)
    datetime: Annotated[Text, described("datetime")] = attr.ib(default=None)
    limit: Annotated[Text, described("limit")] = attr.ib(default=None)
    filter: Annotated[Text, described("filter")] = attr.ib(default=None)
    filter_lang: Annotated[Text, described("filter-lang")] = attr.ib(default=None)
    filter_crs: Annotated[Text, described("filter-crs")] = attr.ib(default=None)
    sortby: Annotated[Text, described("sortby")] = attr.ib(default=None)
    fields: Annotated[Text, described("fields")] = attr.ib(default=None)
    token: Annotated[Text, described("token")] = attr.ib(default=None)
    count: Annotated[Text, described("count")] = attr.ib(default=None)
    strict: Annotated[Text, described("strict")] = attr.ib(default=None)


@attr.s
class ItemsUrl(APIRequest):
    """The parameters of GET /collections/{collection_id}/items."""

    collection_id: Annotated[str, Path(description="Id of a collection.")] = attr.ib()
    bbox: Annotated[Text, described("bbox")] = attr.ib(default=None)
    datetime: Annotated[Text, described("datetime")] = attr.ib(default=None)
    limit: Annotated[Text, described("limit")] = attr.ib(default=None)
    filter: Annotated[Text, described("filter")] = attr.ib(default=None)
    filter_lang: Annotated[Text, described("filter-lang")] = attr.ib(default=None)
    filter_crs: Annotated[Text, described("filter-crs")] = attr.ib(default=None)
    sortby: Annotated[Text, described("sortby")] = attr.ib(default=None)
    fields: Annotated[Text, described("fields")] = attr.ib(default=None)
    token: Annotated[Text, described("token")] = attr.ib(default=None)
    count: Annotated[Text, described("count")] = attr.ib(default=None)
    strict: Annotated[Text, described("strict")] = attr.ib(default=None)


class SearchBody(BaseModel):
    """The body of POST /search: members as in the URL, as JSON. Any JSON object is taken on to the checks."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "properties": {
                "collections": {"type": "array", "items": {"type": "string"}},
                "ids": {"type": "array", "items": {"type": "string"}},
                "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
                "intersects": {"type": "object", "description": DESCRIPTIONS["intersects"]},
                "datetime": {"type": "string", "description": DESCRIPTIONS["datetime"]},
                "limit": {"type": "integer", "minimum": 1},
                "filter": {"type": "object", "description": DESCRIPTIONS["filter"]},
                "filter-lang": {"type": "string", "enum": ["cql2-json", "cql2-text"]},
                "sortby": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "field": {"type": "string"},
                            "direction": {"type": "string", "enum": ["asc", "desc"]},
                        },
                        "required": ["field"],
                    },
                },
                "fields": {
                    "type": "object",
                    "properties": {
                        "include": {"type": "array", "items": {"type": "string"}},
                        "exclude": {"type": "array", "items": {"type": "string"}},
                    },
                },
                "token": {"type": "string"},
                "count": {"type": "boolean", "description": DESCRIPTIONS["count"]},
                "strict": {"type": "boolean", "description": DESCRIPTIONS["strict"]},
            }
        },
    )


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
