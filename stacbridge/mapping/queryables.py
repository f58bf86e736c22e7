"""What a filter and `sortby` may name, as JSON Schema, made from the rows that push and read."""

from collections.abc import Iterable

from stacbridge.mapping.families import Collection
from stacbridge.mapping.rows import Row
from stacbridge.model import Json

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def filterable(collections: list[Collection]) -> Json:
    """Return the queryables of these collections: what any of them can filter exactly."""
    found: dict[str, list[Json]] = {
        "id": [{"title": "Item id", "type": "string"}],
        "collection": [
            {"title": "Collection id", "type": "string", "enum": [spec.id for spec in collections]}
        ],
        "geometry": [{"title": "Footprint", "$ref": "https://geojson.org/schema/Geometry.json"}],
    }
    for spec in collections:
        for row in spec.rows.values():
            if row.filterable:
                _add(found, row.stac, _described(row))
        for name, value in spec.constants.items():
            if isinstance(value, str | int | float):
                _add(found, name, {"enum": [value]})
    return _schema("Queryables", {name: _merged(schemas) for name, schemas in found.items()})


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


def _add(found: dict[str, list[Json]], name: str, schema: Json) -> None:
    schemas = found.setdefault(name, [])
    if schema not in schemas:
        schemas.append(schema)


def _described(row: Row) -> Json:
    """Return a row's schema with its closed set, where it has one."""
    if row.values is None or (len(row.paths) > 1 and row.members):
        return row.schema
    read = [row.read(*value) if isinstance(value, tuple) else row.read(value) for value in row.values]
    known = _distinct(value for value in read if isinstance(value, str | int | float | bool))
    return {**row.schema, "enum": known} if known else row.schema


def _merged(schemas: list[Json]) -> Json:
    """Return one schema for a property whose collections describe it differently."""
    if len(schemas) == 1:
        return schemas[0]
    if all("enum" in schema for schema in schemas):
        return {**schemas[0], "enum": _distinct(value for schema in schemas for value in schema["enum"])}
    return {"anyOf": schemas}


def _distinct(values: Iterable[object]) -> list[object]:
    return list({(type(value), value): value for value in values}.values())
