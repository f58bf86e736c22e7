"""What a search of Collections may name: `/collections-queryables` and `/collections-sortables`."""

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from stacbridge.api import collection_filter, links
from stacbridge.api.answers import respond
from stacbridge.api.request import root_of
from stacbridge.federation import Federation
from stacbridge.model import Json
from stacbridge.schemas import TYPES, merged, queryables, sortables


def install(app: FastAPI, federation: Federation) -> None:
    """Add the two routes to `app`."""
    common: dict[str, Any] = {"tags": ["Collection Search"], "response_class": Response}
    for name, document in (("queryables", queryables), ("sortables", sortables)):
        app.add_api_route(
            f"/collections-{name}",
            _answering(federation, name, document),
            name=f"{name.title()} of Collections",
            responses={200: {"description": "A JSON Schema.", "content": {links.SCHEMA: {}}}},
            **common,
        )


def described(collections: Iterable[Json]) -> Json:
    """Return the JSON Schema of each property that Collections state; the first value tells its type."""
    properties: Json = {}
    for stac in collections:
        for name in collection_filter.names(stac):
            properties.setdefault(name, _schema(collection_filter.values(stac, name)[0]))
    return properties


def _answering(
    federation: Federation, name: str, document: Callable[[Json], Json]
) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        known = await federation.run(federation.collections)
        url = f"{root_of(request)}/collections-{name}"
        return respond(merged([document(described(known))], url), links.SCHEMA)

    return answer


def _schema(value: Any) -> Json:
    return next({"type": word} for kind, word in TYPES if isinstance(value, kind))
