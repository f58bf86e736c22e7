"""JSON Schemas by their URL: STAC 1.1.0's from pystac, extensions' from the folder STACBRIDGE_SCHEMAS."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from pystac.validation.local_validator import get_local_schema_cache
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

Json = dict[str, Any]

STACSPEC = "https://schemas.stacspec.org"
CORE = {
    "Catalog": f"{STACSPEC}/v1.1.0/catalog-spec/json-schema/catalog.json",
    "Collection": f"{STACSPEC}/v1.1.0/collection-spec/json-schema/collection.json",
    "Feature": f"{STACSPEC}/v1.1.0/item-spec/json-schema/item.json",
}
BASICS = "item-spec/json-schema/basics.json"


@cache
def schemas() -> dict[str, Json]:
    """Return all schemas at hand by URL.

    Two that extensions refer to are not at hand. Titles and descriptions of STAC 1.0.0 are read as those of
    1.1.0, which says the same of them; PROJJSON is not checked.
    """
    known: dict[str, Json] = dict(get_local_schema_cache())
    known[f"{STACSPEC}/v1.0.0/{BASICS}"] = known[f"{STACSPEC}/v1.1.0/{BASICS}"]
    known["https://proj.org/schemas/v0.7/projjson.schema.json"] = {}
    if folder := os.environ.get("STACBRIDGE_SCHEMAS"):
        index = json.loads((Path(folder) / "index.json").read_text())
        known |= {url: json.loads((Path(folder) / file).read_text()) for url, file in index.items()}
    return known


def schema(url: str) -> Json:
    """Return the schema with this URL. Raises `LookupError` where it is not at hand."""
    if url not in schemas():
        raise LookupError(
            f"There is no schema {url}. STACBRIDGE_SCHEMAS names the folder of extensions' schemas."
        )
    return schemas()[url]


def check(document: Json) -> None:
    """Validate a Catalog, Collection or Item against the core's schema and its extensions'.

    Raises `jsonschema.ValidationError`, or `LookupError` for a schema that is not at hand.
    """
    registry: Registry[Any] = Registry(retrieve=_resource)  # type: ignore[call-arg]
    for url in (CORE[document["type"]], *document.get("stac_extensions", ())):
        Draft7Validator(schema(url), registry=registry).validate(document)


def _resource(url: str) -> Resource[Any]:
    return Resource.from_contents(schema(url), default_specification=DRAFT7)
