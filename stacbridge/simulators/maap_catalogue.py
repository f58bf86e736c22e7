"""The STAC API of the simulated MAAP, habits included."""

import zlib
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import maap_pages as pages
from .answers import Refused, json_response
from .maap_filters import Filter, Test, area, named, overlap, refused
from .maap_holdings import NAMES, Holding, Json, holdings

ATOM = b'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>MAAP</title></feed>'
OSDD = b'<?xml version="1.0"?><OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"/>'
BALANCER = "<html><body><h1>503 Service Unavailable</h1>No server is available.</body></html>"


class StacCatalogue:
    """The catalogue at `root` (no slash at its end), whose files are under `data`.

    `namespaced` tells which names its queryables have, `strict` whether filters may use no other.
    """

    def __init__(self, root: str, data: str, *, namespaced: bool = False, strict: bool = False) -> None:
        self.root, self.data = root, data
        self.namespaced, self.strict = namespaced, strict
        self.holdings = holdings()
        every = [item for holding in self.holdings.values() for item in holding.items]
        self._items = sorted(every, key=lambda item: zlib.crc32(item.id.encode()))

    def routes(self) -> list[Route]:
        """The paths below the server's own."""
        one = "/catalogue/collections/{id}"
        return [
            Route("/catalogue", self._slashless),
            Route("/catalogue/", self._landing),
            Route("/catalogue/conformance", self._conformance),
            Route("/catalogue/api", self._description),
            Route("/catalogue/collections", self._collections),
            Route("/catalogue/collections/queryables", self._collection_queryables),
            Route(one, self._collection),
            Route(f"{one}/queryables", self._queryables),
            Route(f"{one}/items", self._collection_items),
            Route(f"{one}/items/{{item}}", self._item),
            Route("/catalogue/search", self._search, methods=["GET", "POST"]),
        ]

    def app(self) -> Starlette:
        """The catalogue as an ASGI application."""
        app = Starlette(routes=self.routes(), exception_handlers={Refused: answered})
        app.router.redirect_slashes = False
        return app

    async def _slashless(self, request: Request) -> Response:
        return Response(BALANCER, 503, media_type="text/html")

    async def _landing(self, request: Request) -> Response:
        return json_response(pages.landing(self.root))

    async def _conformance(self, request: Request) -> Response:
        return json_response({"conformsTo": pages.CONFORMANCE})

    async def _description(self, request: Request) -> Response:
        return Response(OSDD, media_type=pages.OSDD)

    # Collections ----------------------------------------------------------------------------------
    async def _collections(self, request: Request) -> Response:
        asked = dict(request.query_params)
        found = [holding for holding in self.holdings.values() if _wanted(holding, asked)]
        try:
            start = int(asked.get("startRecord", 1)) - 1
        except ValueError:
            raise refused("startRecord: a number is expected") from None
        page, end = pages.cut(found, asked, start)
        url = f"{self.root}/collections"
        links = [{"rel": "self", "href": str(request.url), "type": "application/json"}]
        links += [{"rel": pages.QUERYABLES, "href": f"{url}/queryables"}]
        if end < len(found):
            links.append(pages.next_link(url, asked, startRecord=str(end + 1)))
        return json_response(
            {
                "collections": [pages.collection(holding, self.root) for holding in page],
                "numberMatched": len(found),
                "numberReturned": len(page),
                "links": links,
            }
        )

    async def _collection_queryables(self, request: Request) -> Response:
        names = ("title", "platform", "organisationName", "parentIdentifier")
        return json_response({"type": "object", "properties": {name: {"type": "string"} for name in names}})

    async def _collection(self, request: Request) -> Response:
        return json_response(pages.collection(self._holding(request.path_params["id"]), self.root))

    async def _queryables(self, request: Request) -> Response:
        asked = request.path_params["id"]
        for holding in self.holdings.values():
            if holding.items and holding.about.get("queryables", holding.id) == asked:
                names = pages.vocabulary(self.namespaced)
                return json_response(pages.schema(holding, self.root, names))
        raise _missing(asked)

    def _holding(self, id: str) -> Holding:
        if id not in self.holdings:
            raise _missing(id)
        return self.holdings[id]

    # Items ----------------------------------------------------------------------------------------
    async def _search(self, request: Request) -> Response:
        asked: Json = dict(request.query_params)
        if request.method == "POST":
            asked |= await request.json()
            if "filter" in asked:
                raise refused("filter: only by GET")
        return self._page(asked, named(asked.get("collections")), f"{self.root}/search")

    async def _collection_items(self, request: Request) -> Response:
        id = self._holding(request.path_params["id"]).id
        asked = dict(request.query_params)
        accepted = request.headers.get("accept", "")
        if "json" not in asked.get("httpAccept", "") and "json" not in accepted:
            return Response(ATOM, media_type="application/atom+xml")
        return self._page(asked, [id], f"{self.root}/collections/{id}/items")

    async def _item(self, request: Request) -> Response:
        for item in self._holding(request.path_params["id"]).items:
            if item.id == request.path_params["item"]:
                return json_response(pages.features([item], self.root, self.data, 1)["features"][0])
        raise _missing(request.path_params["item"])

    def _page(self, asked: Mapping[str, Any], collections: list[str], url: str) -> Response:
        if asked.get("sortby"):
            raise refused("sortby: not supported")
        tests = self._tests(asked, collections)
        found = [item for item in self._items if all(test(item) for test in tests)]
        page, end = pages.cut(found, asked, pages.offset(asked))
        body = pages.features(page, self.root, self.data, len(found))
        body["links"] = [{"rel": "self", "href": url, "type": pages.GEOJSON}]
        if end < len(found):
            following = {name: _text(value) for name, value in asked.items()}
            body["links"].append(pages.next_link(url, following, marker=pages.marker(end)))
        return Response(json_response(body).body, media_type=pages.GEOJSON)

    def _tests(self, asked: Mapping[str, Any], collections: list[str]) -> list[Test]:
        tests: list[Test] = [lambda item: not collections or item.collection in collections]
        if ids := named(asked.get("ids")):
            tests.append(lambda item: item.id in ids)
        if place := area(asked):
            tests.append(place)
        if asked.get("datetime"):
            during = overlap(asked["datetime"])
            tests.append(lambda item: during(item.start, item.end))
        if asked.get("filter"):
            condition = Filter(asked["filter"], self._known(collections))
            tests.append(lambda item: condition.holds(item.facts))
        return tests

    def _known(self, collections: list[str]) -> set[str]:
        """The names that a filter may use: those of all the collections."""
        chosen = [self._holding(id) for id in collections] or list(self.holdings.values())
        facts = [item.facts for holding in chosen for item in holding.items]
        common = set.intersection(*(set(fact) for fact in facts)) if facts else set()
        moved = {stac for stac, plain in NAMES.items() if plain in common}
        if not self.strict:
            return common | moved
        return moved | (common - set(NAMES.values())) if self.namespaced else common


def _wanted(holding: Holding, asked: Mapping[str, str]) -> bool:
    about = holding.about
    facts = {
        "title": about["title"],
        "platform": about["platform"],
        "organisationName": "ESA/ESRIN",
        "parentIdentifier": "EOP:ESA:MAAP",
    }
    words = asked.get("q", "").replace('"', "").lower()
    if words not in f"{about['title']} {about['description']} {about['platform']}".lower():
        return False
    if asked.get("platform", about["platform"]).lower() != about["platform"].lower():
        return False
    if "datetime" in asked and not (
        holding.items and overlap(asked["datetime"])(holding.items[0].start, holding.items[-1].end)
    ):
        return False
    return "filter" not in asked or Filter(asked["filter"], facts).holds(facts)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _missing(id: str) -> Refused:
    return Refused(404, {"code": "NotFound", "description": f"{id} is not there"})


def answered(request: Request, error: Exception) -> Response:
    """Answer a refusal."""
    assert isinstance(error, Refused)
    return error.response
