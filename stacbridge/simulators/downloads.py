"""The download host: whole products, nodes and bursts, for who brings a token."""

import hashlib
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import trees
from .answers import Refused, detailed, json_response, malformed_path, zipper
from .archive import Archive
from .bursts import Bursts
from .control import Control
from .packages import Packages, large_slice
from .sessions import Sessions
from .transfer import Body, Download, Slots
from .values import compressed

CONNECTIONS = 4
MEDIA_TYPE = "application/octet-stream"
"""What the service calls every single file: the ContentType of its records."""


class Downloads:
    """The download service. `url` is its own, up to `/odata/v1`."""

    def __init__(
        self,
        archive: Archive,
        bursts: Bursts,
        sessions: Sessions,
        control: Control,
        url: str,
        connections: int,
    ) -> None:
        self.archive = archive
        self.bursts = bursts
        self.sessions = sessions
        self.control = control
        self.url = url
        self.slots = Slots(connections)
        self.packages = Packages()

    def app(self) -> Starlette:
        """The service as an ASGI application."""
        root = "/odata/v1"
        return Starlette(
            routes=[
                Route(f"{root}/Products({{id}})/$value", self._product),
                Route(f"{root}/Products({{id}})/$zip", self._zip),
                Route(f"{root}/Products({{id}})/{{path:path}}", self._node),
                Route(f"{root}/Bursts({{id}})/$value", self._burst, methods=["POST"]),
            ],
            exception_handlers={Refused: _refused},
        )

    # Who asks -------------------------------------------------------------------------------------
    def _user(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            token = parse_qs(request.url.query).get("token", [""])[0]
        if not token:
            raise zipper(401, "DAT-ZIP-604", "Token not found")
        user, state = self.sessions.check(token) or ("", "unknown")
        if state == "audience":
            raise zipper(401, "DAT-ZIP-609", "Token audience not allowed")
        if state != "live":
            raise zipper(401, "DAT-ZIP-109", "Token expired")
        return user

    def _send(self, request: Request, user: str, body: Body) -> ASGIApp:
        changed = request.headers.get("if-range", f'"{body.etag}"') != f'"{body.etag}"'
        wanted = None if changed else request.headers.get("range")
        if request.method == "HEAD":
            return Download(body, self.control.faults, wanted, lambda: None)
        if not self.slots.take(user):
            raise zipper(429, "DAT-ZIP-100", "Max session number exceeded")
        return Download(body, self.control.faults, wanted, lambda: self.slots.give_back(user))

    # Products -------------------------------------------------------------------------------------
    def _row(self, request: Request) -> int:
        row = self.archive.ids.row(request.path_params["id"])
        if row is None:
            raise detailed(404, f"Product with id {request.path_params['id']} not found.")
        return row

    def _here(self, request: Request) -> tuple[int, trees.Product]:
        row = self._row(request)
        record = self.archive.record(row)
        if not record["Online"]:
            raise detailed(404, f"Product {record['Name']} is not online.")
        return row, self.archive.product(row)

    async def _product(self, request: Request) -> ASGIApp:
        user = self._user(request)
        row, product = self._here(request)
        if product.layout == "single":
            (member,) = trees.members(product)
            return self._send(request, user, self._member(row, product, member))
        return self._send(request, user, await self._zipped(product, f"{product.name}.zip"))

    async def _zip(self, request: Request) -> ASGIApp:
        user = self._user(request)
        row, product = self._here(request)
        view = self.archive.view(row)
        if not compressed(view, 0):
            raise detailed(404, f"Product {product.name} has no compressed location.")
        return self._send(request, user, await self._zipped(product, f"{product.name}.zip"))

    async def _burst(self, request: Request) -> ASGIApp:
        user = self._user(request)
        row = self.bursts.ids.row(request.path_params["id"])
        if row is None:
            raise detailed(404, f"Burst with id {request.path_params['id']} not found.")
        burst = self.bursts.burst(row)
        return self._send(
            request, user, await self._zipped(burst.product, burst.name.replace(".SAFE", ".zip"))
        )

    # Nodes ----------------------------------------------------------------------------------------
    async def _node(self, request: Request) -> ASGIApp:
        names, wanted = _node_path(request.path_params["path"])
        row = self._row(request)
        product = self.archive.product(row)
        if wanted == "Nodes":
            return self._listing(request, product, names)
        user = self._user(request)
        self._here(request)
        for member in trees.members(product):
            if _place(product, member) == names:
                return self._send(request, user, self._member(row, product, member))
        raise detailed(404, f"Node {'/'.join(names)} not found.")

    def _listing(self, request: Request, product: trees.Product, names: list[str]) -> Response:
        places = [(_place(product, member), member) for member in trees.members(product)]
        under = [(place, member) for place, member in places if place[: len(names)] == names]
        if not under:
            raise detailed(404, f"Node {'/'.join(names)} not found.")
        children: dict[str, list[tuple[list[str], trees.Member]]] = {}
        for place, member in under:
            if len(place) > len(names):
                children.setdefault(place[len(names)], []).append((place, member))
        base = f"{self.url}/Products({request.path_params['id']})" + "".join(
            f"/Nodes({name})" for name in names
        )
        return json_response(
            {"result": [_entry(base, name, inside, len(names) + 1) for name, inside in children.items()]}
        )

    # Bodies ---------------------------------------------------------------------------------------
    def _member(self, row: int, product: trees.Product, member: trees.Member) -> Body:
        name = member.path.rsplit("/", 1)[-1]
        if row == self.archive.large_row and self.archive.large_bytes:
            return Body(self.archive.large_bytes, large_slice, name, MEDIA_TYPE, True, "large")
        data = self.packages.member(product, member)
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        return Body(
            len(data), lambda start, length: data[start : start + length], name, MEDIA_TYPE, True, etag
        )

    async def _zipped(self, product: trees.Product, filename: str) -> Body:
        data = await run_in_threadpool(self.packages.zip, product)
        return Body(
            len(data), lambda start, length: data[start : start + length], filename, "application/zip", False
        )


def _place(product: trees.Product, member: trees.Member) -> list[str]:
    """Names of the nodes from the product down to a file."""
    return [product.name] if product.layout == "single" else [product.name, *member.path.split("/")]


def _entry(
    base: str, name: str, inside: list[tuple[list[str], trees.Member]], depth: int
) -> dict[str, object]:
    is_file = len(inside[0][0]) == depth
    return {
        "Id": name,
        "Name": name,
        "ContentLength": inside[0][1].size if is_file else 0,
        "ChildrenNumber": 0 if is_file else len({tuple(place[: depth + 1]) for place, _ in inside}),
        "Nodes": {"uri": f"{base}/Nodes({name})/Nodes"},
    }


def _node_path(path: str) -> tuple[list[str], str]:
    """The names in `Nodes(a)/Nodes(b)/$value` and what is wanted: `$value` or `Nodes`."""
    *steps, wanted = path.split("/")
    good = wanted in ("$value", "Nodes") and all(
        step.startswith("Nodes(") and step.endswith(")") for step in steps
    )
    names = [step[6:-1] for step in steps]
    if (
        not good
        or any(not name or "'" in name or '"' in name for name in names)
        or (wanted == "$value" and not names)
    ):
        raise malformed_path()
    return names, wanted


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response
