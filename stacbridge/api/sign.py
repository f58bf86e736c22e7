"""`POST /sign`: hrefs that work without a header, for callers who have one to send here."""

from typing import Any

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from stacbridge.api import links
from stacbridge.api.request import root_of
from stacbridge.callers.doors import Doors
from stacbridge.callers.principal import Principal
from stacbridge.callers.shown import schemes, signed
from stacbridge.errors import BadRequest, NotFound
from stacbridge.model import Json

MOST = 10_000
"""Hrefs in one request at most."""
HREF: Json = {"type": "string", "format": "uri"}
ASKED: Json = {
    "type": "object",
    "properties": {
        "href": {**HREF, "description": "The href of one asset."},
        "hrefs": {"type": "array", "items": HREF, "maxItems": MOST, "description": "Those of several."},
        "item": {"type": "object", "description": "An Item, all of whose assets are meant."},
    },
    "minProperties": 1,
    "maxProperties": 1,
}
SIGNED: Json = {
    "type": "object",
    "description": "What was asked for (`href`, `hrefs` or `item`), signed; `expires` is the earliest end.",
    "properties": {**ASKED["properties"], "expires": {"type": "string", "format": "date-time"}},
}


def install(app: FastAPI, doors: Doors) -> None:
    """Add the route that signs to `app`. Where everybody may download, it is not found: there is no need."""

    async def sign(request: Request) -> Response:
        if not doors.closed:
            raise NotFound("This bridge signs nothing.", advice="Its hrefs work as they are.")
        given = _object(await request.body())
        found = answer(given, root_of(request), doors, request.scope["stacbridge.principal"])
        return Response(orjson.dumps(found), media_type=links.JSON, headers={"Cache-Control": "no-store"})

    described: dict[int | str, dict[str, Any]] = {
        200: {"description": "Signed.", "content": {links.JSON: {"schema": SIGNED}}}
    }
    app.add_api_route(
        "/sign",
        sign,
        methods=["POST"],
        name="Sign hrefs",
        tags=["Access"],
        response_class=Response,
        responses=described,
        openapi_extra={"requestBody": {"required": True, "content": {links.JSON: {"schema": ASKED}}}},
    )


def answer(given: Json, root: str, doors: Doors, principal: Principal) -> Json:
    """Return what was given, signed for `principal`. Raises `BadRequest` naming the member."""
    match given:
        case {"href": str() as href}:
            return doors.signing.sign(root, href, principal)._asdict()
        case {"hrefs": [*hrefs]} if 0 < len(hrefs) <= MOST and all(isinstance(each, str) for each in hrefs):
            made = [doors.signing.sign(root, each, principal) for each in hrefs]
            return {"hrefs": [each.href for each in made], "expires": min(each.expires for each in made)}
        case {"item": {"assets": dict(), "properties": dict()} as item} if _sound(item):
            return {"item": signed(item, root, doors, principal, schemes(doors, root))}
    raise BadRequest(
        f"Give an href (text), hrefs (1 to {MOST} texts) or an item (a STAC Item).", parameter="body"
    )


def _sound(item: Json) -> bool:
    """Tell whether what signing reads of an Item is as STAC says."""
    assets, extensions = item["assets"], item.get("stac_extensions", [])
    if not isinstance(extensions, list) or not all(isinstance(each, str) for each in extensions):
        return False
    if not isinstance(item["properties"].get("auth:schemes", {}), dict):
        return False
    return len(assets) <= MOST and all(map(_is_asset, assets.values()))


def _is_asset(asset: Any) -> bool:
    return (
        isinstance(asset, dict)
        and isinstance(asset.get("href"), str)
        and isinstance(asset.get("expires", ""), str)
        and isinstance(asset.get("alternate", {}), dict)
    )


def _object(body: bytes) -> Json:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise BadRequest("What is to be signed must be told as a JSON object.", parameter="body")
    return given
