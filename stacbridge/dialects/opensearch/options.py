"""The `[search]` table of an OpenSearch catalogue, all keys optional.

    collection = "collection"   key that names the collection, in URLs of description documents, and in those
                                of searches whose template does not
    ids = "short"               ids of discovered collections: the service's own, or "short": what follows the
                                last colon, in lower case with `-` for `_`
    media_type = "application/atom+xml"     of the answers to ask for, where the best is not it
    fixed = {accessedFrom = "HTTP"}         parameters with a value of their own, by local name
    parameters = {tileId = "tile"}          local names of parameters that are not called as the attribute
    sort = {datetime = "start"}             what the service sorts by, by STAC property, whose row says `sort`
    trusted = ["area", "time"]  what of a search the service answers exactly: it is not checked again here,
                                and its count is taken
    time = "updated"            the attribute that is a record's time where it states none
    axes = "lon lat"            the order of coordinates in Atom, where it is wrongly that

Of `[limits]`: `page` (records asked for at once, 100), `depth` (records that a service pages through; none),
`requests` (times that it is asked for one page at most, 20; each time of several collections at once),
`lookups` (items that one search looks up by id and collection, 1000).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stacbridge.mapping.mapping import Mapping as Catalogue
from stacbridge.mapping.tables import Table

TRUSTED = ("area", "time")


@dataclass(frozen=True, slots=True)
class Options:
    """The checked table, and the limits that belong to it."""

    collection: str | None
    short_ids: bool
    media_type: str | None
    fixed: Mapping[str, str]
    parameters: Mapping[str, str]
    sort: Mapping[str, str]
    trusted: frozenset[str]
    time: str | None
    axes: str
    page: int
    depth: int | None
    requests: int
    lookups: int


def parse(catalogue: Catalogue) -> Options:
    """Check the table of a catalogue. Raises `Misconfigured` naming file and key."""
    table = Table(f"{catalogue.id}.toml", "search", catalogue.search.members)
    trusted = table.texts("trusted")
    if unknown := set(trusted) - set(TRUSTED):
        raise table.wrong("trusted", f"{min(unknown)!r} is none of {', '.join(TRUSTED)}")
    limits = catalogue.limits
    options = Options(
        collection=table.optional("collection", str),
        short_ids=table.choice("ids", ("short", "own")) == "short",
        media_type=table.optional("media_type", str),
        fixed=table.table("fixed").strings(),
        parameters=table.table("parameters").strings(),
        sort=table.table("sort").strings(),
        trusted=frozenset(trusted),
        time=table.optional("time", str),
        axes=table.choice("axes", ("lat lon", "lon lat")) or "lat lon",
        page=limits.get("page", 100),
        depth=limits.get("depth"),
        requests=limits.get("requests", 20),
        lookups=limits.get("lookups", 1000),
    )
    table.done()
    return options
