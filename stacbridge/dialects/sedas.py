"""SeDAS, the Satellite Applications Catapult's archive: searches, look-ups by id, and what the account sees.

Facts are those of its published client, sedas-pyapi 0.5.0; the service's own documentation is not public.
What `start` and `stop` of a search bound is not known; those of Geocento's API, whose forms it shares, bound
the start of the acquisition. A service that takes all acquisitions which overlap them answers more, which is
sorted out here.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from stacbridge.dialects import sedas_scope
from stacbridge.dialects.dialect import Conversation, Translation
from stacbridge.dialects.sedas_groups import Groups
from stacbridge.dialects.sedas_products import Products
from stacbridge.dialects.sedas_scope import Scope
from stacbridge.dialects.sedas_search import JSON, Search, Service
from stacbridge.dialects.sedas_windows import EPOCH, Window
from stacbridge.errors import BadRequest
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Page, Query, Request, SortKey

LATEST = datetime(2100, 1, 1, tzinfo=UTC)
NEWEST_FIRST = SortKey("datetime", descending=True)


class SeDAS:
    """Asks and reads one SeDAS. `wall` is the Unix time, where searches without an end begin."""

    def __init__(self, mapping: Mapping, *, wall: Callable[[], float] = time.time) -> None:
        self._mapping = mapping
        self._service = Service(
            mapping.id,
            mapping.endpoints["catalogue"],
            mapping.limits.get("page", 100),
            mapping.limits.get("requests", 25),
            Products(mapping.specs.values()),
        )
        self._groups = Groups(mapping, self._service.products)
        self._wall = wall

    def walk(self, query: Query) -> Conversation[Page]:
        """Return one page, by at most `limits.requests` requests; it may be shorter than `query.limit`.

        Raises `UnsupportedFilter` and `BadRequest`, naming the parameter; `BadRequest` too where so many
        requests do not suffice for the least part of the search; `UpstreamError` and its kin for an answer
        that is no list of products.
        """
        order = _order(query)
        scope = sedas_scope.scope(query, self._mapping)
        if not scope.asks:
            return Page([], matched=0 if query.count else None)
        if query.ids:
            return (yield from self._by_id(query, scope))
        return (yield from self._by_time(query, scope, order))

    @property
    def translation(self) -> Translation:
        """The mapping, but that its Collections are only those that `discover` finds."""
        return self._groups

    def discover(self) -> Conversation[list[Json]]:
        """Return the Collections of the source groups that the account sees."""
        return self._groups.discover()

    def _by_id(self, query: Query, scope: Scope) -> Conversation[Page]:
        """Look products up one by one: whether SeDAS takes several ids at once is not known."""
        ids = list(dict.fromkeys(query.ids))
        start = int((query.position or {}).get("n", 0))
        end = min(start + min(self._service.requests, query.limit), len(ids))
        group = scope.asks[0].group if len(query.collections) == 1 else None
        found: list[Json] = []
        for id in ids[start:end]:
            reply = yield Request("GET", f"{self._service.url}/search/products", (("ids", id),), JSON)
            records = self._service.records(reply, group)
            found += [record for record in records if record["Name"] == id][:1]
        kept = scope.keep(found)
        whole = query.count and (start, end) == (0, len(ids)) and not scope.checked
        at = None if end == len(ids) else {"n": end}
        return Page(kept, at, len(kept) if whole else None, scope.checked)

    def _by_time(self, query: Query, scope: Scope, order: SortKey) -> Conversation[Page]:
        tomorrow = datetime.fromtimestamp(self._wall(), UTC) + timedelta(days=1)
        since, until = max(scope.since or EPOCH, EPOCH), min(scope.until or tomorrow, LATEST)
        window = Window.first(since, until, newest_first=order.descending).resumed(query.position)
        search = Search(self._service, scope, query.limit)
        window = yield from search.fill(window)
        counts = query.count and query.position is None and not scope.checked
        return Page(
            search.found + search.odd,
            None if window.over else window.position(),
            search.matched if counts else None,
            scope.checked,
        )


def _order(query: Query) -> SortKey:
    """Return the order of a query. Raises `BadRequest` for one that windows of time cannot give."""
    keys = query.sortby or (NEWEST_FIRST,)
    name = keys[0].name.removeprefix("properties.")
    if len(keys) > 1 or name not in sedas_scope.BY_TIME:
        raise BadRequest("SeDAS is walked by time, and sorted by it alone.", parameter="sortby")
    if query.ids and query.sortby:
        raise BadRequest("Products that are named by their ids cannot be sorted.", parameter="sortby")
    return keys[0]
