"""Where the bytes of an OData archive's products are: `$value`, `$zip`, a quicklook or a node."""

from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from stacbridge.access import nodes
from stacbridge.access.flows import Flow
from stacbridge.access.storage import Storage
from stacbridge.errors import NotOrderable
from stacbridge.mapping.products import Place
from stacbridge.model import Json, Pending, Ready, Request

ZIP = "application/zip"
AT_HAND = ("quicklook", "file")
"""Kinds of files that are there whether or not their product is online."""
RETRY_AFTER = 900
"""Seconds after which to ask again for a product in a long-term archive."""
PROCESSED = "/Bursts("
"""In paths of files that CDSE makes on demand: to be asked by POST, as its redirects are, and never by HEAD
(documentation.dataspace.copernicus.eu, Sentinel-1 SLC Burst).
"""


@dataclass(frozen=True, slots=True)
class Archive:
    """The products of one archive, under its download URL.

    `offline` is the advice for those not at hand, `forbidden` for those that the account may not have.
    With `orders`, those not at hand can be ordered; single files come from `storage`, where there is one.
    """

    upstream: str
    download: str
    offline: str | None = None
    forbidden: str | None = None
    orders: bool = False
    storage: Storage | None = None

    def locate(self, record: Json, place: Place) -> Flow[Ready | Pending]:
        """Return where the bytes of a product's asset are, and what to do if the account may not have them.

        `Pending` is a product that can be ordered: nothing is ordered here. Raises what finding them raises.
        """
        if self.orders and record.get("Online") is False and place.kind not in AT_HAND:
            return Pending(
                f"{place.product_name} is in the long-term archive of {self.upstream}. "
                "It downloads here once it has been ordered and brought back.",
                RETRY_AFTER,
            )
        found = yield from self._find(record, place)
        return replace(found, advice=self.forbidden, at_hand=place.kind in AT_HAND)

    def _find(self, record: Json, place: Place) -> Flow[Ready]:
        """Return where the bytes of a product's asset are.

        Raises `NotOrderable` for a product that is not online (CDSE takes no orders over OData), `NotFound`
        where a path leads to no file or to several, `UpstreamError` and its kin for a listing that is none.

        CDSE honours ranges for single files, and for a whole product only where that is a single file: a
        folder is zipped while it is sent.
        """
        if place.kind == "quicklook" and place.url is not None:
            return _ready(place, place.url)
        if place.kind == "file" and place.url is not None:
            return _file(place, place.url)
        if record.get("Online") is False:
            raise NotOrderable(
                f"{place.product_name} is offline at {self.upstream}, which takes no orders for it here.",
                upstream=self.upstream,
                advice=self.offline,
            )
        product = f"{self.download}/Products({quote(place.product, safe='')})"
        if place.kind == "node":
            node = yield from nodes.find(self.upstream, product, place.product_name, place.path)
            return self._stored(record, node, place)
        if place.kind == "compressed":
            return _ready(place, f"{product}/$zip")
        return _ready(place, f"{product}/$value", ranges=place.media_type != ZIP)

    def _stored(self, record: Json, node: nodes.Node, place: Place) -> Ready:
        """Return where a single file is: in the storage, where it has one, and as a node of the archive."""
        own = _ready(place, f"{node.url}/$value", ranges=True, size=node.size)
        url = None if self.storage is None else self.storage.find(record, node.path[1:])
        if self.storage is None or url is None:
            return own
        return self.storage.ready(replace(own, request=Request("GET", url), otherwise=own))


def _file(place: Place, url: str) -> Ready:
    """Return where a file is that the record itself lists; bursts are cut out by a POST (see `PROCESSED`)."""
    if PROCESSED in urlsplit(url).path:
        return replace(_ready(place, url), request=Request("POST", url))
    return _ready(place, url, ranges=True)


def _ready(place: Place, url: str, *, ranges: bool = False, size: int | None = None) -> Ready:
    return Ready(
        Request("GET", url), place.name, place.media_type, ranges, size or place.size, place.checksum
    )
