"""JSON Schemas of the properties of Items: what a filter or `sortby` may name."""

from collections.abc import Iterable
from typing import Any

from stacbridge.model import Json

DRAFT = "https://json-schema.org/draft/2020-12/schema"
GEOMETRY = "https://geojson.org/schema/Geometry.json"

TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)
TIMES = ("datetime", "start_datetime", "end_datetime", "created", "updated", "published", "expires")
SCALARS = ("string", "number", "integer")


def described(items: Iterable[Json]) -> Json:
    """Return the JSON Schema of each property in `items`; `integer` gives way to `number`."""
    properties: Json = {
        "id": {"title": "Item id", "type": "string"},
        "collection": {"title": "Collection id", "type": "string"},
        "geometry": {"title": "Footprint", "$ref": GEOMETRY},
        "datetime": {"title": "Time", "type": "string", "format": "date-time"},
    }
    for item in items:
        for name, value in item["properties"].items():
            schema = _schema(name, value)
            if schema and (name not in properties or properties[name].get("type") == "integer"):
                properties[name] = schema
    return properties


def queryables(properties: Json) -> Json:
    """Return the JSON Schema document of properties that a filter may name."""
    return _document("Queryables", properties)


def sortables(properties: Json) -> Json:
    """Return the JSON Schema document of the properties that have an order."""
    return _document(
        "Sortables", {name: schema for name, schema in properties.items() if schema.get("type") in SCALARS}
    )


def merged(documents: Iterable[Json], id: str) -> Json:
    """Return one document, under the URL `id`, with the properties of all; the first description wins."""
    whole: Json = {
        "$schema": DRAFT,
        "$id": id,
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }
    for document in documents:
        whole.setdefault("title", document["title"])
        whole["properties"] = {**document["properties"], **whole["properties"]}
        whole["additionalProperties"] |= document.get("additionalProperties", True)
    return whole


def intersected(documents: Iterable[Json], id: str) -> Json:
    """Return one document, under the URL `id`, with the properties that all have."""
    known = list(documents)
    shared = set.intersection(*(set(document["properties"]) for document in known)) if known else set()
    whole = merged(known, id)
    properties = {name: schema for name, schema in whole["properties"].items() if name in shared}
    return {**whole, "properties": properties}


def _document(title: str, properties: Json) -> Json:
    return {"type": "object", "title": title, "properties": properties, "additionalProperties": False}


def _schema(name: str, value: Any) -> Json | None:
    if name in TIMES:
        return {"type": "string", "format": "date-time"}
    return next(({"type": word} for kind, word in TYPES if isinstance(value, kind)), None)
