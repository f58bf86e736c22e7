"""A query as the parameters of a STAC API's search, by GET or POST.

    position = {"i": …, "e": …, "next": {…}, "n": …, "m": …}

`next` holds the members that the upstream's link to the next page has beside or in place of those asked
(`token`, `marker`, `startRecord` …), so that a cursor is never an upstream's URL; `i` and
`e` are where the current run of item ids starts and ends, where the query names more than one request can
hold; `n` is how many items of the run
were given, `m` the least number of matches that was told for it.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from stacbridge import geometry, scalars
from stacbridge.dialects.stac_text import text
from stacbridge.errors import BadRequest
from stacbridge.mapping.passthrough import Habits
from stacbridge.model import Interval, Json, Query, Request, SortKey
from stacbridge.wire.refusals import full_url

ACCEPT = {"Accept": "application/geo+json, application/json;q=0.9"}


class Searching:
    """Writes the searches of one API at `url`. `page` items are asked for at once at most, and a URL has at
    most `length` characters."""

    def __init__(self, title: str, url: str, habits: Habits, page: int, length: int) -> None:
        self._title, self._url, self._habits = title, url, habits
        self._page, self._length = page, length

    def request(self, query: Query, filter: Json | None) -> tuple[Request, int]:
        """Return the request for the page at `query.position`, and where its run of ids ends.

        Raises `BadRequest` naming the parameter.
        """
        members = self._members(query, filter)
        position = query.position or {}
        following: Json = position.get("next", {})
        start, end = int(position.get("i", 0)), int(position.get("e", len(query.ids)))
        while True:
            request = self._request({**members, **_ids(query.ids[start:end]), **following})
            if self._habits.method == "POST" or len(full_url(request)) <= self._length:
                return request, end
            if end - start <= 1:
                raise self._too_long(query)
            end -= (end - start) // 2

    def _request(self, members: Json) -> Request:
        if self._habits.method == "POST":
            headers = {**ACCEPT, "Content-Type": "application/json"}
            return Request("POST", self._url, self._habits.parameters, headers, orjson.dumps(members))
        params = [(name, _in_url(value)) for name, value in members.items()]
        return Request("GET", self._url, (*params, *self._habits.parameters), ACCEPT)

    def _members(self, query: Query, filter: Json | None) -> Json:
        """Return the search as the members of a POST body, but for ids and the position."""
        members: Json = {"limit": min(query.limit, self._page)}
        if query.collections:
            members["collections"] = list(query.collections)
        if query.interval:
            members["datetime"] = _span(query.interval)
        members |= _area(query)
        if filter is not None:
            language = self._habits.language
            members["filter-lang"] = language
            members["filter"] = text(filter) if language == "cql2-text" else filter
        if query.sortby:
            members["sortby"] = [self._sorted(key) for key in query.sortby]
        return members

    def _sorted(self, key: SortKey) -> Any:
        name = key.name.removeprefix("properties.")
        if name not in self._habits.sortables:
            raise BadRequest(f"{self._title} cannot sort by {name!r}.", parameter="sortby")
        if self._habits.method == "POST":
            return {"field": name, "direction": "desc" if key.descending else "asc"}
        return f"-{name}" if key.descending else f"+{name}"

    def _too_long(self, query: Query) -> BadRequest:
        return BadRequest(
            f"The search takes more than {self._length} characters of {self._title}'s URL.",
            parameter="intersects" if query.intersects else "filter" if query.filter else "collections",
            advice="Simplify the geometry or the filter, or name fewer collections.",
        )


def sent(request: Request) -> Json:
    """Return what a request asks, by the names of its parameters or members."""
    body: Json = orjson.loads(request.body) if request.body else {}
    return {**dict(request.params), **body}


def _ids(ids: tuple[str, ...]) -> Json:
    return {"ids": list(ids)} if ids else {}


def _span(interval: Interval) -> str:
    start, end = (scalars.rfc3339(bound) if bound else ".." for bound in (interval.start, interval.end))
    return f"{start}/{end}"


def _area(query: Query) -> Json:
    """Return the area; a box across the antimeridian as two polygons, which every reader understands."""
    if query.intersects:
        return {"intersects": query.intersects}
    if query.bbox is None:
        return {}
    if query.bbox[0] <= query.bbox[2]:
        return {"bbox": list(query.bbox)}
    halves = geometry.box(query.bbox)["geometries"]
    if any(half["type"] != "Polygon" for half in halves):
        return {"intersects": {"type": "GeometryCollection", "geometries": halves}}
    return {"intersects": {"type": "MultiPolygon", "coordinates": [half["coordinates"] for half in halves]}}


def _in_url(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_in_url, value))
    if isinstance(value, Mapping):
        return orjson.dumps(value).decode()
    return value if isinstance(value, str) else repr(value)
