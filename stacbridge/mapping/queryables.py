"""What a filter and `sortby` may name, as JSON Schema, made from the rows that push and read.

Each property that a filter may name has `"stacbridge:pushed"`: true where the upstream itself is asked for
conditions on it, which is fast; false where they are checked on each Item, which reads all that the rest of
the search leaves over.
"""

from collections.abc import Iterable, Iterator

import orjson

from stacbridge.mapping.families import Collection
from stacbridge.mapping.rows import Row
from stacbridge.model import Json

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
PUSHED = "stacbridge:pushed"


def filterable(collections: list[Collection], shared: Json) -> Json:
    """Return the queryables of these collections: all properties that Items of any of them can have.

    `shared` are properties that Items of all collections have, with the same value.
    """
    found: dict[str, list[Json]] = {
        "id": [{"title": "Item id", "type": "string", PUSHED: True}],
        "collection": [
            {
                "title": "Collection id",
                "type": "string",
                "enum": [spec.id for spec in collections],
                PUSHED: True,
            }
        ],
        "geometry": [
            {"title": "Footprint", "$ref": "https://geojson.org/schema/Geometry.json", PUSHED: True}
        ],
    }
    for spec in collections:
        for name, schema in (*_of_rows(spec), *_of_constants({**shared, **spec.constants})):
            schemas = found.setdefault(name, [])
            if schema not in schemas:
                schemas.append(schema)
    return _schema("Queryables", {name: _merged(schemas) for name, schemas in found.items()})


def _of_rows(spec: Collection) -> Iterator[tuple[str, Json]]:
    for row in spec.rows.values():
        yield row.stac, {**_described(row), PUSHED: row.filterable}


def _of_constants(constants: Json) -> Iterator[tuple[str, Json]]:
    for name, value in constants.items():
        if isinstance(value, dict):
            yield name, {"type": "object", PUSHED: False}
        else:
            yield name, {**({"const": value} if isinstance(value, list) else {"enum": [value]}), PUSHED: True}


def sortable(collections: list[Collection]) -> Json:
    """Return the sortables of these collections: what the upstream can order all of them by."""
    rows = {row.stac: row for spec in collections for row in spec.rows.values() if row.sort}
    return _schema("Sortables", {name: row.schema for name, row in rows.items()})


def _schema(title: str, properties: Json) -> Json:
    return {
        "$schema": _DRAFT,
        "type": "object",
        "title": title,
        "properties": properties,
        "additionalProperties": False,
    }


def _described(row: Row) -> Json:
    """Return a row's schema with its closed set, where it has one."""
    if row.values is None or (len(row.paths) > 1 and row.members):
        return row.schema
    read = [row.read(*value) if isinstance(value, tuple) else row.read(value) for value in row.values]
    known = _distinct(value for value in read if isinstance(value, str | int | float | bool))
    return {**row.schema, "enum": known} if known else row.schema


def _merged(schemas: list[Json]) -> Json:
    """Return one schema for a property whose collections describe it differently: pushed if all push it."""
    if len(schemas) == 1:
        return schemas[0]
    pushed = all(schema[PUSHED] for schema in schemas)
    if all("enum" in schema for schema in schemas):
        values = _distinct(value for schema in schemas for value in schema["enum"])
        return {**schemas[0], "enum": values, PUSHED: pushed}
    plain: list[Json] = []
    for schema in schemas:
        bare = {name: value for name, value in schema.items() if name != PUSHED}
        plain += [bare] if bare not in plain else []
    return {**plain[0], PUSHED: pushed} if len(plain) == 1 else {"anyOf": plain, PUSHED: pushed}


def _distinct(values: Iterable[object]) -> list[object]:
    """Return values once each; lists are values, too."""
    return list({orjson.dumps(value): value for value in values}.values())
