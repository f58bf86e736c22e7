"""Orders as JSON documents, and what clients send to place them."""

from dataclasses import dataclass
from typing import Any

import orjson

from stacbridge.api import links
from stacbridge.errors import BadRequest
from stacbridge.hrefs import item_href
from stacbridge.model import Json
from stacbridge.orders.items import instant
from stacbridge.orders.records import FINISHED, UNDER_WAY, Event, Order

TEXT: Json = {"type": "string", "minLength": 1}
TIME: Json = {"type": "string", "format": "date-time"}
ONE: Json = {
    "type": "object",
    "required": ["collection", "item"],
    "properties": {"collection": TEXT, "item": TEXT},
}
WEBHOOK: Json = {**TEXT, "description": "https URL, of a host that the operator lists, told of the end."}
ASKED: Json = {
    "oneOf": [
        {**ONE, "properties": {**ONE["properties"], "webhook": WEBHOOK}},
        {
            "type": "object",
            "required": ["items"],
            "properties": {"items": {"type": "array", "minItems": 1, "items": ONE}, "webhook": WEBHOOK},
        },
        {
            "type": "object",
            "required": ["search"],
            "properties": {
                "search": {"type": "object", "description": "The body of a POST /search."},
                "webhook": WEBHOOK,
            },
        },
    ]
}
STATUSES = ["ordered", "pending", "shipping", "succeeded", "failed", "canceled", "orderable"]
ORDER: Json = {
    "type": "object",
    "required": ["id", "status", "collection", "item", "created", "updated", "links"],
    "properties": {
        "id": {"type": "string", "description": "Opaque; what the order's URL ends with."},
        "status": {
            "type": "string",
            "enum": STATUSES,
            "description": "Of the order extension. succeeded: the item downloads. orderable: its bytes "
            "had come, and were taken away again. ordered with a position: the archive has not taken it yet.",
        },
        "collection": TEXT,
        "item": TEXT,
        "created": TIME,
        "updated": {**TIME, "description": "Since when it has had this status."},
        "reason": {"type": "string", "description": "Why it waits, or failed."},
        "position": {"type": "integer", "description": "Place among those that wait for the archive."},
        "release": {**TIME, "description": "When the archive takes orders again, its quota being used up."},
        "expires": {**TIME, "description": "When the archive takes the bytes away again."},
        "assets": {
            "type": "object",
            "description": "Hrefs by asset, once it has succeeded and the catalogue can be asked.",
            "additionalProperties": TEXT,
        },
        "events": {"type": "array", "items": {"type": "object"}},
        "links": {"type": "array", "items": {"type": "object"}},
    },
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The body of an order: items (collection and id), or a search, and whom to tell."""

    items: tuple[tuple[str, str], ...] = ()
    search: Json | None = None
    webhook: str | None = None
    single: bool = False


def asked(body: bytes, most: int) -> Asked:
    """Read the body of an order of at most `most` items. Raises `BadRequest` naming the member."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise BadRequest("An order must be a JSON object.", parameter="body")
    webhook = None if given.get("webhook") is None else _text(given, "webhook")
    if "search" in given:
        if not isinstance(given["search"], dict):
            raise BadRequest("search must be an object, the body of a search.", parameter="search")
        return Asked(search=given["search"], webhook=webhook)
    if "items" not in given:
        return Asked((_one(given),), webhook=webhook, single=True)
    items = given["items"]
    if not isinstance(items, list) or not 0 < len(items) <= most:
        raise BadRequest(f"items must be a list of 1 to {most} of them.", parameter="items")
    if not all(isinstance(item, dict) for item in items):
        raise BadRequest("Each of items must be an object with collection and item.", parameter="items")
    return Asked(tuple(_one(item) for item in items), webhook=webhook)


def storable(text: str, parameter: str) -> str:
    """Return what order books can be asked for. Raises `BadRequest` naming the parameter."""
    if "\0" in text:
        raise BadRequest(f"{parameter} must not hold a NUL character.", parameter=parameter)
    return text


def order(found: Order, root: str) -> Json:
    """Return the document of an order."""
    product = found.product
    href = order_href(root, found.id)
    times = {"release": product.release_at, "expires": product.expires}
    updated = found.canceled if found.canceled is not None else max(product.since, found.asked)
    told: Json = {
        "id": found.id,
        "status": found.status,
        "collection": product.collection,
        "item": product.item,
        "created": instant(found.asked),
        "updated": instant(updated),
        "reason": product.reason,
        "position": found.position,
        **{name: None if time is None else instant(time) for name, time in times.items()},
        "links": [
            links.link("self", href, links.JSON),
            links.link("item", item_href(root, product.collection, product.item), links.GEOJSON),
        ],
    }
    if found.state not in FINISHED:
        told["links"].append(links.link("cancel", f"{href}/cancel", links.JSON, method="POST"))
    return {name: value for name, value in told.items() if value is not None}


def events(found: list[Event]) -> list[Json]:
    """Return what became of an order, in words of the order extension where there is one."""
    return [
        {
            "time": instant(event.at),
            "state": event.state,
            **({} if event.reason is None else {"reason": event.reason}),
        }
        for event in found
    ]


def retry_after(found: Order, now: float) -> int | None:
    """Return the seconds after which an order may have moved; `None` once it is over."""
    if found.state in FINISHED:
        return None
    due = found.product.next_at or now
    least = 1 if found.state in UNDER_WAY else 5
    return max(least, min(3600, round(due - now)))


def order_href(root: str, id: str) -> str:
    """Return the URL of an order."""
    return f"{root}/orders/{id}"


def _one(given: Json) -> tuple[str, str]:
    return _text(given, "collection"), _text(given, "item")


def _text(given: Json, parameter: str) -> str:
    value: Any = given.get(parameter)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{parameter} must be a string that is not empty.", parameter=parameter)
    return storable(value, parameter)
