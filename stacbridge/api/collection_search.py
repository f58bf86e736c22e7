"""Search of Collections by words, place, time and CQL2, decided here: all Collections are at hand.

q          words or phrases, with commas between: one of them is in title, description, keywords or id
bbox       touches a box of the extent;   datetime  overlaps the whole interval of the extent
filter     CQL2 over all that Collections state (`collection_filter`);   query  the same, as `query_extension`
sortby     names with commas between, `-` before descending; texts in any case, what states nothing last
limit      Collections on a page; all of them without it. token: where the page starts
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shapely.geometry import shape

from stacbridge import geometry
from stacbridge.api import collection_filter, free_text, parameters
from stacbridge.api.querystring import from_url
from stacbridge.errors import BadRequest
from stacbridge.model import Bbox, Interval, Json, Query, SortKey
from stacbridge.scalars import instant
from stacbridge.settings import Settings

Test = Callable[[Json], bool]
PARAMETERS = ("bbox", "datetime", "filter", "filter-lang", "filter-crs", "query", "sortby")


@dataclass(frozen=True, slots=True)
class Selection:
    """One page of the Collections that match, how many match, and the token of the next page."""

    collections: list[Json]
    matched: int
    token: str | None = None


def select(collections: Iterable[Json], pairs: Iterable[tuple[str, str]], settings: Settings) -> Selection:
    """Return the Collections that a URL's parameters ask for. Raises `BadRequest` naming the parameter."""
    given, known = from_url(pairs), list(collections)
    query = parameters.search({name: given[name] for name in PARAMETERS if name in given}, settings).query
    tests = _tests(query, settings)
    if sought := free_text.terms(given.get("q", []), settings):
        tests.append(_saying(sought))
    found = _sorted([stac for stac in known if all(test(stac) for test in tests)], query.sortby, known)
    start = _start(given.get("token"))
    limit = (
        parameters.search({"limit": given["limit"]}, settings).query.limit
        if given.get("limit") is not None
        else None
    )
    end = len(found) if limit is None else start + limit
    return Selection(found[start:end], len(found), str(end) if end < len(found) else None)


def _tests(query: Query, settings: Settings) -> list[Test]:
    tests: list[Test] = []
    if query.bbox:
        tests.append(_touching(query.bbox))
    if query.interval:
        tests.append(_during(query.interval))
    if query.filter is not None:
        tests.append(collection_filter.condition(query.filter, settings.max_combinations))
    return tests


def _saying(terms: tuple[str, ...]) -> Test:
    sought = [term.casefold() for term in terms]

    def test(stac: Json) -> bool:
        told = [stac["id"], stac.get("title"), stac["description"], *stac.get("keywords", ())]
        text = "\n".join(str(part) for part in told if part).casefold()
        return any(term in text for term in sought)

    return test


def _touching(bbox: Bbox) -> Test:
    area = shape(geometry.box(bbox))

    return lambda stac: any(area.intersects(shape(place)) for place in collection_filter.places(stac))


def _during(interval: Interval) -> Test:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    def test(stac: Json) -> bool:
        start, end = stac["extent"]["temporal"]["interval"][0]
        begins, ends = instant(start) or first, instant(end) or last
        return begins <= (interval.end or last) and ends >= (interval.start or first)

    return test


def _sorted(found: list[Json], keys: tuple[SortKey, ...], known: list[Json]) -> list[Json]:
    """Return Collections in order. Raises `BadRequest` for a key that none of `known` states."""
    for key in reversed(keys):
        if known and all(_place(stac, key.name) is None for stac in known):
            raise BadRequest(f"Collections cannot be sorted by {key.name!r}.", parameter="sortby")
        placed = [(_place(stac, key.name), stac) for stac in found]
        present = [(place, stac) for place, stac in placed if place is not None]
        present.sort(key=lambda pair: pair[0], reverse=key.descending)
        found = [stac for _, stac in present] + [stac for place, stac in placed if place is None]
    return found


def _place(stac: Json, name: str) -> tuple[bool, Any] | None:
    """Return what a Collection is sorted by: texts after numbers, and in any case."""
    value = None if name == "geometry" else collection_filter.values(stac, name)[0]
    if isinstance(value, str):
        return True, value.casefold()
    return None if value is None else (False, value)


def _start(token: str | None) -> int:
    if token is None:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise BadRequest("The token is not one of this list.", parameter="token")
    return int(token)
