"""What a filter and `sortby` may name, as JSON Schema, made from the rows that push and read.

Each property that a filter may name has `"stacbridge:pushed"`: true where the upstream itself is asked for
conditions on it, which is fast; false where they are checked on each Item, which reads all that the rest of
the search leaves over.
"""

from collections.abc import Iterator

from stacbridge.mapping.families import Collection
from stacbridge.mapping.items import ISSUE
from stacbridge.mapping.rows import Row
from stacbridge.model import Json
from stacbridge.schemas import DRAFT, GEOMETRY, PUSHED, distinct, united


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
        "geometry": [{"title": "Footprint", "$ref": GEOMETRY, PUSHED: True}],
        ISSUE: [{"title": "What is wrong with the archive's footprint", "type": "string", PUSHED: False}],
    }
    for spec in collections:
        for name, schema in (*_of_rows(spec), *_of_constants({**shared, **spec.constants})):
            schemas = found.setdefault(name, [])
            if schema not in schemas:
                schemas.append(schema)
    return _schema("Queryables", {name: united(schemas) for name, schemas in found.items()})


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
        "$schema": DRAFT,
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
    known = distinct(value for value in read if isinstance(value, str | int | float | bool))
    return {**row.schema, "enum": known} if known else row.schema
