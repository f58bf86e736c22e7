"""A catalogue behind the wire: its dialect, its mapping and its access flow, put together."""

import time
from collections.abc import Callable, Set
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial

from stacbridge import metrics
from stacbridge.access import registry
from stacbridge.access.flows import Send, drive
from stacbridge.access.sessions import Sessions
from stacbridge.access.signer import Signer
from stacbridge.access.terms import Remark
from stacbridge.access.tokens import Pauses
from stacbridge.catalogue import Archive, Quota
from stacbridge.cql.matching import condition
from stacbridge.dialects.dialect import Describing, Dialect, Discovering, Translating, Translation
from stacbridge.dialects.registry import walk
from stacbridge.errors import Misconfigured, NotFound
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Found, Json, Page, Pending, Query, Ready, Reply, Request, Skipped
from stacbridge.places import Places
from stacbridge.settings import Credentials, Settings
from stacbridge.sieve import Bounds, fill
from stacbridge.turns import turns
from stacbridge.upstream_archive import UpstreamArchive
from stacbridge.wire.client import Wire
from stacbridge.wire.refusals import refusal
from stacbridge.wire.remembered import Remembered
from stacbridge.wire.replies import Replies
from stacbridge.wire.stale import Refreshed


class Upstream:
    """The `Catalogue` protocol for any catalogue that a mapping describes.

    Its account is `account`, else that of the settings; its session is shared over `sessions`, and `keep` is
    told when its refresh token changed.
    """

    def __init__(
        self,
        mapping: Mapping,
        dialect: Dialect,
        settings: Settings,
        account: Credentials | None = None,
        *,
        sessions: Sessions | None = None,
        keep: Callable[[str], None] = lambda refresh: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.id = mapping.id
        self.title = mapping.title
        self.connections = _connections(mapping)
        self.quota = Quota.of(mapping.limits)
        self._translation: Translation = dialect.translation if isinstance(dialect, Translating) else mapping
        self._dialect = dialect
        self._bounds = Bounds(settings.max_upstream_pages, settings.search_seconds, clock)
        self._parallel = settings.parallel_requests
        self._wall = wall
        credentials = account or settings.credentials.get(mapping.id, Credentials())
        self._terms = registry.parse(mapping.id, mapping.access, mapping.endpoints, credentials)
        self._wire = Wire(mapping.id, settings, self._terms.hosts, clock=clock, sleep=sleep)
        self._signer = Signer(
            self._terms,
            self._token_call,
            settings.token_margin,
            sessions=sessions,
            pauses=Pauses(settings.login_pause, settings.retry_wait, settings.breaker_seconds),
            keep=keep,
            clock=clock,
            wall=wall,
        )
        self._places = Places(
            mapping.id,
            self._terms,
            self._translation,
            settings,
            record=self._record,
            ask=self._listing,
            clock=clock,
            wall=wall,
        )
        lists = (settings.collection_seconds, settings.collection_pause)
        self._discovered = Refreshed(self._discover, *lists, clock=clock)
        cache = (settings.search_cache_seconds, settings.search_cache_bytes)
        noted = partial(metrics.looked_up, mapping.id, "searches")
        self._replies = Replies(*cache, self._send, note=noted, clock=clock)
        self._item_ids, self._endings = mapping.item_ids, mapping.endings
        self.slow_by_id = bool(getattr(dialect, "slow_by_id", False))
        self._described: Remembered[Json] = Remembered(settings.collection_seconds, 1000, clock=clock)
        self.archive: Archive | None = self._archive(mapping)

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        """Return one page of Items that match, checked here where the upstream was not asked for all.

        Raises `BadRequest` and its kin, `UpstreamError` and its kin; of these `SearchTooWide` or
        `UpstreamError` where nothing was found within `max_upstream_pages` and `search_seconds`.
        """
        match = condition(query.filter) if query.filter else lambda item: True

        def translate(records: list[Json]) -> tuple[list[Json], list[Skipped]]:
            with turns.take():
                return self._translation.items(records, root, ready=ready)

        found = fill(query, self._remembered, translate, match, self._bounds, self.id)
        metrics.SKIPPED.labels(self.id).inc(len(found.skipped))
        return found

    def collections(self) -> list[Json]:
        """Return all Collections as plain dicts, without API links.

        Those that the upstream lists itself are remembered for `collection_seconds`, and longer while it is
        down. Raises `UpstreamError` and its kin where they never were heard of.
        """
        return [*self._translation.collections.values(), *self._discovered.get()]

    def claims(self) -> Set[str]:
        """Return the ids of the Collections that its files name."""
        return self._translation.collections.keys()

    def age(self) -> float | None:
        """Return the seconds since the upstream listed its collections, `None` where files do."""
        return self._discovered.age() if isinstance(self._dialect, Discovering) else None

    def queryables(self, collection: str | None) -> Json:
        """Return the JSON Schema of the properties that a filter may name."""
        dialect = self._dialect
        if not isinstance(dialect, Describing):
            return self._translation.queryables(collection)
        return self._described.get(collection, lambda: drive(dialect.queryables(collection), self._send))

    def sortables(self, collection: str | None) -> Json:
        """Return the JSON Schema of the properties that `sortby` may name."""
        return self._translation.sortables(collection)

    def may_hold(self, id: str) -> bool:
        """Tell whether an item with that id could be here, as far as the mapping says."""
        known = self._item_ids is None or self._item_ids.fullmatch(id) is not None
        return known and not id.endswith(self._endings)

    def locate(self, collection: str, item: str, asset: str) -> Ready | Pending:
        """Say where the bytes of an asset are. Raises as `Places.locate`."""
        return self._places.locate(collection, item, asset)

    def located(self, collection: str, item: str, asset: str) -> Ready | None:
        """Return what `locate` would, as far as it is remembered; waits for nobody."""
        return self._places.located(collection, item, asset)

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        """Return the headers that let the account into `url`; none for servers that may not see its token."""
        return self._signer.authorize(url, method)

    def authorized(self, url: str, method: str = "GET") -> dict[str, str] | None:
        """Return what `authorize` would, unless a token has to be got for it. Waits for nobody."""
        return self._signer.authorized(url, method)

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        """Return fresh headers after the upstream refused those given; one token call for all who ask."""
        return self._signer.reauthorize(url, refused, method)

    def expired(self, reply: Reply) -> bool:
        """Tell whether an answer means that fresh headers are worth asking for."""
        return self._signer.expired(reply)

    def log_in(self) -> None:
        """Get a token now, to see whether the account is taken. Raises `Misconfigured`, `UpstreamError`."""
        self._signer.log_in()

    def warnings(self) -> list[str]:
        """Return what its account's holder should see to; asks nobody."""
        failure = self._signer.failure()
        resting = [] if failure is None else [str(failure)]
        return resting + [remark.said for remark in self.remarks() if remark.good is False]

    def remarks(self) -> list[Remark]:
        """Return what is to be said of the account, without asking anybody."""
        return self._terms.remarks(self._wall())

    def may_follow(self, url: str) -> bool:
        """Tell whether a redirect may lead to `url`: the catalogue's own servers, or any public https one."""
        return self._terms.hosts.may_follow(url)

    def close(self) -> None:
        """End the account's session, unless somebody else uses it, and close the pooled connections."""
        self._signer.close()
        self._wire.close()

    def _remembered(self, query: Query) -> Page:
        with self._replies.reading() as find:
            return self._page(query, find, turns.take)

    def _page(
        self,
        query: Query,
        send: Callable[[Request], Reply],
        step: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Page:
        self._discovered.get()  # a dialect finds nothing in collections that it has not heard of
        return drive(walk(self._dialect, query), send, self._parallel, step)

    def _discover(self) -> list[Json]:
        return drive(self._dialect.discover(), self._send) if isinstance(self._dialect, Discovering) else []

    def _token_call(self, request: Request) -> Reply:
        metrics.TOKENS.labels(self.id).inc()
        return self._wire.exchange(request)

    def _send(self, request: Request) -> Reply:
        """Return the answer to a search, which must be one of success."""
        reply = self._signed(request) if self._terms.searches else self._wire.exchange(request)
        if 200 <= reply.status < 300:
            return reply
        raise refusal(self.id, request, reply)

    def _signed(self, request: Request) -> Reply:
        """Return the answer to a request with the account's credential, whatever its status."""
        return self._with_account(request, self._wire.exchange)

    def _with_account(self, request: Request, ask: Send) -> Reply:
        """Ask with the account's credential, and with a fresh one if that is refused."""
        headers = self.authorize(request.url)
        reply = ask(replace(request, headers={**request.headers, **headers}))
        if not headers or not self.expired(reply):
            return reply
        fresh = self.reauthorize(request.url, headers)
        return ask(replace(request, headers={**request.headers, **fresh}))

    def _archive(self, mapping: Mapping) -> UpstreamArchive:
        return UpstreamArchive(
            mapping.endpoints.get("catalogue", mapping.id),
            self._terms.ordering,
            record=self._record,
            send=self._signed,
            send_once=lambda request: self._with_account(request, self._wire.once),
            log_in=self.log_in,
        )

    def _record(self, collection: str, item: str) -> Json:
        page = self._page(Query(collections=(collection,), ids=(item,)), self._send)
        for record in page.records:
            for found in self._translation.items([record], "")[0]:
                if (found["collection"], found["id"]) == (collection, item):
                    return record
        raise NotFound(f"There is no item {item!r} in collection {collection!r}.", upstream=self.id)

    def _listing(self, request: Request) -> Reply:
        return self._signed(request) if self._terms.searches else self._wire.exchange(request)


def _connections(mapping: Mapping) -> int:
    if "connections" not in mapping.limits:
        raise Misconfigured(
            f"{mapping.id}.toml: limits.connections: is missing",
            advice="Say there how many downloads at once the archive allows an account.",
        )
    return mapping.limits["connections"]
