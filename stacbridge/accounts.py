"""Callers' own accounts at a catalogue: each is served by an `Upstream` of their own, or not at all.

Tokens, remembered records and listings live in an `Upstream`, so that none of them can reach another caller.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from stacbridge.access import registry
from stacbridge.access.terms import Remark
from stacbridge.callers.principal import caller, scope_of
from stacbridge.catalogue import Archive
from stacbridge.dialects.dialect import Discovering
from stacbridge.dialects.registry import dialect_of
from stacbridge.errors import BadRequest, Forbidden, Misconfigured, UpstreamRefused
from stacbridge.loading import shared_sessions
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Found, Json, Pending, Query, Ready, Reply
from stacbridge.own_archive import OwnArchive
from stacbridge.settings import Credentials, Settings
from stacbridge.upstream import Upstream
from stacbridge.vault import Vault, renew

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Held:
    """A caller's account, ready for use; `read_at` is when the vault last had it so (monotonic)."""

    account: Credentials
    upstream: Upstream
    read_at: float


class OwnAccounts:
    """The `Catalogue` protocol for a catalogue whose account is the caller's.

    What needs no account is answered for all alike. A catalogue that lists its collections to accounts only
    is asked for them, and for nothing else, with that of the settings. Raises `Misconfigured` for settings
    that cannot work.
    """

    def __init__(
        self, id: str, settings: Settings, vault: Vault, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if settings.access == "open":
            raise Misconfigured(f'accounts.{id} is "own", and access is "open": nobody is known.')
        given = settings.credentials.get(id, Credentials())
        self._client = Credentials(client_id=given.client_id, client_secret=given.client_secret)
        self._settings, self._vault, self._clock = settings, vault, clock
        self._mapping = load_mapping(id, settings)
        self._shared = self._upstream(given)
        self.id, self.title, self.connections = id, self._shared.title, self._shared.connections
        self.quota = self._shared.quota
        self.archive: Archive | None = self._archive()
        self._searches = registry.parse(id, self._mapping.access, self._mapping.endpoints, given).searches
        _check_lister(id, given, needed=self._searches and self._discovers)
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._lock = Lock()

    @property
    def held(self) -> int:
        """How many callers' accounts are held ready."""
        return len(self._held)

    def keep(self, account: Credentials) -> None:
        """Try the caller's account, and keep it encrypted. Raises `BadRequest` for one that is not taken."""
        scope = scope_of(caller(), self.id, self._settings)
        trial = self._upstream(self._with_client(account))
        try:
            trial.log_in()
        except UpstreamRefused as refused:
            raise BadRequest(
                f"{self.id} does not take this account.", answered=refused.answered, parameter="body"
            ) from None
        finally:
            trial.close()
        self._vault.write(scope, account)
        self._drop(scope)

    def forget(self) -> None:
        """Keep the caller's account no longer, if there is one."""
        scope = scope_of(caller(), self.id, self._settings)
        self._vault.forget(scope)
        self._drop(scope)

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        """Return one page of items, with the caller's account where the catalogue wants one."""
        return (self._mine() if self._searches else self._shared).search(query, root, ready=ready)

    def collections(self) -> list[Json]:
        """Return all Collections."""
        return self._shared.collections()

    def claims(self) -> Set[str]:
        """Return the ids of the Collections that its files name."""
        return self._shared.claims()

    def age(self) -> float | None:
        """Return the seconds since the upstream listed its collections."""
        return self._shared.age()

    def queryables(self, collection: str | None) -> Json:
        """Return the JSON Schema of the properties that a filter may name."""
        return self._shared.queryables(collection)

    def sortables(self, collection: str | None) -> Json:
        """Return the JSON Schema of the properties that `sortby` may name."""
        return self._shared.sortables(collection)

    @property
    def slow_by_id(self) -> bool:
        """Whether each of the ids of a search is looked up on its own."""
        return self._shared.slow_by_id

    def may_hold(self, id: str) -> bool:
        """Tell whether an item with that id could be here."""
        return self._shared.may_hold(id)

    def locate(self, collection: str, item: str, asset: str) -> Ready | Pending:
        """Say where the bytes of an asset are."""
        return self._mine().locate(collection, item, asset)

    def located(self, collection: str, item: str, asset: str) -> Ready | None:
        """Return what `locate` would, as far as it is remembered; waits for nobody."""
        mine = self._ready(scope_of(caller(), self.id, self._settings))
        return None if mine is None else mine.located(collection, item, asset)

    def warnings(self) -> list[str]:
        """Return nothing: accounts are their holders' business."""
        return []

    def remarks(self) -> list[Remark]:
        """Return nothing, as `warnings` does."""
        return []

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        """Return the headers that let the caller's account into `url`."""
        return self._mine().authorize(url, method)

    def authorized(self, url: str, method: str = "GET") -> dict[str, str] | None:
        """Return what `authorize` would, unless the vault or a provider has to be asked."""
        mine = self._ready(scope_of(caller(), self.id, self._settings))
        return None if mine is None else mine.authorized(url, method)

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        """Return fresh headers after the upstream refused those given."""
        return self._mine().reauthorize(url, refused, method)

    def expired(self, reply: Reply) -> bool:
        """Tell whether an answer means that fresh headers are worth asking for."""
        return self._shared.expired(reply)

    def may_follow(self, url: str) -> bool:
        """Tell whether a redirect may lead to `url`."""
        return self._shared.may_follow(url)

    def close(self) -> None:
        """Close the pooled connections."""
        with self._lock:
            held, self._held = self._held, OrderedDict()
        for upstream in (self._shared, *(each.upstream for each in held.values())):
            upstream.close()

    def _mine(self) -> Upstream:
        """Return the caller's. Raises `Unauthorized`, or `Forbidden` for callers without an account there."""
        return self._of(scope_of(caller(), self.id, self._settings))

    def _archive(self) -> Archive | None:
        shared = self._shared.archive
        return None if shared is None else OwnArchive(shared.url, shared.finds, self._mine, self._of)

    def _of(self, scope: str) -> Upstream:
        """Return the `Upstream` of a scope, whoever asks. Raises `Forbidden` where nothing is kept for it."""
        with self._lock:
            if (ready := self._recent(scope)) is not None:
                return ready
        account = self._kept(scope)
        crowded: list[Held] = []
        with self._lock:
            held = self._held.get(scope)
            if held is None or held.account != account:
                held = self._held[scope] = Held(account, self._lasting(scope, account), self._clock())
            held.read_at = self._clock()
            self._held.move_to_end(scope)
            while len(self._held) > self._settings.own_accounts:
                crowded.append(self._held.popitem(last=False)[1])
        for other in crowded:
            other.upstream.close()
        return held.upstream

    def _ready(self, scope: str) -> Upstream | None:
        """Return the `Upstream` of a scope if the vault need not be asked; wait for nobody who makes one."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            return self._recent(scope)
        finally:
            self._lock.release()

    def _recent(self, scope: str) -> Upstream | None:
        held = self._held.get(scope)
        if held is None or self._clock() >= held.read_at + self._settings.own_account_seconds:
            return None
        self._held.move_to_end(scope)
        return held.upstream

    def _kept(self, scope: str) -> Credentials:
        try:
            account = self._vault.read(scope)
        except Misconfigured as failure:
            log.error("The account %s cannot be read: %s", scope, failure)
            raise Misconfigured(
                f"The account that you brought for {self.id} cannot be read any more.",
                advice=f"PUT it to /account/{self.id} again.",
            ) from None
        if account is None:
            raise Forbidden(
                f"{self.id} is asked with your own account there, and you have brought none.",
                advice=f"PUT it to /account/{self.id}.",
            )
        return account

    def _with_client(self, account: Credentials) -> Credentials:
        """Add what the settings say of the OAuth client, where the account names none."""
        return self._client.model_copy(update=account.model_dump(exclude_none=True))

    @property
    def _discovers(self) -> bool:
        return isinstance(dialect_of(self._mapping), Discovering)

    def _lasting(self, scope: str, account: Credentials) -> Upstream:
        """Make the `Upstream` of a kept account, whose session the bridges of this machine share."""
        complete = self._with_client(account)
        sessions = shared_sessions(scope, self._mapping, self._settings, complete)
        return self._upstream(complete, sessions=sessions, keep=partial(renew, self._vault, scope))

    def _upstream(self, account: Credentials, **more: Any) -> Upstream:
        """Make an `Upstream`. A dialect that learns of collections has a mapping of its own to learn into."""
        mapping = load_mapping(self._mapping.id, self._settings) if self._discovers else self._mapping
        return Upstream(mapping, dialect_of(mapping), self._settings, account, **more)

    def _drop(self, scope: str) -> None:
        with self._lock:
            held = self._held.pop(scope, None)
        if held is not None:
            held.upstream.close()


def _check_lister(id: str, given: Credentials, *, needed: bool) -> None:
    """Refuse an account in the settings that nobody would use, and the lack of one that is needed."""
    has = bool(given.username or given.refresh_token)
    if has and not needed:
        raise Misconfigured(f'accounts.{id} is "own", and credentials.{id} names an account for nobody.')
    if needed and not has:
        raise Misconfigured(
            f"{id} lists its collections to accounts only, and credentials.{id} names none.",
            advice="Name one there: it is used for that list alone.",
        )
