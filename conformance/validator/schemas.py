"""JSON Schemas by their URL, from files."""

import json
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

Json = dict[str, Any]

CORE = files("pystac.validation.jsonschemas")
STAC_VERSION = "v1.1.0"


@cache
def schema(url: str) -> Json:
    """Return the schema with this URL.

    The core's of STAC 1.1.0 and GeoJSON's are pystac's; those of extensions are listed in index.json in the
    folder STACBRIDGE_SCHEMAS. Raises `LookupError` for any other.
    """
    parts = urlsplit(url)
    name = parts.path.rpartition("/")[2]
    if parts.hostname == "schemas.stacspec.org" and STAC_VERSION in parts.path:
        return _read((CORE / "stac-spec" / STAC_VERSION / name).read_text())
    if parts.hostname == "geojson.org":
        return _read((CORE / "geojson" / name).read_text())
    folder = os.environ.get("STACBRIDGE_SCHEMAS")
    if folder is None:
        raise LookupError(f"No schema {url}: the environment variable STACBRIDGE_SCHEMAS names no folder.")
    index = _read((Path(folder) / "index.json").read_text())
    if url not in index:
        raise LookupError(f"No schema {url} in {folder}.")
    return _read((Path(folder) / index[url]).read_text())


def check(document: Json) -> None:
    """Validate a Catalog, Collection or Item against the core's schema and its extensions'.

    Raises `jsonschema.ValidationError`, or `LookupError` for a schema that is not at hand.
    """
    kind = "item" if document["type"] == "Feature" else document["type"].lower()
    core = f"https://schemas.stacspec.org/{STAC_VERSION}/{kind}-spec/json-schema/{kind}.json"
    registry: Registry[Any] = Registry(retrieve=_resource)  # type: ignore[call-arg]
    for url in (core, *document.get("stac_extensions", ())):
        Draft7Validator(schema(url), registry=registry).validate(document)


def _resource(url: str) -> Resource[Any]:
    return Resource.from_contents(schema(url.partition("#")[0]), default_specification=DRAFT7)


def _read(text: str) -> Json:
    document: Json = json.loads(text)
    return document
