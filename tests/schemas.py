"""Validation of STAC objects against core and extension schemas, offline.

Core schemas are those that pystac ships. Extension schemas lie in the folder that `STACBRIDGE_SCHEMAS` names,
with an `index.json` that maps each URI to a file; without it only the core is checked, and `extensions_known`
is false.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from pystac.validation.local_validator import get_local_schema_cache
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

SCHEMAS = Path(os.environ["STACBRIDGE_SCHEMAS"]) if "STACBRIDGE_SCHEMAS" in os.environ else None
PROJJSON = "https://proj.org/schemas/v0.7/projjson.schema.json"
"""A schema that one of the extensions refers to and that is not at hand; no Item has what it describes."""

Schema = dict[str, Any]

extensions_known = SCHEMAS is not None


def _extensions() -> Iterator[tuple[str, Schema]]:
    if SCHEMAS:
        for uri, file in json.loads((SCHEMAS / "index.json").read_text(encoding="utf-8")).items():
            yield uri, json.loads((SCHEMAS / file).read_text(encoding="utf-8"))


def _registry() -> Registry[Any]:
    known = {**get_local_schema_cache(), **dict(_extensions()), PROJJSON: {}}
    return Registry[Any]().with_resources(
        (uri, Resource.from_contents(schema, default_specification=DRAFT7)) for uri, schema in known.items()
    )


_REGISTRY = _registry()
_CORE = {
    "Feature": "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json",
    "Collection": "https://schemas.stacspec.org/v1.1.0/collection-spec/json-schema/collection.json",
}


def faults(stac: dict[str, Any]) -> list[str]:
    """Return what is wrong with an Item or Collection, one line a fault, each naming schema and place."""
    uris = [_CORE[stac["type"]], *(stac["stac_extensions"] if extensions_known else ())]
    return [
        f"{uri} at {'/'.join(map(str, fault.absolute_path)) or 'the root'}: {fault.message[:300]}"
        for uri in uris
        for fault in Draft7Validator(_schema(uri), registry=_REGISTRY).iter_errors(stac)
    ]


def _schema(uri: str) -> Schema:
    contents: Schema = _REGISTRY.contents(uri)
    return contents
