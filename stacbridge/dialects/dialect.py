"""What the bridge needs of a dialect, the language of an upstream. No I/O: who asks is told what to ask."""

from collections.abc import Generator
from typing import Any, Protocol, TypeVar, runtime_checkable

from stacbridge.mapping.products import Place
from stacbridge.model import Json, Page, Query, Reply, Request, Skipped

T = TypeVar("T")
Asked = Request | tuple[Request, ...]
Conversation = Generator[Asked, Any, T]
"""Yields requests, is sent their replies of success, and returns what they come to.

What goes wrong with a request is raised where it was yielded. For a tuple of requests, which are sent at
once, it is sent a tuple of outcomes: replies of success, and failures (`StacbridgeError`). See `together`.
"""


class Asking(Protocol):
    """The language of an upstream's search, where one request asks for a page. No I/O."""

    def ask(self, query: Query) -> Request | None:
        """Return the request that asks for a page, `None` where nothing can match. Raises `BadRequest`."""
        ...

    def read(self, reply: Reply, query: Query) -> Page:
        """Return the page in a reply. Raises `UpstreamError` where there is none."""
        ...


@runtime_checkable
class Walking(Protocol):
    """The language of an upstream's search, where a page may take several requests. No I/O."""

    def walk(self, query: Query) -> Conversation[Page]:
        """Return a page. Raises `BadRequest`, `UpstreamError`."""
        ...


Dialect = Asking | Walking


@runtime_checkable
class Discovering(Protocol):
    """A dialect whose collections the upstream lists itself, beside those of the mapping."""

    def discover(self) -> Conversation[list[Json]]:
        """Return STAC Collections as plain dicts, without API links."""
        ...


@runtime_checkable
class Describing(Protocol):
    """A dialect whose queryables the upstream lists itself."""

    def queryables(self, collection: str | None) -> Conversation[Json]:
        """Return the JSON Schema of what a filter may name. Raises `NotFound`."""
        ...


class Translation(Protocol):
    """What becomes of records: a `Mapping`, or what a dialect with items of its own brings along."""

    @property
    def collections(self) -> dict[str, Json]:
        """STAC Collections by id, without API links."""
        ...

    def items(
        self, records: list[Json], root: str, *, ready: bool = False
    ) -> tuple[list[Json], list[Skipped]]:
        """Return the Items of a page, and which records could not become one."""
        ...

    def asset(self, collection: str, key: str) -> object:
        """Check that a collection may have an asset. Raises `NotFound`."""
        ...

    def place(self, record: Json, key: str) -> Place:
        """Return where an asset of a record is. Raises `NotFound`."""
        ...

    def queryables(self, collection: str | None = None) -> Json:
        """Return the JSON Schema of what a filter may name. Raises `NotFound`."""
        ...

    def sortables(self, collection: str | None = None) -> Json:
        """Return the JSON Schema of what `sortby` may name. Raises `NotFound`."""
        ...


@runtime_checkable
class Translating(Protocol):
    """A dialect that brings its own translation, in place of the mapping."""

    @property
    def translation(self) -> Translation:
        """What becomes of its records."""
        ...
