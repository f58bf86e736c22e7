"""Where the bytes of an OData product's assets are: `$value`, `$zip`, a quicklook or a node.

URLs are built from the configured endpoints and the record's ids, never taken from the record: CDSE's own
links lead to the catalogue, which redirects to another host (documentation.dataspace.copernicus.eu, OData).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from stacbridge.access import nodes
from stacbridge.access.flows import Flow
from stacbridge.errors import NotFound, NotOrderable
from stacbridge.model import Json, Ready, Request

ZIP = "application/zip"


@dataclass(frozen=True, slots=True)
class Part:
    """Which bytes of a product are meant.

    `kind` is "product" (whole), "compressed" (the archive that is stored beside it), "quicklook" or "node"
    (the file at `path` inside, where `*` stands for any characters). `size` and `checksum` (multihash, hex)
    are those that the upstream states for exactly these bytes.
    """

    kind: str
    name: str
    media_type: str
    path: str = ""
    size: int | None = None
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Products:
    """The products of one OData archive. `offline` is the advice for those that are not at hand."""

    upstream: str
    endpoints: Mapping[str, str]
    offline: str | None = None

    def locate(self, record: Json, part: Part) -> Flow[Ready]:
        """Return where the bytes of a part are.

        Raises `NotOrderable` for a product that is not online (CDSE takes no orders over OData), `NotFound`
        where the product has no such part.
        """
        name = record["Name"]
        if part.kind == "quicklook":
            return self._ready(part, Request("GET", self._quicklook(record)), ranges=False)
        if record.get("Online") is False:
            raise NotOrderable(
                f"{name} is offline at {self.upstream}, which takes no orders for it here.",
                upstream=self.upstream,
                advice=self.offline,
            )
        url = f"{self.endpoints['download']}/Products({quote(record['Id'], safe='')})"
        if part.kind == "node":
            node = yield from nodes.find(self.upstream, url, name, part.path)
            return self._ready(part, node.value, ranges=True, size=node.size)
        if part.kind == "compressed":
            if not any(place.get("FormatType") == "Compressed" for place in record.get("Locations") or ()):
                raise self._absent(name, "no archive is stored beside it")
            return self._ready(part, Request("GET", f"{url}/$zip"), ranges=False)
        return self._ready(part, Request("GET", f"{url}/$value"), ranges=part.media_type != ZIP)

    def needs_token(self, url: str) -> bool:
        """Tell whether a URL of the archive wants a token: all do but quicklooks."""
        return "/Assets(" not in urlsplit(url).path

    def _quicklook(self, record: Json) -> str:
        for asset in record.get("Assets") or ():
            if asset.get("Type") == "QUICKLOOK" and asset.get("Id"):
                return f"{self.endpoints['catalogue']}/Assets({quote(asset['Id'], safe='')})/$value"
        raise self._absent(record["Name"], "it has no quicklook")

    def _ready(self, part: Part, request: Request, *, ranges: bool, size: int | None = None) -> Ready:
        return Ready(request, part.name, part.media_type, ranges, size or part.size, part.checksum)

    def _absent(self, name: str, why: str) -> NotFound:
        return NotFound(f"{name} has no such asset: {why}.", upstream=self.upstream)
