"""The routes that tell what filters and `sortby` may name."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from stacbridge.api import links
from stacbridge.api.answers import respond
from stacbridge.api.request import root_of
from stacbridge.federation import Federation
from stacbridge.hrefs import collection_href


class Schemas:
    """Answers the routes that tell what filters and `sortby` may name."""

    def __init__(self, federation: Federation) -> None:
        self.federation = federation

    async def get_queryables(self, request: Request, collection_id: str | None = None, **_: Any) -> Response:
        """Answer GET /queryables and GET /collections/{collection_id}/queryables."""
        url = schema_href(request, collection_id, "queryables")
        return respond(
            await self.federation.run(self.federation.queryables, collection_id, url), links.SCHEMA
        )

    async def get_sortables(self, request: Request, **_: Any) -> Response:
        """Answer GET /sortables."""
        url = schema_href(request, None, "sortables")
        return respond(await self.federation.run(self.federation.sortables, None, url), links.SCHEMA)

    async def get_collection_sortables(self, request: Request, collection_id: str, **_: Any) -> Response:
        """Answer GET /collections/{collection_id}/sortables."""
        url = schema_href(request, collection_id, "sortables")
        return respond(await self.federation.run(self.federation.sortables, collection_id, url), links.SCHEMA)


def schema_href(request: Request, collection_id: str | None, name: str) -> str:
    """Return the URL of a schema, which is its `$id`."""
    root = root_of(request)
    return f"{collection_href(root, collection_id) if collection_id else root}/{name}"
