"""The Aggregation extension: `/aggregate` and `/aggregations`, of the whole API and of each Collection.

Source: https://github.com/stac-api-extensions/aggregation (v0.3.0).
"""

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from stacbridge.aggregation import AGGREGATIONS, Aggregation, aggregate, available
from stacbridge.api import links
from stacbridge.api.answers import respond
from stacbridge.api.openapi import AGGREGATE_BODY, AGGREGATE_URL, AGGREGATION_COLLECTION
from stacbridge.api.parameters import search
from stacbridge.api.querystring import from_url
from stacbridge.api.request import body_of, parameters_of, root_of
from stacbridge.errors import BadRequest
from stacbridge.federation import Federation
from stacbridge.hrefs import collection_href
from stacbridge.model import Json
from stacbridge.periods import PERIODS
from stacbridge.settings import Settings

NARROWING = (
    *("collections", "ids", "bbox", "intersects", "datetime"),
    *("filter", "filter-lang", "filter-crs", "query", "q"),
)
"""Parameters of a search that mean something for numbers of Items."""


def install(app: FastAPI, federation: Federation, settings: Settings) -> None:
    """Add the routes of the extension to `app`."""
    aggregator = Aggregator(federation, settings)

    async def aggregate(request: Request) -> Response:
        return await aggregator.aggregate(request, None)

    async def aggregate_collection(request: Request, collection_id: str) -> Response:
        return await aggregator.aggregate(request, collection_id)

    async def aggregations(request: Request) -> Response:
        return await aggregator.aggregations(request, None)

    async def aggregations_collection(request: Request, collection_id: str) -> Response:
        return await aggregator.aggregations(request, collection_id)

    for path, answer in (("", aggregate), ("/collections/{collection_id}", aggregate_collection)):
        _add(app, f"{path}/aggregate", "GET", answer, {"parameters": AGGREGATE_URL})
        _add(app, f"{path}/aggregate", "POST", answer, {"requestBody": AGGREGATE_BODY})
    for path, answer in (("", aggregations), ("/collections/{collection_id}", aggregations_collection)):
        _add(app, f"{path}/aggregations", "GET", answer, {})


def _add(app: FastAPI, path: str, method: str, answer: Callable[..., Any], described: Json) -> None:
    told = {"description": "Numbers of items.", "content": {links.JSON: {"schema": AGGREGATION_COLLECTION}}}
    app.add_api_route(
        path,
        answer,
        methods=[method],
        name=path.rpartition("/")[2].title(),
        tags=["Aggregation"],
        response_class=Response,
        responses={200: told},
        openapi_extra=described,
    )


class Aggregator:
    """Answers the routes; `collection` is the id of one, or `None` for all."""

    def __init__(self, federation: Federation, settings: Settings) -> None:
        self._federation = federation
        self._settings = settings

    async def aggregate(self, request: Request, collection: str | None) -> Response:
        """Answer GET and POST .../aggregate."""
        posted = request.method == "POST"
        body = await body_of(request) if posted else from_url(parameters_of(request))
        return await self._federation.run(self._numbers, body, root_of(request), collection)

    async def aggregations(self, request: Request, collection: str | None) -> Response:
        """Answer GET .../aggregations."""
        return await self._federation.run(self._names, root_of(request), collection)

    def _numbers(self, body: Json, root: str, collection: str | None) -> Response:
        known = self._known(collection)
        given = {name: body[name] for name in NARROWING if name in body}
        if collection is not None:
            given["collections"] = [collection]
        query = search(given, self._settings).query
        names, interval = _asked(body, known), _interval(body)
        made = aggregate(names, query, interval, self._federation, self._settings, root) if names else []
        return _respond(made, "aggregate", root, collection)

    def _names(self, root: str, collection: str | None) -> Response:
        known = self._known(collection)
        made = [{"name": name, "data_type": each.data_type} for name, each in known.items()]
        return _respond(made, "aggregations", root, collection)

    def _known(self, collection: str | None) -> dict[str, Aggregation]:
        if collection is None:
            return AGGREGATIONS
        return available(self._federation.queryables(collection, "")["properties"])


def _asked(body: Json, known: Iterable[str]) -> list[str]:
    names = body.get("aggregations") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequest("aggregations must be a list of names.", parameter="aggregations")
    if unknown := [name for name in names if name not in known]:
        raise BadRequest(
            f"There is no aggregation {unknown[0][:80]!r} here.",
            parameter="aggregations",
            advice=f"There are {', '.join(known)}.",
        )
    return list(dict.fromkeys(names))


def _interval(body: Json) -> str | None:
    interval = body.get("datetime_frequency_interval")
    if interval is not None and interval not in tuple(PERIODS):
        raise BadRequest(
            f"datetime_frequency_interval must be one of {', '.join(PERIODS)}.",
            parameter="datetime_frequency_interval",
        )
    return interval


def _respond(aggregations: list[Json], path: str, root: str, collection: str | None) -> Response:
    base = root if collection is None else collection_href(root, collection)
    page_links = [
        links.link("self", f"{base}/{path}", links.JSON),
        links.link("root", f"{root}/", links.JSON),
    ]
    return respond({"type": "AggregationCollection", "aggregations": aggregations, "links": page_links})
