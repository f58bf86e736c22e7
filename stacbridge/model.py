"""What flows through the bridge: values without behaviour, free of any protocol.

Query  -> dialect.ask  -> Request -> wire.send -> Reply -> dialect.read -> Page -> mapping.item -> Found
Query  -> access flow  -> Ready | Pending
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Json = dict[str, Any]
Bbox = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed span of time in UTC; `None` is an open end. An instant has `start == end`."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order, by STAC property name without the `properties.` prefix."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search in STAC's own words, validated and normalised.

    `bbox` is (west, south, east, north) in degrees, `west > east` crosses the antimeridian. `intersects` is a
    GeoJSON geometry. `filter` is CQL2 JSON. `position` is where the previous page of this catalogue ended
    (dialect-specific, JSON-able), `None` at the start. `count` asks for the number of all matches.
    """

    collections: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    bbox: Bbox | None = None
    intersects: Json | None = None
    interval: Interval | None = None
    filter: Json | None = None
    sortby: tuple[SortKey, ...] = ()
    limit: int = 100
    position: Json | None = None
    count: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to an upstream, before any credential is attached.

    `params` are unescaped name/value pairs in order; the wire escapes them once. `safe` says of a POST that
    it changes nothing, such as a search, so that it may be sent again.
    """

    method: str
    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole, small HTTP answer of an upstream. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What one reply holds: records, where the next page starts (`None` at the end), the count if told.

    `checked` names the conditions of the filter that the upstream was not, or not exactly, asked for, such as
    `'eo:cloud_cover' isnull`. Where there are any, records may come that do not match: whoever asked checks
    the filter on each Item, and `matched` is `None`. Where Items do not show all that the filter names,
    `match` decides instead whether one matches.

    `after` gives the position behind the first so many of the records, fewer than all, for a search that
    leaves the page there. Without it, such a search asks for the whole page again.
    """

    records: list[Json]
    position: Json | None = None
    matched: int | None = None
    checked: tuple[str, ...] = ()
    match: Callable[[Json], bool] | None = field(default=None, kw_only=True)
    after: Callable[[int], Json | None] | None = field(default=None, kw_only=True, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that could not become an item, why, and its number among the records of its page, from 0."""

    record: str
    reason: str
    number: int


class Places(Protocol):
    """The position behind each Item of a page. A list of them, or what makes one when it is asked for."""

    def __len__(self) -> int:
        """Return how many Items there are."""
        ...

    def __getitem__(self, number: int, /) -> Json | None:
        """Return the position behind an Item, by its number from 0."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A page of STAC Items (plain dicts, without API links) from one catalogue, in the order asked for.

    `places` has for each Item the position of a search that goes on behind it; the last is `position`.
    """

    items: list[Json]
    position: Json | None = None
    matched: int | None = None
    skipped: tuple[Skipped, ...] = ()
    places: Places = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """The bytes are at `request`; `name` is the file's name, `ranges` whether the upstream honours Range.

    `size` in bytes and `checksum` (multihash, hex) only where the upstream states them for these very bytes.
    `advice` is what to do where the upstream refuses its account these bytes. `presigned` says that the
    request's URL lets anyone have them for a while, so that clients can be sent there. `at_hand` says that
    they are there even while the product is offline, such as a quicklook. `otherwise` is where the upstream
    has the same file, too, for an account that may not have it at `request`.
    """

    request: Request
    name: str
    media_type: str
    ranges: bool = False
    size: int | None = None
    checksum: str | None = None
    advice: str | None = None
    presigned: bool = False
    at_hand: bool = False
    otherwise: "Ready | None" = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The bytes are not there yet; ask again after `retry_after` seconds."""

    reason: str
    retry_after: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How an upstream says that an order of offline bytes stands.

    `order` is the upstream's own id. `state` is `None` where the upstream does not know the order. `expires`
    is the Unix time at which bytes that have come go again, `retry_after` the seconds after which to ask.
    """

    order: str
    state: Literal["ordered", "pending", "shipping", "succeeded", "failed", "canceled"] | None
    reason: str | None = None
    expires: float | None = None
    retry_after: int | None = None
