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
from stacbridge.dialects.crowd import Crowd
from stacbridge.dialects.dialect import Conversation, Translation
from stacbridge.dialects.sedas_groups import Groups
from stacbridge.dialects.sedas_matches import times
from stacbridge.dialects.sedas_products import Products
from stacbridge.dialects.sedas_scope import Scope
from stacbridge.dialects.sedas_search import JSON, Search, Service
from stacbridge.dialects.sedas_windows import EPOCH, Window, ticks
from stacbridge.dialects.together import together
from stacbridge.errors import BadRequest
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Page, Query, Request, SortKey

LATEST = datetime(2100, 1, 1, tzinfo=UTC)
NEWEST_FIRST = SortKey("datetime", descending=True)


class SeDAS:
    """Asks and reads one SeDAS. `wall` is the Unix time, where searches without an end begin."""

    slow_by_id = True
    """SeDAS is asked for one id at a time."""

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
        """Return one page, by at most `limits.requests` requests, or one for each id of the query; it may be
        shorter than `query.limit`.

        Raises `UnsupportedFilter` and `BadRequest`, naming the parameter; `SearchTooWide` where neither time
        nor area tells products apart; `UpstreamError` and its kin for an answer that is no list of products.
        """
        order = _order(query)
        scope = sedas_scope.scope(query, self._mapping)
        if not scope.asks:
            return Page([], matched=0 if query.count else None)
        if query.ids:
            return (yield from self._by_id(query, scope, order))
        return (yield from self._by_time(query, scope, order))

    @property
    def translation(self) -> Translation:
        """The mapping, but that its Collections are only those that `discover` finds."""
        return self._groups

    def discover(self) -> Conversation[list[Json]]:
        """Return the Collections of the source groups that the account sees."""
        return self._groups.discover()

    def _by_id(self, query: Query, scope: Scope, order: SortKey) -> Conversation[Page]:
        """Look products up one by one: whether SeDAS takes several ids at once is not known.

        Only when all are known is their order; a position says behind which of them it is.
        """
        group = scope.asks[0].group if len(query.collections) == 1 else None
        found = yield from together(self._lookup(id, group) for id in dict.fromkeys(query.ids))
        kept = scope.keep([record for records in found for record in records])
        placed = sorted((_place(record, order), number) for number, record in enumerate(kept))
        after = tuple((query.position or {}).get("after", ()))
        rest = [(place, kept[number]) for place, number in placed if place > after]
        shown = rest[: query.limit]
        at = {"after": list(shown[-1][0])} if len(rest) > len(shown) else None
        counts = query.count and query.position is None and not scope.checked
        return Page(
            [record for _, record in shown],
            at,
            len(kept) if counts else None,
            scope.checked,
            after=lambda count: {"after": list(shown[count - 1][0])},
        )

    def _lookup(self, id: str, group: str | None) -> Conversation[list[Json]]:
        reply = yield Request("GET", f"{self._service.url}/search/products", (("ids", id),), JSON)
        return [record for record in self._service.records(reply, group) if record["Name"] == id][:1]

    def _by_time(self, query: Query, scope: Scope, order: SortKey) -> Conversation[Page]:
        tomorrow = datetime.fromtimestamp(self._wall(), UTC) + timedelta(days=1)
        since, until = max(scope.since or EPOCH, EPOCH), min(scope.until or tomorrow, LATEST)
        window = Window.first(since, until, newest_first=order.descending).resumed(query.position)
        crowded = query.position is not None and "c" in query.position
        search = Search(self._service, scope, query.limit)
        at = yield from search.fill(Crowd.resumed(window, query.position or {}) if crowded else window)
        counts = query.count and query.position is None and not scope.checked
        return Page(
            search.found + search.odd,
            None if isinstance(at, Window) and at.over else at.position(),
            search.matched if counts else None,
            scope.checked,
            after=search.after,
        )


def _order(query: Query) -> SortKey:
    """Return the order of a query. Raises `BadRequest` for one that windows of time cannot give."""
    keys = query.sortby or (NEWEST_FIRST,)
    name = keys[0].name.removeprefix("properties.")
    if len(keys) > 1 or name not in sedas_scope.BY_TIME:
        raise BadRequest("SeDAS is walked by time, and sorted by it alone.", parameter="sortby")
    return keys[0]


def _place(record: Json, order: SortKey) -> tuple[int, str]:
    """Return where a product stands in an order; those without a time come last."""
    start, _ = times(record)
    at = LATEST if start is None else start
    return -ticks(at) if order.descending and start else ticks(at), record["Name"]
