"""`/account/{catalogue}`: the caller's own account at a catalogue, brought once and kept encrypted."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from stacbridge.accounts import OwnAccounts
from stacbridge.api import links
from stacbridge.catalogue import Catalogue
from stacbridge.errors import BadRequest, NotFound
from stacbridge.model import Json
from stacbridge.settings import Credentials

MEMBERS = tuple(Credentials.model_fields)
ACCOUNT: Json = {
    "type": "object",
    "properties": {
        name: {"type": "string", "description": field.description, "writeOnly": True}
        for name, field in Credentials.model_fields.items()
    },
    "additionalProperties": False,
}
TOLD: Json = {
    "type": "object",
    "properties": {"catalogue": {"type": "string"}, "kept": {"type": "boolean"}},
    "required": ["catalogue", "kept"],
}


def install(app: FastAPI, catalogues: Mapping[str, Catalogue]) -> None:
    """Add the routes of callers' accounts to `app`."""

    def own(id: str) -> OwnAccounts:
        catalogue = catalogues.get(id)
        if not isinstance(catalogue, OwnAccounts):
            raise NotFound(f"There is no catalogue {id!r} here to which callers bring accounts of their own.")
        return catalogue

    async def bring(request: Request, catalogue: str) -> Response:
        account = credentials(await request.body())
        await run_in_threadpool(own(catalogue).keep, account)
        return told(catalogue, True)

    async def forget(catalogue: str) -> Response:
        await run_in_threadpool(own(catalogue).forget)
        return told(catalogue, False)

    described = {"description": "Done.", "content": {links.JSON: {"schema": TOLD}}}
    common: dict[str, Any] = {"tags": ["Access"], "response_class": Response, "responses": {200: described}}
    app.add_api_route(
        "/account/{catalogue}",
        bring,
        methods=["PUT"],
        name="Bring your account at a catalogue",
        openapi_extra={"requestBody": {"required": True, "content": {links.JSON: {"schema": ACCOUNT}}}},
        **common,
    )
    app.add_api_route(
        "/account/{catalogue}", forget, methods=["DELETE"], name="Take your account away", **common
    )


def told(catalogue: str, kept: bool) -> Response:
    """Return the answer that says whether the caller has an account at a catalogue now."""
    return Response(orjson.dumps({"catalogue": catalogue, "kept": kept}), media_type=links.JSON)


def credentials(body: bytes) -> Credentials:
    """Return the account in a body. Raises `BadRequest`, which repeats no value.

    Names of files, which settings may hold, are none of its members: they would be files of the server.
    """
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        given = None
    if (
        not isinstance(given, dict)
        or not given
        or not all(isinstance(value, str) for value in given.values())
    ):
        raise BadRequest("An account must be a JSON object of texts.", parameter="body")
    if not given.keys() <= set(MEMBERS):
        raise BadRequest(f"An account has these members: {', '.join(MEMBERS)}.", parameter="body")
    try:
        return Credentials.model_validate(given)
    except ValidationError:
        raise BadRequest("The account cannot be read.", parameter="body") from None
