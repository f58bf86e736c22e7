"""Orders of items whose bytes are offline: `POST /orders`, and `GET /orders/{id}` to see how one stands."""

from typing import Any
from urllib.parse import urlsplit

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from stacbridge.api import links
from stacbridge.api.client import root_of
from stacbridge.errors import BadRequest, Forbidden
from stacbridge.federation import Federation, Order
from stacbridge.hrefs import item_href
from stacbridge.model import Json

TEXT: Json = {"type": "string", "minLength": 1}
ASKED: Json = {
    "type": "object",
    "required": ["collection", "item"],
    "properties": {"collection": TEXT, "item": TEXT},
}
ORDER: Json = {
    "type": "object",
    "required": ["id", "status", "collection", "item", "links"],
    "properties": {
        "id": {"type": "string", "description": "Opaque; what the order's URL ends with."},
        "status": {
            "type": "string",
            "enum": ["ordered", "succeeded", "failed"],
            "description": "succeeded: the item downloads. failed: its catalogue said so, if it ever does.",
        },
        "collection": TEXT,
        "item": TEXT,
        "links": {"type": "array", "items": {"type": "object"}},
    },
}


def install(app: FastAPI, federation: Federation) -> None:
    """Add the routes of orders to `app`."""

    async def order(request: Request) -> Response:
        _check_origin(request)
        collection, item = asked(await request.body())
        taken = await federation.run(federation.order, collection, item)
        return shown(taken, root_of(request), 200 if taken.staging.retry_after is None else 202)

    async def poll(request: Request, id: str) -> Response:
        return shown(await federation.run(federation.poll, id), root_of(request), 200)

    common: dict[str, Any] = {"tags": ["Orders"], "response_class": Response}
    app.add_api_route(
        "/orders",
        order,
        methods=["POST"],
        name="Order an item",
        status_code=202,
        responses={202: described("It was ordered."), 200: described("It is online already.")},
        openapi_extra={"requestBody": {"required": True, "content": {links.JSON: {"schema": ASKED}}}},
        **common,
    )
    app.add_api_route(
        "/orders/{id}", poll, name="Order", responses={200: described("How the order stands.")}, **common
    )


def described(meaning: str) -> Json:
    """Return how the OpenAPI document describes an answer that is an order."""
    return {"description": meaning, "content": {links.JSON: {"schema": ORDER}}}


def asked(body: bytes) -> tuple[str, str]:
    """Return collection and item of the body of an order. Raises `BadRequest` naming the member."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise BadRequest("An order must be a JSON object.", parameter="body")
    return _text(given, "collection"), _text(given, "item")


def _check_origin(request: Request) -> None:
    """Refuse orders that another site's page has a browser send: they would spend the account's quota."""
    origin, own = request.headers.get("origin"), urlsplit(root_of(request))
    if origin is not None and origin != f"{own.scheme}://{own.netloc}":
        raise Forbidden(
            "Orders are not taken from pages of other sites.", advice="Order with a script or the API itself."
        )


def _text(given: Json, parameter: str) -> str:
    value = given.get(parameter)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{parameter} must be the id of one, a string.", parameter=parameter)
    return value


def shown(order: Order, root: str, status: int) -> Response:
    """Return the answer that tells of an order."""
    href, wait = f"{root}/orders/{order.id}", order.staging.retry_after
    page = {
        "id": order.id,
        "status": "succeeded" if wait is None else "ordered",
        "collection": order.collection,
        "item": order.item,
        "links": [
            links.link("self", href, links.JSON),
            links.link("item", item_href(root, order.collection, order.item), links.GEOJSON),
        ],
    }
    headers = {"Location": href} if status == 202 else {}
    if wait is not None:
        headers["Retry-After"] = str(wait)
    return Response(orjson.dumps(page), status, headers, media_type=links.JSON)
