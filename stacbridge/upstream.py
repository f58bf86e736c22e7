"""A catalogue behind the wire: its dialect, its mapping and its access flow, put together."""

import time
from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from dataclasses import replace
from typing import Protocol, TypeVar

from stacbridge.access.archive import Archive, needs_token
from stacbridge.access.flows import drive
from stacbridge.access.terms import parse as parse_terms
from stacbridge.access.tokens import TokenBroker
from stacbridge.dialects.odata import OData
from stacbridge.errors import Misconfigured, NotFound, UpstreamError
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Found, Json, Page, Query, Ready, Reply, Request
from stacbridge.settings import Credentials, Settings
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import without_query
from stacbridge.wire.remembered import Remembered

DIALECTS: dict[str, Callable[[Mapping], "Dialect"]] = {"odata": OData}
BEARER = "Bearer "

T = TypeVar("T")


class Dialect(Protocol):
    """The language of an upstream's search. No I/O."""

    def ask(self, query: Query) -> Request | None:
        """Return the request that asks for a page, `None` where nothing can match. Raises `BadRequest`."""
        ...

    def read(self, reply: Reply, query: Query) -> Page:
        """Return the page in a reply. Raises `UpstreamError` where there is none."""
        ...


class Upstream:
    """The `Catalogue` protocol for any catalogue that a mapping describes."""

    def __init__(
        self,
        mapping: Mapping,
        dialect: Dialect,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.id = mapping.id
        self.title = mapping.title
        self.connections = _needed(mapping, "limits", "connections", mapping.limits)
        self._mapping = mapping
        self._dialect = dialect
        self._pages = settings.max_upstream_pages
        account = settings.credentials.get(mapping.id, Credentials())
        terms = parse_terms(mapping.id, mapping.access, mapping.endpoints, account)
        download = _needed(mapping, "endpoints", "download", mapping.endpoints)
        self._archive = Archive(mapping.id, download, terms.offline)
        self._hosts = terms.hosts
        self._wire = Wire(mapping.id, settings, terms.hosts, clock=clock, sleep=sleep)
        self._tokens = TokenBroker(
            terms.login, self._wire.exchange, settings.token_margin, clock=clock, wall=wall
        )
        keep = (settings.location_seconds, settings.locations)
        self._records: Remembered[Json] = Remembered(*keep, clock=clock)
        self._listings: Remembered[Reply] = Remembered(*keep, keep=_is_good, clock=clock)

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        """Return one page of items. Pages of nothing but records that cannot be items are passed over.

        Raises `BadRequest`, `UpstreamError` and its kin; the latter too after `max_upstream_pages`
        such pages in a row.
        """
        skipped = []
        matched = None
        for _ in range(self._pages):
            page = self._page(query)
            items, unfit = self._mapping.items(page.records, root, ready=ready)
            skipped += unfit
            matched = page.matched if matched is None else matched
            if items or page.position is None:
                return Found(items, page.position, matched, tuple(skipped))
            query = replace(query, position=page.position, count=False)
        raise UpstreamError(
            f"{self.id} answered {self._pages} pages without one record that can be an item.",
            upstream=self.id,
            answered=f"{len(skipped)} records; the first: {skipped[0].reason}" if skipped else "empty pages",
            advice="Narrow the search by collection, time or area, or raise the setting max_upstream_pages.",
        )

    def collections(self) -> list[Json]:
        """Return all Collections as plain dicts, without API links."""
        return list(self._mapping.collections.values())

    def queryables(self, collection: str | None) -> Json:
        """Return the JSON Schema of the properties that a filter may name."""
        return self._mapping.queryables(collection)

    def sortables(self, collection: str | None) -> Json:
        """Return the JSON Schema of the properties that `sortby` may name."""
        return self._mapping.sortables(collection)

    def locate(self, collection: str, item: str, asset: str) -> Ready:
        """Say where the bytes of an asset are; records and listings are remembered for `location_seconds`.

        Raises `NotFound`, `NotOrderable` for products that are offline, `UpstreamError` and its kin.
        """
        self._mapping.asset(collection, asset)
        record = self._records.get((collection, item), lambda: self._record(collection, item))
        ready = drive(self._archive.locate(record, self._mapping.place(record, asset)), self._listing)
        if not self.may_follow(ready.request.url):
            raise UpstreamError(
                f"{self.id} keeps {asset} of {item} on a server that the bridge may not go to.",
                upstream=self.id,
                answered=without_query(ready.request.url),
                advice="If that server belongs to it, list it in the catalogue's hosts.",
            )
        return ready

    def authorize(self, url: str) -> dict[str, str]:
        """Return the headers that let the account into `url`; none for servers that may not see its token."""
        return _bearer(self._tokens.token()) if self._wants_token(url) else {}

    def reauthorize(self, url: str, refused: dict[str, str]) -> dict[str, str]:
        """Return fresh headers after the upstream refused those given; one token call for all who ask."""
        if not self._wants_token(url):
            return {}
        return _bearer(self._tokens.renewed(refused.get("Authorization", "").removeprefix(BEARER)))

    def may_follow(self, url: str) -> bool:
        """Tell whether a redirect may lead to `url`: the catalogue's own servers, or any public https one."""
        return self._hosts.may_follow(url)

    def close(self) -> None:
        """Close the pooled connections."""
        self._wire.close()

    def _page(self, query: Query) -> Page:
        request = self._dialect.ask(query)
        if request is None:
            return Page([], matched=0 if query.count else None)
        return self._dialect.read(self._wire.send(request), query)

    def _record(self, collection: str, item: str) -> Json:
        page = self._page(Query(collections=(collection,), ids=(item,)))
        for record in page.records:
            for found in self._mapping.items([record], "")[0]:
                if (found["collection"], found["id"]) == (collection, item):
                    return record
        raise NotFound(f"There is no item {item!r} in collection {collection!r}.", upstream=self.id)

    def _listing(self, request: Request) -> Reply:
        return self._listings.get(request.url, lambda: self._wire.exchange(request))

    def _wants_token(self, url: str) -> bool:
        return self._hosts.may_see_credential(url) and needs_token(url)


def load(catalogue: str, settings: Settings) -> Upstream:
    """Return the catalogue of that id, from its files and the settings. Raises `Misconfigured`."""
    mapping = load_mapping(catalogue, settings)
    return Upstream(mapping, _needed(mapping, "dialect", mapping.dialect, DIALECTS)(mapping), settings)


def _needed(mapping: Mapping, where: str, name: str, values: Dictionary[str, T]) -> T:
    if name not in values:
        raise Misconfigured(f"{mapping.id}.toml: {where}: {name!r} is missing or unknown")
    return values[name]


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"{BEARER}{token}"}


def _is_good(reply: Reply) -> bool:
    return reply.status == 200
