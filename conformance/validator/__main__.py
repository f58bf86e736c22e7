"""`python -m conformance.validator --root-url …`: the options and the exit code are stac-api-validator's."""

from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pystac.validation
import stac_validator.utilities  # type: ignore[import-untyped]
from pystac.validation.stac_validator import JsonSchemaSTACValidator
from stac_api_validator.__main__ import main

from conformance.validator.schemas import schema


class OfflineValidator(JsonSchemaSTACValidator):
    """pystac's validator, with schemas from files."""

    def _get_schema(self, schema_uri: str) -> dict[str, Any]:
        return schema(schema_uri)


def on_loopback(request: Request, **how: Any) -> Any:
    """Open a URL of this machine, as `urlopen` does; others may not be asked, and count as those out of
    reach."""
    if urlsplit(request.full_url).hostname != "127.0.0.1":
        raise URLError("only loopback is asked")
    return urlopen(request, **how)


# Neither library has a way to be given schemas: stac-validator asks this cache, which would ask the network.
stac_validator.utilities._schema_cache = schema
stac_validator.utilities.urlopen = on_loopback
pystac.validation.set_validator(OfflineValidator())
main(prog_name="python -m conformance.validator")
