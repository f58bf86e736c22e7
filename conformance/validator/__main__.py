"""`python -m conformance.validator --root-url …`: the options and the exit code are stac-api-validator's."""

from typing import Any

import pystac.validation
import stac_validator.utilities  # type: ignore[import-untyped]
from pystac.validation.stac_validator import JsonSchemaSTACValidator
from stac_api_validator.__main__ import main

from conformance.validator.schemas import schema


class OfflineValidator(JsonSchemaSTACValidator):
    """pystac's validator, with schemas from files."""

    def _get_schema(self, schema_uri: str) -> dict[str, Any]:
        return schema(schema_uri)


# Neither library has a way to be given schemas: stac-validator asks this cache, which would ask the network.
stac_validator.utilities._schema_cache = schema
pystac.validation.set_validator(OfflineValidator())
main(prog_name="python -m conformance.validator")
