"""Downloads with a catalogue's account, at `/assets/{catalogue}/{collection}/{item}/{asset}/{file}`.

A plain ASGI application, to be mounted outside every middleware: one that packs or buffers bodies would break
ranges, and hold whole products in memory.
"""

import ssl
import time
from collections.abc import Callable, Mapping

from stacbridge.callers.principal import Principal
from stacbridge.callers.threads import Threads
from stacbridge.catalogue import Catalogue
from stacbridge.download.account import Account, Means
from stacbridge.download.accounts import Accounts
from stacbridge.download.address import Address
from stacbridge.download.background import Background
from stacbridge.download.client import (
    METHODS,
    PREFLIGHT,
    Answer,
    Receive,
    Scope,
    Send,
    until_disconnect,
    wanted_of,
)
from stacbridge.download.crowd import Crowd
from stacbridge.download.delivery import Wanted, promise
from stacbridge.download.hooks import ANYONE, NO_HOOKS, PRINCIPAL, Hooks, Ordered
from stacbridge.download.lease_stores import open_leases
from stacbridge.download.ledger import Ledger
from stacbridge.download.pump import Piecewise, pump
from stacbridge.download.shelf import Shelf
from stacbridge.download.transfers import Transfers
from stacbridge.download.urls import url_of
from stacbridge.errors import MethodNotAllowed, NotFound, NotStaged
from stacbridge.model import Json, Pending, Ready
from stacbridge.settings import Settings


class AssetProxy:
    """An ASGI application for everything below `/assets/`."""

    def __init__(
        self,
        catalogues: Mapping[str, Catalogue],
        settings: Settings,
        context: ssl.SSLContext | None = None,
        hooks: Hooks = NO_HOOKS,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Serve the assets of `catalogues`, by id; `context` says which authorities vouch for upstreams.

        `clock` is that of breakers, retries and rates.

        Raises `Misconfigured` for a spool folder that another bridge uses.
        """
        self._settings = settings
        self._crowd = Crowd(settings.max_streams, settings.max_streams_per_user)
        threads = Threads(settings.search_threads, "assets")
        self._means = Means(
            settings,
            Transfers(settings, context),
            Ledger(settings.ledger),
            open_leases(settings),
            threads,
            Background(threads),
            hooks,
            clock,
        )
        self._shelf = Shelf.of(settings, self._means.transfers, self._means.in_thread)
        self._accounts = Accounts(catalogues, self._means)

    async def close(self) -> None:
        """Give back the connections, files and threads, when the server stops."""
        if self._shelf is not None:
            await self._shelf.close()
        means = self._means
        await means.transfers.close()
        await means.background.finish()
        means.threads.shutdown(wait=False, cancel_futures=True)
        means.ledger.close()
        if means.leases is not None:
            means.leases.close()

    async def status(self, principal: Principal | None = None) -> Json:
        """Return how busy each catalogue's account is, and how the caller's downloads stand."""
        return await self._accounts.status(principal, _user(principal))

    def load(self) -> dict[str, dict[str, int]]:
        """Return how many connections each catalogue's account has, in use, and how many wait for one."""
        return self._accounts.load()

    def standing(self) -> dict[str, Json]:
        """Return how downloads from each catalogue fare: hosts, retries, and how fast they come."""
        return self._accounts.standing()

    def spool(self) -> Json:
        """Return how the spool is, if there is one."""
        return {} if self._shelf is None else self._shelf.standing()

    def check(self) -> None:
        """Raise `NotStaged` where the spool, if there is one, has no room or cannot be written. Blocks."""
        if self._shelf is not None:
            self._shelf.check()

    def warnings(self) -> dict[str, list[str]]:
        """Return what the holders of accounts should see to, by catalogue."""
        return self._accounts.warnings()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; leave as soon as its client does."""
        async with until_disconnect(receive):
            answer = Answer(scope, send)
            try:
                with self._crowd.member(scope.get(PRINCIPAL)):
                    await self._serve(scope, answer)
            except Exception as failure:
                if answer.started:
                    raise
                await answer.fail(failure)

    async def _serve(self, scope: Scope, answer: Answer) -> None:
        if scope["method"] == "OPTIONS":
            await answer.start(204, PREFLIGHT)
            await answer.end()
        elif scope["method"] not in METHODS:
            raise MethodNotAllowed(
                "Assets can be read, and nothing else.", parameter="method", allow=", ".join(METHODS)
            )
        else:
            await self._send(scope, answer)

    async def _send(self, scope: Scope, answer: Answer) -> None:
        address = Address.parse(scope["raw_path"])
        principal: Principal | None = scope.get(PRINCIPAL)
        account = self._accounts.of(principal, address.catalogue)
        place = await account.gate.locate(address.collection, address.item, address.asset)
        _check_name(place, address)
        if isinstance(place, Pending):
            order = await self._means.in_thread(self._means.hooks.order_of, address, principal)
            await answer.fail(_offline(place, address, order), None if order is None else order.url)
            return
        wanted = wanted_of(scope)
        try:
            await self._give(account, place, wanted, answer, _user(principal))
        finally:
            if answer.whole and not wanted.head and not place.at_hand:
                self._means.background.later(self._means.hooks.fetched, address, principal)

    async def _give(self, account: Account, ready: Ready, wanted: Wanted, answer: Answer, user: str) -> None:
        """Answer with the file. A HEAD waits for no slot, and makes no upstream process anything."""
        if ready.presigned and (not wanted.head or ready.size is None):  # it is signed for GET
            await answer.start(307, {"Location": url_of(ready.request), "Cache-Control": "no-store"})
            await answer.end()
            return
        shelf = self._shelf if not ready.ranges else None
        if shelf is not None and await shelf.serve(account, ready, wanted, answer, user):
            return
        if wanted.head and (ready.presigned or ready.request.method == "POST" or account.slots.busy):
            await answer.start(200, promise(ready, ready.ranges or shelf is not None))
            await answer.end()
            return
        if self._settings.accel is not None and ready.ranges and not wanted.head:
            handed = await account.handover(ready, user, self._settings.accel)
            if handed is not None:
                await answer.start(200, handed)
                await answer.end()
                return
        async with account.stream(ready, wanted, user) as stream:
            headers = stream.delivery.headers | ({} if shelf is None else {"Accept-Ranges": "bytes"})
            await answer.start(stream.delivery.status, headers)
            if wanted.head:
                await answer.end()
            else:
                source = account.verified(stream, ready)
                flow = stream if source is stream else Piecewise(source)
                await pump(flow, answer, self._settings.download_idle_timeout)


def _user(principal: Principal | None) -> str:
    return ANYONE if principal is None else principal.id


def _offline(place: Pending, address: Address, order: Ordered | None) -> NotStaged:
    """Return why there are no bytes: when to ask again if they may come by themselves, else what to do."""
    if order is not None and order.pending:
        return NotStaged(place.reason, upstream=address.catalogue, retry_after=place.retry_after)
    advice = f"Order it: `stacbridge order {address.collection} {address.item}`, or POST /orders."
    return NotStaged(place.reason, upstream=address.catalogue, advice=advice)


def _check_name(place: Ready | Pending, address: Address) -> None:
    if isinstance(place, Ready) and place.name != address.file:
        raise NotFound(f"The file of asset {address.asset!r} is {place.name!r}, not {address.file!r}.")
