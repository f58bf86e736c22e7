"""The dialects by name, and one way to hold the conversation of a search in each."""

from collections.abc import Callable

from stacbridge.dialects.dialect import Conversation, Dialect, Walking
from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.dialects.opensearch.dialect import OpenSearch
from stacbridge.dialects.sedas import SeDAS
from stacbridge.dialects.stac import StacApi
from stacbridge.errors import Misconfigured
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Page, Query

DIALECTS: dict[str, Callable[[Mapping], Dialect]] = {
    "odata": ODataSets,
    "opensearch": OpenSearch,
    "sedas": SeDAS,
    "stac": StacApi,
}
LIMITS: dict[str, tuple[str, ...]] = {
    "odata": ("page", "offset", "filter"),
    "opensearch": ("page", "depth", "requests", "lookups"),
    "sedas": ("page", "requests", "duration"),
    "stac": ("page", "url", "collections", "discovered", "vocabularies", "foreign"),
}
"""What a catalogue's `[limits]` may name for its dialect."""
OF_DOWNLOADS = ("connections", "bytes_30_days", "throttled_bytes_second", "throttled_connections")
"""What they may name for any."""


def dialect_of(mapping: Mapping) -> Dialect:
    """Return the dialect that a mapping names. Raises `Misconfigured`."""
    if mapping.dialect not in DIALECTS:
        raise Misconfigured(
            f"{mapping.id}.toml: dialect: {mapping.dialect!r} is none of {', '.join(DIALECTS)}"
        )
    known = (*OF_DOWNLOADS, *LIMITS[mapping.dialect])
    for name in mapping.limits:
        if name not in known:
            raise Misconfigured(f"{mapping.id}.toml: limits.{name}: is none of {', '.join(known)}")
    return DIALECTS[mapping.dialect](mapping)


def walk(dialect: Dialect, query: Query) -> Conversation[Page]:
    """Return the page at `query.position`. Raises as `Walking.walk` does."""
    if isinstance(dialect, Walking):
        return (yield from dialect.walk(query))
    request = dialect.ask(query)
    if request is None:
        return Page([], matched=0 if query.count else None)
    return dialect.read((yield request), query)
