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


def dialect_of(mapping: Mapping) -> Dialect:
    """Return the dialect that a mapping names. Raises `Misconfigured`."""
    if mapping.dialect not in DIALECTS:
        raise Misconfigured(
            f"{mapping.id}.toml: dialect: {mapping.dialect!r} is none of {', '.join(DIALECTS)}"
        )
    return DIALECTS[mapping.dialect](mapping)


def walk(dialect: Dialect, query: Query) -> Conversation[Page]:
    """Return the page at `query.position`. Raises as `Walking.walk` does."""
    if isinstance(dialect, Walking):
        return (yield from dialect.walk(query))
    request = dialect.ask(query)
    if request is None:
        return Page([], matched=0 if query.count else None)
    return dialect.read((yield request), query)
