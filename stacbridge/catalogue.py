"""What the rest of the bridge needs of a catalogue, whatever protocol it speaks."""

from typing import Protocol, runtime_checkable

from stacbridge.model import Found, Json, Pending, Query, Ready, Reply, Staging


class Catalogue(Protocol):
    """A source of STAC Items. Methods block; callers on an event loop run them in threads."""

    id: str
    title: str
    connections: int
    """How many downloads its account may run at once."""

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

    def order(self, collection: str, item: str) -> Staging:
        """Order an item's bytes, unless they are online: for those who asked for just that.

        Raises `NotFound`, `NotOrderable` where the catalogue takes no orders, `UpstreamError` and its kin.
        """
        ...

    def poll(self, collection: str, item: str, order: str | None) -> Staging:
        """Return how an order stands that `order` returned. Raises as `order`; orders nothing."""
        ...

    def warnings(self) -> list[str]:
        """Return what its account's holder should see to, such as a token about to end; asks nobody."""
        ...

    def authorize(self, url: str) -> dict[str, str]:
        """Return the headers that let the account into `url`; none where the host is not listed.

        Raises `Misconfigured` where a credential is needed and none is set.
        """
        ...

    def reauthorize(self, url: str, refused: dict[str, str]) -> dict[str, str]:
        """Return fresh headers after `refused` ones; one token call, however many ask at once."""
        ...

    def expired(self, reply: Reply) -> bool:
        """Tell whether a refusal (of whose body the beginning is enough) means that headers have expired."""
        ...

    def may_follow(self, url: str) -> bool:
        """Tell whether a redirect may lead to `url` (any host without credentials, listed hosts with)."""
        ...


@runtime_checkable
class Metered(Protocol):
    """A catalogue whose account may download only so much."""

    quota: int | None
    """Bytes in thirty days; None where the upstream sets no bound."""
