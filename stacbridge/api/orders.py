"""Orders of items whose bytes are offline: `/orders`, each order at `/orders/{id}`."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from stacbridge.api import links
from stacbridge.api import order_documents as documents
from stacbridge.api.order_documents import ASKED, ORDER, Asked, asked, order_href, storable
from stacbridge.api.parameters import search
from stacbridge.api.request import root_of
from stacbridge.callers.principal import caller
from stacbridge.errors import BadRequest, Forbidden, SearchTooWide, StacbridgeError
from stacbridge.federation import Federation
from stacbridge.model import Json
from stacbridge.orders.desk import Desk
from stacbridge.orders.records import STATUS, Order
from stacbridge.settings import Settings

PAGE = 100


def principal_of(request: Request) -> str:
    """Return the name under which a request's orders are kept."""
    return caller().id


class Orders:
    """Answers the routes of orders."""

    def __init__(
        self, desk: Desk, federation: Federation, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        self._desk = desk
        self._federation = federation
        self._settings = settings
        self._clock = clock

    async def place(self, request: Request) -> Response:
        """Answer POST /orders."""
        check_origin(request)
        given = asked(await request.body(), self._settings.max_order_items)
        root, principal = root_of(request), principal_of(request)
        return await self._federation.run(self._place, given, root, principal)

    async def show(self, request: Request, id: str) -> Response:
        """Answer GET /orders/{id}."""
        root, principal = root_of(request), principal_of(request)
        return await self._federation.run(self._show, id, root, principal)

    async def cancel(self, request: Request, id: str) -> Response:
        """Answer DELETE /orders/{id} and POST /orders/{id}/cancel."""
        check_origin(request)
        found = await self._federation.run(self._desk.cancel, id, principal_of(request))
        return self._answer(documents.order(found, root_of(request)), 200)

    async def listed(self, request: Request) -> Response:
        """Answer GET /orders."""
        page = await self._federation.run(self._page, request, f"{root_of(request)}/orders", None)
        return self._answer(page, 200)

    async def batch(self, request: Request, batch: str) -> Response:
        """Answer GET /orders/batches/{batch}."""
        principal, url = principal_of(request), batch_href(root_of(request), batch)

        def page() -> Json:
            counts = self._desk.counts(principal, batch)
            return {"id": batch, "counts": told(counts), **self._page(request, url, batch)}

        return self._answer(await self._federation.run(page), 200)

    # In threads -----------------------------------------------------------------------------------
    def _place(self, given: Asked, root: str, principal: str) -> Response:
        url = partial(order_href, root)
        if given.single:
            ((collection, item),) = given.items
            order = self._desk.place(collection, item, principal, url, given.webhook)
            return self._taken(order, root)
        items = self._found(given.search) if given.search is not None else given.items
        if not items:
            return self._answer({"orders": [], "links": []}, 200)
        batch, orders = self._desk.place_all(items, principal, url, given.webhook)
        return self._batch_taken(batch, orders, root)

    def _taken(self, order: Order, root: str) -> Response:
        wait = documents.retry_after(order, self._clock())
        href = order_href(root, order.id)
        headers = {} if wait is None else {"Location": href, "Retry-After": str(wait)}
        return self._answer(documents.order(order, root), 200 if wait is None else 202, headers)

    def _batch_taken(self, batch: str, orders: list[Order], root: str) -> Response:
        href = batch_href(root, batch)
        document = {
            "id": batch,
            "orders": [documents.order(order, root) for order in orders],
            "links": [links.link("self", href, links.JSON)],
        }
        return self._answer(document, 202, {"Location": href, "Retry-After": "30"})

    def _show(self, id: str, root: str, principal: str) -> Response:
        order = self._desk.order(id, principal)
        document = documents.order(order, root) | {"events": documents.events(self._desk.events(order))}
        if order.status == "succeeded":
            document |= self._assets(order, root)
        wait = documents.retry_after(order, self._clock())
        return self._answer(document, 200, {} if wait is None else {"Retry-After": str(wait)})

    def _assets(self, order: Order, root: str) -> Json:
        try:
            item = self._federation.item(order.product.collection, order.product.item, root)
        except StacbridgeError:
            return {}  # the order stands, and its link `item` tells what is wrong
        document: Json = orjson.loads(orjson.dumps(item["assets"]))
        return {"assets": {key: asset["href"] for key, asset in document.items()}}

    def _page(self, request: Request, url: str, batch: str | None) -> Json:
        limit = min(self._limit(request), self._settings.max_limit)
        before = position(request.query_params.get("token"))
        found = self._desk.orders(principal_of(request), limit + 1, before, batch)
        shown = [documents.order(order, root_of(request)) for order in found[:limit]]
        following = [self._next(url, limit, found[limit - 1])] if len(found) > limit else []
        return {"orders": shown, "links": [links.link("self", url, links.JSON), *following]}

    @staticmethod
    def _limit(request: Request) -> int:
        text = request.query_params.get("limit") or str(PAGE)
        if not text.isascii() or not text.isdigit() or not int(text[:9]) > 0:
            raise BadRequest("limit must be a number from 1 on.", parameter="limit")
        return int(text[:9])

    @staticmethod
    def _next(url: str, limit: int, last: Order) -> Json:
        return {
            **links.next_get(url, [("limit", str(limit))], f"{last.asked!r}~{last.id}"),
            "type": links.JSON,
        }

    def _found(self, body: Json) -> list[tuple[str, str]]:
        """Return the items of a search that say that they are offline, all of them."""
        most = self._settings.max_order_items
        wanted = search({"limit": min(most + 1, self._settings.max_limit), **body}, self._settings)
        found: list[tuple[str, str]] = []
        token = wanted.token
        while True:
            page = self._federation.search(wanted.query, token, "")
            found += [
                (item["collection"], item["id"])
                for item in page.items
                if item["properties"].get("order:status", "succeeded") != "succeeded"
            ]
            if len(found) > most:
                raise SearchTooWide(f"The search finds more than {most} items to order.", advice="Narrow it.")
            if page.token is None:
                return found
            token = page.token

    @staticmethod
    def _answer(document: Json, status: int, headers: dict[str, str] | None = None) -> Response:
        told = {"Cache-Control": "no-store", **(headers or {})}
        return Response(orjson.dumps(document), status, told, media_type=links.JSON)


def install(app: FastAPI, desk: Desk, federation: Federation, settings: Settings) -> None:
    """Add the routes of orders to `app`."""
    orders = Orders(desk, federation, settings)
    common: dict[str, Any] = {"tags": ["Orders"], "response_class": Response}
    app.add_api_route(
        "/orders",
        orders.place,
        methods=["POST"],
        name="Order items",
        status_code=202,
        responses={
            202: described("It was ordered."),
            200: described("It is online already, or a search finds nothing that is offline."),
        },
        openapi_extra={"requestBody": {"required": True, "content": {links.JSON: {"schema": ASKED}}}},
        **common,
    )
    stands: dict[int | str, Json] = {200: described("How the order stands.")}
    app.add_api_route("/orders", orders.listed, name="Your orders", **common)
    app.add_api_route("/orders/batches/{batch}", orders.batch, name="Orders of one batch", **common)
    app.add_api_route("/orders/{id}", orders.show, name="Order", responses=stands, **common)
    app.add_api_route(
        "/orders/{id}", orders.cancel, methods=["DELETE"], name="Cancel", responses=stands, **common
    )
    app.add_api_route(
        "/orders/{id}/cancel", orders.cancel, methods=["POST"], name="Cancel", responses=stands, **common
    )


def described(meaning: str) -> Json:
    """Return how the OpenAPI document describes an answer that is an order."""
    return {"description": meaning, "content": {links.JSON: {"schema": ORDER}}}


def batch_href(root: str, batch: str) -> str:
    """Return the URL of the orders that were placed together."""
    return f"{root}/orders/batches/{batch}"


def told(counts: dict[str, int]) -> dict[str, int]:
    """Return how many orders have each status of the order extension."""
    statuses: dict[str, int] = {}
    for state, number in counts.items():
        status = STATUS.get(state, state)
        statuses[status] = statuses.get(status, 0) + number
    return statuses


def position(token: str | None) -> tuple[float, str] | None:
    """Read where a page of orders begins. Raises `BadRequest`."""
    if not token:
        return None
    asked, _, id = storable(token, "token").partition("~")
    try:
        return float(asked), id
    except ValueError:
        raise BadRequest("The token is not of this list.", parameter="token") from None


def check_origin(request: Request) -> None:
    """Refuse orders that another site's page has a browser send: they would spend the account's quota."""
    origin, own = request.headers.get("origin"), urlsplit(root_of(request))
    if origin is not None and origin != f"{own.scheme}://{own.netloc}":
        raise Forbidden(
            "Orders are not taken from pages of other sites.", advice="Order with a script or the API itself."
        )
