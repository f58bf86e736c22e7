"""Where the bytes of a catalogue's assets are, by its records and listings, which are remembered."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from stacbridge import metrics
from stacbridge.access.flows import Flow, Send, drive, recalled
from stacbridge.access.presigned import ends_by, is_presigned
from stacbridge.access.terms import Terms
from stacbridge.dialects.dialect import Translation
from stacbridge.errors import UpstreamError
from stacbridge.model import Json, Pending, Ready, Reply, Request
from stacbridge.settings import Settings
from stacbridge.wire.hosts import without_query
from stacbridge.wire.remembered import Remembered

SOON = 60.0
"""Seconds that a presigned URL must be good for still, to be given to a client."""


class Places:
    """The places of a catalogue's assets. `record` finds the record of an item, `ask` asks for a listing."""

    def __init__(
        self,
        catalogue: str,
        terms: Terms,
        translation: Translation,
        settings: Settings,
        *,
        record: Callable[[str, str], Json],
        ask: Send,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._catalogue, self._terms, self._translation = catalogue, terms, translation
        self._record, self._ask, self._wall = record, ask, wall
        kept = (settings.location_seconds, settings.locations)
        noted = partial(partial, metrics.looked_up, catalogue)
        self._records: Remembered[Json] = Remembered(*kept, note=noted("records"), clock=clock)
        self._listings: Remembered[Reply] = Remembered(
            *kept, keep=_is_good, note=noted("listings"), clock=clock
        )

    def locate(self, collection: str, item: str, asset: str) -> Ready | Pending:
        """Say where the bytes of an asset are; records and listings are remembered for `location_seconds`.

        Records of what is pending are not, as it may come online at any time, nor those whose presigned URLs
        end soon. Raises `NotFound`, `NotOrderable` for products that are offline, and `UpstreamError`.
        """
        self._translation.asset(collection, asset)
        found = self._found(collection, item, asset)
        if self._ends_soon(found):
            self._records.forget((collection, item))
            found = self._found(collection, item, asset)
        if isinstance(found, Pending):
            self._records.forget((collection, item))
        elif not self._terms.hosts.may_follow(found.request.url):
            raise UpstreamError(
                f"{self._catalogue} keeps {asset} of {item} on a server that the bridge may not go to.",
                upstream=self._catalogue,
                answered=without_query(found.request.url),
                advice="If that server belongs to it, list it in the catalogue's hosts.",
            )
        return found

    def located(self, collection: str, item: str, asset: str) -> Ready | None:
        """Return what `locate` would, as far as it is remembered. Raises as that, and waits for nobody."""
        self._translation.asset(collection, asset)
        record = self._records.known((collection, item))
        if record is None:
            return None
        found = recalled(self._conversation(record, asset), self._remembered)
        if not isinstance(found, Ready) or not self._terms.hosts.may_follow(found.request.url):
            return None
        shown = self._marked(found)
        return None if self._ends_soon(shown) else shown

    def _found(self, collection: str, item: str, asset: str) -> Ready | Pending:
        record = self._records.get((collection, item), lambda: self._record(collection, item))
        found = drive(self._conversation(record, asset), self._listing)
        return self._marked(found) if isinstance(found, Ready) else found

    def _conversation(self, record: Json, asset: str) -> Flow[Ready | Pending]:
        return self._terms.locate(record, self._translation.place(record, asset))

    def _marked(self, found: Ready) -> Ready:
        """Note of a URL that it is open to all who have it."""
        url = found.request.url
        if found.request.method != "GET" or not is_presigned(url) or self._terms.wants_token(url):
            return found
        return replace(found, presigned=True)

    def _ends_soon(self, found: Ready | Pending) -> bool:
        if not isinstance(found, Ready) or not found.presigned:
            return False
        return ends_by(found.request.url, self._wall() + SOON)

    def _listing(self, request: Request) -> Reply:
        return self._listings.get(request.url, partial(self._ask, request))

    def _remembered(self, request: Request) -> Reply | None:
        return self._listings.known(request.url)


def _is_good(reply: Reply) -> bool:
    return reply.status == 200
