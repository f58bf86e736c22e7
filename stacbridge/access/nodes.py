"""The place of one file inside a product: OData Nodes, listed only where a path leaves a name open.

    Products(<id>)/Nodes(<product name>)/Nodes(<folder>)/Nodes(<file>)/$value

Names stand in a URL without quotes (CDSE answers quoted ones with 400 DAT-ZIP-104); a listing is
`{"result": [{"Name", "ContentLength", …}]}` and needs no token (documentation.dataspace.copernicus.eu,
OData).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from stacbridge.access.flows import Flow
from stacbridge.errors import NotFound, UpstreamError
from stacbridge.model import Json, Reply, Request
from stacbridge.wire.answers import read_json
from stacbridge.wire.refusals import refusal


@dataclass(frozen=True, slots=True)
class Node:
    """A file inside a product. `size` is in bytes, where a listing told it; `path` leads there, from the
    product's own name on.
    """

    url: str
    name: str
    size: int | None = None
    path: tuple[str, ...] = ()

    def child(self, name: str, size: int | None = None) -> "Node":
        """Return the node of that name inside this one."""
        return Node(f"{self.url}/Nodes({quote(name, safe='')})", name, size, (*self.path, name))


def find(upstream: str, product: str, name: str, path: Sequence[str]) -> Flow[Node]:
    """Return the file at `path` inside the product with that URL and name.

    `*` in a segment of the path stands for any characters. Raises `NotFound`, naming the path, where no file
    or more than one matches, `UpstreamError` and its kin for a listing that is none.
    """
    node = Node(product, "").child(name)
    for segment in path:
        if "*" in segment:
            listing = Request("GET", f"{node.url}/Nodes")
            entry = _only(
                upstream, name, "/".join(path), segment, _entries(upstream, listing, (yield listing))
            )
            node = node.child(entry["Name"], _size(entry))
        else:
            node = node.child(segment)
    return node


def _entries(upstream: str, request: Request, reply: Reply) -> list[Json]:
    if reply.status == 404:
        return []
    if reply.status != 200:
        raise refusal(upstream, request, reply)
    match read_json(reply, upstream):
        case {"result": [*entries]}:
            return [entry for entry in entries if isinstance(entry, dict) and _plain(entry.get("Name"))]
    raise UpstreamError(
        f"{upstream} answered a listing without a result.", upstream=upstream, asked=f"GET {request.url}"
    )


def _plain(name: Any) -> bool:
    return isinstance(name, str) and name not in {"", ".", ".."} and "/" not in name


def _only(upstream: str, product: str, path: str, segment: str, entries: list[Json]) -> Json:
    pattern = re.compile(".*".join(map(re.escape, segment.split("*"))), re.DOTALL)
    matches = [entry for entry in entries if pattern.fullmatch(entry["Name"])]
    if len(matches) == 1:
        return matches[0]
    raise NotFound(
        f"{len(matches) or 'no'} files match {segment} of {path} in {product}.",
        upstream=upstream,
        advice="The product is laid out otherwise than its kind; download it whole.",
    )


def _size(entry: Json) -> int | None:
    """Return a node's size. Folders tell 0, and so does who does not know."""
    size = entry.get("ContentLength")
    return size if isinstance(size, int) and size > 0 else None
