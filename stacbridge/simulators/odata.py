"""The catalogue host: Products, Bursts, Attributes and quicklooks over one archive."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from . import content, trees
from .answers import Options, Refused, detailed, json_response
from .archive import TIME_COLUMNS, Archive
from .bursts import TIME_COLUMNS as BURST_TIMES
from .bursts import Bursts
from .filters import Filter
from .finding import Finder
from .hashing import Rows
from .publishing import Published

EXPANDABLE = ("Attributes", "Assets", "Locations")
SELECTABLE = (
    "Id",
    "Name",
    "ContentType",
    "ContentLength",
    "OriginDate",
    "PublicationDate",
    "ModificationDate",
    "Online",
    "EvictionDate",
    "S3Path",
    "Checksum",
    "ContentDate",
    "Footprint",
    "GeoFootprint",
    "Geofootprint",
)
_ORDERABLE = frozenset(TIME_COLUMNS) - {"OriginDate"}
_BURSTS_ORDERABLE = frozenset({"ContentDate/Start", "ContentDate/End"})
_FILTER_LIST_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class EntitySet:
    """One collection of entities: where it is, what is in it, and how it is searched."""

    name: str
    records: Callable[[Rows], list[Any]]
    finder: Finder


class Catalogue:
    """The catalogue service. URLs are those it prints, up to `/odata/v1`: its own and the download host's.

    `held` products are not in it until they are published: by `POST /simulator/publish?count=…`.
    """

    def __init__(self, archive: Archive, bursts: Bursts, url: str, download_url: str, held: int = 0) -> None:
        self.archive = archive
        self.bursts = bursts
        self.url = url
        self.download_url = download_url
        names = frozenset(archive.collections())
        self._published = Published(archive.size, held)
        self._products = EntitySet(
            "Products",
            lambda rows: archive.records(rows, url),
            Finder(archive, Filter(archive, names, frozenset(TIME_COLUMNS)), _ORDERABLE, self._published),
        )
        self._bursts = EntitySet(
            "Bursts",
            bursts.records,
            Finder(bursts, Filter(bursts, frozenset(), frozenset(BURST_TIMES)), _BURSTS_ORDERABLE),
        )

    def app(self) -> Starlette:
        """The service as an ASGI application."""
        root = "/odata/v1"
        return Starlette(
            routes=[
                Route(f"{root}/Products", lambda request: self._list(request, self._products)),
                Route(f"{root}/Products/OData.CSC.FilterList", self._filter_list, methods=["POST"]),
                Route(f"{root}/Products({{id}})", self._product),
                Route(f"{root}/Products({{id}})/{{rest:path}}", self._elsewhere),
                Route(f"{root}/Attributes({{collection}})", self._attributes),
                Route(f"{root}/Assets({{id}})/$value", self._quicklook),
                Route(f"{root}/Bursts", lambda request: self._list(request, self._bursts)),
                Route(f"{root}/Bursts({{id}})", self._burst),
                Route(f"{root}/Bursts({{id}})/$value", self._burst_value, methods=["POST"]),
                Route("/simulator/publish", self._publish, methods=["POST"]),
            ],
            exception_handlers={Refused: _refused, HTTPException: _http_error},
        )

    # Lists ----------------------------------------------------------------------------------------
    def _list(self, request: Request, entities: EntitySet) -> Response:
        options = Options(request.scope["query_string"].decode("latin-1"))
        _check_expand(options, entities)
        found = entities.finder.find(options)
        body: dict[str, Any] = {"@odata.context": f"$metadata#{entities.name}{_expanded(options)}"}
        if options.count:
            body["@odata.count"] = found.count
        body["value"] = [_shown(record, options) for record in entities.records(found.rows)]
        if found.more and options.top and options.skip + options.top <= 10_000:
            body["@odata.nextLink"] = options.next_link(f"{self.url}/{entities.name}")
        return json_response(body)

    def _publish(self, request: Request) -> Response:
        rows = self._published.publish(int(request.query_params.get("count", 1)))
        return json_response({"published": self.archive.column("Name", rows).tolist()})

    # Single entities ------------------------------------------------------------------------------
    def _product(self, request: Request) -> Response:
        options = Options(request.scope["query_string"].decode("latin-1"))
        _check_expand(options, self._products)
        record = self.archive.records(np.array([self._row(request)]), self.url)[0]
        context = {"@odata.context": f"$metadata#Products{_expanded(options)}/$entity"}
        return json_response(context | _shown(record, options))

    def _row(self, request: Request) -> int:
        row = self.archive.ids.row(request.path_params["id"])
        if row is None or not self._published.mask[row]:
            raise detailed(404, f"Product with id {request.path_params['id']} not found.")
        return row

    def _elsewhere(self, request: Request) -> Response:
        """`$value`, `$zip` and Nodes are the download service's."""
        rest = request.url.path.removeprefix("/odata/v1")
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{self.download_url}{rest}{query}", 301)

    async def _filter_list(self, request: Request) -> Response:
        try:
            wanted = orjson.loads(await request.body())["FilterProducts"]
            names = [entry["Name"] for entry in wanted][:_FILTER_LIST_LIMIT]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise detailed(400, "Invalid value: FilterProducts is a list of objects with a Name") from error
        options = Options(request.scope["query_string"].decode("latin-1"))
        rows = [row for name in names if (row := self.archive.row_of_name(name)) is not None]
        found = [row for row in rows if self._published.mask[row]]
        page = np.array(found[options.skip : options.skip + options.top], dtype=np.int64)
        body: dict[str, Any] = {"@odata.context": f"$metadata#Products{_expanded(options)}"}
        if options.count:
            body["@odata.count"] = len(found)
        body["value"] = [_shown(record, options) for record in self._products.records(page)]
        return json_response(body)

    def _attributes(self, request: Request) -> Response:
        listed = self.archive.collections().get(request.path_params["collection"])
        if listed is None:
            raise detailed(404, f"Collection {request.path_params['collection']} not found.")
        return json_response([{"Name": name, "ValueType": type_} for name, type_ in listed.items()])

    def _quicklook(self, request: Request) -> Response:
        row = self.archive.asset_ids.row(request.path_params["id"])
        product = self.archive.product(row) if row is not None else None
        path = trees.quicklook(product) if product else None
        if product is None or path is None:
            raise detailed(404, f"Asset with id {request.path_params['id']} not found.")
        kind = next(member.kind for member in trees.members(product) if member.path == path)
        return Response(content.make(kind, path, product.bounds), media_type=f"image/{kind}")

    # Bursts ---------------------------------------------------------------------------------------
    def _burst(self, request: Request) -> Response:
        row = self.bursts.ids.row(request.path_params["id"])
        if row is None:
            raise detailed(404, f"Burst with id {request.path_params['id']} not found.")
        return json_response(
            {"@odata.context": "$metadata#Bursts/$entity"} | self.bursts.records(np.array([row]))[0]
        )

    def _burst_value(self, request: Request) -> Response:
        if self.bursts.ids.row(request.path_params["id"]) is None:
            raise detailed(404, f"Burst with id {request.path_params['id']} not found.")
        return RedirectResponse(f"{self.download_url}/Bursts({request.path_params['id']})/$value", 307)


def _check_expand(options: Options, entities: EntitySet) -> None:
    allowed = EXPANDABLE if entities.name == "Products" else ()
    for name in options.expand:
        if name not in allowed:
            raise detailed(400, f"Invalid field: $expand {name}")


def _expanded(options: Options) -> str:
    return f"({','.join(f'{name}()' for name in options.expand)})" if options.expand else ""


def _shown(record: dict[str, Any], options: Options) -> dict[str, Any]:
    hidden = {name for name in EXPANDABLE if name not in options.expand}
    shown = {key: value for key, value in record.items() if key not in hidden}
    names = [name.strip() for name in (options.select or "*").split(",")]
    if "*" in names:
        return shown
    for name in names:
        if name not in SELECTABLE:
            raise detailed(400, f"Invalid field: $select {name}")
    wanted = {"Geofootprint": "GeoFootprint"}
    kept = {"@odata.mediaContentType", "Id", *options.expand, *(wanted.get(name, name) for name in names)}
    return {key: value for key, value in shown.items() if key in kept}


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return detailed(error.status_code, error.detail).response
