"""Where the bytes of an OData archive's products are: `$value`, `$zip`, a quicklook or a node."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from stacbridge.access import nodes
from stacbridge.access.flows import Flow
from stacbridge.errors import NotOrderable
from stacbridge.mapping.products import Place
from stacbridge.model import Json, Ready, Request

ZIP = "application/zip"


@dataclass(frozen=True, slots=True)
class Archive:
    """The products of one archive, under its download URL. `offline` is the advice for those not at hand."""

    upstream: str
    download: str
    offline: str | None = None

    def locate(self, record: Json, place: Place) -> Flow[Ready]:
        """Return where the bytes of a product's asset are.

        Raises `NotOrderable` for a product that is not online (CDSE takes no orders over OData), `NotFound`
        where a path leads to no file or to several, `UpstreamError` and its kin for a listing that is none.

        CDSE honours ranges for single files, and for a whole product only where that is a single file: a
        folder is zipped while it is sent.
        """
        if place.kind == "quicklook" and place.url is not None:
            return _ready(place, place.url)
        if record.get("Online") is False:
            raise NotOrderable(
                f"{place.product_name} is offline at {self.upstream}, which takes no orders for it here.",
                upstream=self.upstream,
                advice=self.offline,
            )
        product = f"{self.download}/Products({quote(place.product, safe='')})"
        if place.kind == "node":
            node = yield from nodes.find(self.upstream, product, place.product_name, place.path)
            return _ready(place, f"{node.url}/$value", ranges=True, size=node.size)
        if place.kind == "compressed":
            return _ready(place, f"{product}/$zip")
        return _ready(place, f"{product}/$value", ranges=place.media_type != ZIP)


def needs_token(url: str) -> bool:
    """Tell whether a URL of an archive wants a token: all do but quicklooks."""
    return "/Assets(" not in urlsplit(url).path


def _ready(place: Place, url: str, *, ranges: bool = False, size: int | None = None) -> Ready:
    return Ready(
        Request("GET", url), place.name, place.media_type, ranges, size or place.size, place.checksum
    )
