"""What the rest of the bridge needs of a catalogue, whatever protocol it speaks."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from stacbridge.model import Found, Json, Pending, Progress, Query, Ready, Reply


class Archive(Protocol):
    """Where a catalogue orders bytes that are offline. Methods block.

    All raise `NotFound` where there is no such item, and `UpstreamError` and its kin.
    """

    @property
    def url(self) -> str:
        """Its address, which tells it from all others whatever its catalogue is called.

        As a caller's own account sees it, `#` and the scope of that account follow.
        """
        ...

    @property
    def finds(self) -> bool:
        """Whether it can tell if it has an order of an item."""
        ...

    def under(self, scope: str) -> "Archive":
        """Return it as the account of a scope (`scope_of`) sees it; its methods refuse who has none."""
        ...

    def is_online(self, collection: str, item: str) -> bool:
        """Tell whether an item's bytes need no order. Raises `NotOrderable` where it takes no orders."""
        ...

    def find(self, collection: str, item: str) -> Progress | None:
        """Return the order of an item that is under way, where there is one."""
        ...

    def place(self, collection: str, item: str) -> Progress:
        """Order an item, once.

        Raises `QuotaExceeded` and `UpstreamRefused` where it may be taken later, `NotOrderable` where it
        never is, and `OrderUnclear` where nobody knows whether it was taken.
        """
        ...

    def poll(self, order: str) -> Progress:
        """Return how an order stands."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A catalogue that can tell from the form of an id that it has no such item; others are always asked."""

    def may_hold(self, id: str) -> bool:
        """Tell whether an item with that id could be here."""
        ...


@runtime_checkable
class SlowById(Protocol):
    """A catalogue that may have to look up each of the ids that a search names on its own."""

    slow_by_id: bool
    """Whether it does, so that a search of their time costs less."""


@runtime_checkable
class Dated(Protocol):
    """A catalogue that remembers what its upstream told of its collections."""

    def age(self) -> float | None:
        """Return the seconds since that was told, `None` where its collections are the bridge's own."""
        ...


@runtime_checkable
class Claiming(Protocol):
    """A catalogue that has Collections of its own, whatever an upstream lists."""

    def claims(self) -> Set[str]:
        """Return their ids; asks nobody."""
        ...


class Gate(Protocol):
    """What lets an account into the servers of an upstream. Methods block."""

    id: str

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        """Return the headers that let the account into `url`; none where the host is not listed.

        Some are good for one `method` and a few minutes only, so they are asked for before each request.
        Raises `Misconfigured` where a credential is needed and none is set.
        """
        ...

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        """Return fresh headers after `refused` ones; one token call, however many ask at once."""
        ...

    def expired(self, reply: Reply) -> bool:
        """Tell whether a refusal (of whose body the beginning is enough) means that headers have expired."""
        ...

    def may_follow(self, url: str) -> bool:
        """Tell whether a redirect may lead to `url` (any host without credentials, listed hosts with)."""
        ...


class Catalogue(Gate, Protocol):
    """A source of STAC Items. Methods block; callers on an event loop run them in threads."""

    title: str
    connections: int
    """How many downloads its account may run at once."""
    archive: Archive | None
    """Where its bytes are ordered; `None` where nothing ever is offline."""

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        """Return one page of items; links and hrefs start with `root` (the API's URL, no trailing slash).

        A page is empty only at the end. `ready` allows `links` and `assets` to be serialised JSON
        (`orjson.Fragment`), for callers that do nothing with items but hand them to `orjson.dumps`.

        Raises `UnsupportedFilter` where a condition cannot be answered exactly, `UpstreamError` and its kin.
        """
        ...

    def collections(self) -> list[Json]:
        """Return all Collections as plain dicts, without API links."""
        ...

    def queryables(self, collection: str | None) -> Json:
        """Return the JSON Schema of the properties that a filter may name, over all collections or of one."""
        ...

    def sortables(self, collection: str | None) -> Json:
        """Return the JSON Schema of the properties that `sortby` may name."""
        ...

    def locate(self, collection: str, item: str, asset: str) -> Ready | Pending:
        """Say where the bytes of an asset are, without asking for them.

        Raises `NotFound`, `NotOrderable` for offline bytes, `UpstreamError` and its kin.
        """
        ...

    def warnings(self) -> list[str]:
        """Return what its account's holder should see to, such as a token about to end; asks nobody."""
        ...


@runtime_checkable
class Prompt(Protocol):
    """A catalogue that tells at once what it knows, and never blocks for it."""

    def located(self, collection: str, item: str, asset: str) -> Ready | None:
        """Return what `locate` would, where nobody has to be asked for it, else `None`. Raises as that."""
        ...

    def authorized(self, url: str, method: str = "GET") -> dict[str, str] | None:
        """Return what `authorize` would, where nobody has to be asked for it, else `None`. Raises as that."""
        ...


@dataclass(frozen=True, slots=True)
class Quota:
    """What an upstream gives an account in thirty days, and what it gives one that has had it.

    `throttled_rate` is in bytes a second; None, as `throttled_connections`, where nothing is known of it.
    """

    bytes_30_days: int
    throttled_rate: int | None = None
    throttled_connections: int | None = None

    @classmethod
    def of(cls, limits: Mapping[str, int]) -> Self | None:
        """Read the `[limits]` of a catalogue; None where the upstream sets no bound."""
        if "bytes_30_days" not in limits:
            return None
        throttled = (limits.get(f"throttled_{name}") for name in ("bytes_second", "connections"))
        return cls(limits["bytes_30_days"], *throttled)


@runtime_checkable
class Metered(Protocol):
    """A catalogue whose account may download only so much."""

    quota: Quota | None
