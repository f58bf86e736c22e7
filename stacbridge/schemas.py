"""JSON Schemas of the properties of Items: what a filter or `sortby` may name."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

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
PUSHED = "stacbridge:pushed"
"""Whether the upstream itself is asked for conditions on a property."""
REMARKS = ("title", "description", PUSHED)
"""What a schema says that allows or forbids no value."""


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
    """Return one document, under the URL `id`, with the properties of all, each as `united` describes it.

    Where a document takes properties that it does not describe, their values are those of no closed set.
    """
    known = list(documents)
    vague = [document for document in known if document.get("additionalProperties", True)]
    names = dict.fromkeys(name for document in known for name in document["properties"])
    properties = {
        name: united(
            [document["properties"][name] for document in known if name in document["properties"]],
            closed=all(name in document["properties"] for document in vague),
        )
        for name in names
    }
    return {
        "$schema": DRAFT,
        "$id": id,
        "type": "object",
        **({"title": known[0]["title"]} if known else {}),
        "properties": properties,
        "additionalProperties": bool(vague),
    }


def united(schemas: Sequence[Json], *, closed: bool = True) -> Json:
    """Return one schema of a property that is described in several ways: what any of them allows is allowed.

    Closed sets of values become one, and none where one of those who describe it otherwise alike has none, or
    they are not `closed`. It is pushed if all push it.
    """
    if len(schemas) == 1 and closed:
        return schemas[0]
    kinds: list[Json] = []
    for schema in schemas:
        for kind in _kinds(schema):
            _add(kinds, kind if closed else _opened(kind))
    plain = [{name: value for name, value in kind.items() if name != PUSHED} for kind in kinds]
    pushed = [schema[PUSHED] for schema in schemas if PUSHED in schema]
    told = {PUSHED: all(pushed)} if pushed else {}
    return {**(plain[0] if len(plain) == 1 else {"anyOf": plain}), **told}


def distinct(values: Iterable[object]) -> list[object]:
    """Return values once each; lists are values, too."""
    return list({orjson.dumps(value): value for value in values}.values())


def intersected(documents: Iterable[Json], id: str) -> Json:
    """Return one document, under the URL `id`, with the properties that all have."""
    known = list(documents)
    shared = set.intersection(*(set(document["properties"]) for document in known)) if known else set()
    whole = merged(known, id)
    properties = {name: schema for name, schema in whole["properties"].items() if name in shared}
    return {**whole, "properties": properties}


def _kinds(schema: Json) -> list[Json]:
    """Return the schemas of which one says nothing but that any of them will do, else itself."""
    parts = schema.get("anyOf")
    plain = isinstance(parts, list) and all(isinstance(part, dict) for part in parts)
    return list(parts) if plain and parts and len(_rules(schema)) == 1 else [schema]


def _add(kinds: list[Json], schema: Json) -> None:
    """Add a schema to others, or put in the place of one of them what allows the values of both."""
    for number, known in enumerate(kinds):
        if (both := _joined(known, schema)) is not None:
            kinds[number] = both
            return
    kinds.append(schema)


def _joined(one: Json, other: Json) -> Json | None:
    """Return the schema that allows what two do, `None` where only `anyOf` says it."""
    left, right, listed = _rules(one), _rules(other), {}
    if "enum" in left and "enum" in right:
        listed = {"enum": distinct([*left.pop("enum"), *right.pop("enum")])}
    for wide, narrow in ((left, right), (right, left)):
        if all(_allows(name, rule, narrow.get(name)) for name, rule in wide.items()):
            return {**_remarks(other), **_remarks(one), **wide, **listed}
    return None


def _allows(name: str, rule: Any, other: Any) -> bool:
    return bool(rule == other) or (name, rule, other) == ("type", "number", "integer")


def _remarks(schema: Json) -> Json:
    return {name: schema[name] for name in REMARKS if name in schema}


def _rules(schema: Json) -> Json:
    """Return what a schema demands; `const` as `enum`, and a type also where it only lists values."""
    rules = {name: rule for name, rule in schema.items() if name not in (*REMARKS, "const", "enum")}
    listed = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(listed, list):  # an upstream's own schema may be anything
        return rules
    kind = _type_of_all(listed)
    return {**({} if kind is None else {"type": kind}), **rules, "enum": listed}


def _opened(schema: Json) -> Json:
    rules = _rules(schema)
    rules.pop("enum", None)
    return {**_remarks(schema), **rules}


def _type_of_all(values: list[Any]) -> str | None:
    types = {_type(value) for value in values}
    if types == {"integer", "number"}:
        return "number"
    return types.pop() if len(types) == 1 else None


def _document(title: str, properties: Json) -> Json:
    return {"type": "object", "title": title, "properties": properties, "additionalProperties": False}


def _schema(name: str, value: Any) -> Json | None:
    if name in TIMES:
        return {"type": "string", "format": "date-time"}
    return None if (word := _type(value)) is None else {"type": word}


def _type(value: Any) -> str | None:
    return next((word for kind, word in TYPES if isinstance(value, kind)), None)
