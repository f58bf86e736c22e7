"""The source groups of SeDAS as Collections: those that the account sees, of those that the catalogue
describes."""

import logging
from collections.abc import Mapping as Dictionary

from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.sedas_products import Products, satellites
from stacbridge.errors import StacbridgeError, UpstreamError
from stacbridge.mapping.families import Collection
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Request
from stacbridge.wire.answers import read_json, told

JSON = {"Content-Type": "application/json", "Accept": "application/json"}

log = logging.getLogger(__name__)


class Groups:
    """A mapping in all but its Collections, which the service tells of."""

    def __init__(self, mapping: Mapping, products: Products) -> None:
        self.items, self.asset, self.place = mapping.items, mapping.asset, mapping.place
        self.queryables, self.sortables = mapping.queryables, mapping.sortables
        self.collections: dict[str, Json] = {}
        self._id = mapping.id
        self._specs: Dictionary[str, Collection] = mapping.specs
        self._url = mapping.endpoints["catalogue"]
        self._products = products
        self._heard = False

    def discover(self) -> Conversation[list[Json]]:
        """Return the Collections of the source groups that the account sees, with the satellites of them.

        Groups that the catalogue's files do not describe are logged. As long as the service never answered,
        all that are described are returned, so that a bridge starts without it; later on its failures are
        raised.
        """
        try:
            groups = yield from self._names("sourceGroups")
            listed = yield from self._names("satellites")
        except StacbridgeError as failure:
            if self._heard:
                raise
            log.warning("%s did not tell its source groups, and all are shown: %s", self._id, failure)
            return [spec.stac for spec in self._specs.values()]
        self._heard = True
        known, unknown = self._products.groups(groups)
        if unknown:
            log.warning("%s has source groups that are not described here: %s", self._id, sorted(unknown))
        return [_described(spec, listed) for spec in self._specs.values() if spec.family in known]

    def _names(self, kind: str) -> Conversation[list[str]]:
        reply = yield Request("GET", f"{self._url}/sensors/{kind}", headers=JSON)
        entries = read_json(reply, self._id)
        if not isinstance(entries, list):
            raise UpstreamError(
                f"{self._id} answered no list of {kind}.",
                upstream=self._id,
                asked=reply.url or None,
                answered=told(reply),
            )
        names = [entry.get("name") for entry in entries if isinstance(entry, dict)]
        return [name for name in names if isinstance(name, str)]


def _described(spec: Collection, listed: list[str]) -> Json:
    """Return a Collection whose summary of platforms names the satellites that the service lists."""
    row = spec.rows.get("platform")
    names = [name for name in satellites(spec) if name in listed]
    if row is None or not names:
        return spec.stac
    platforms = list(dict.fromkeys(row.read(name) for name in names))
    return {**spec.stac, "summaries": {**spec.stac.get("summaries", {}), "platform": platforms}}
