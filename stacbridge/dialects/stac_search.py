"""A query as the parameters of a STAC API's search, by GET or POST.

What continues a search are the members that the upstream's link to the next page has beside or in place of
those asked (`token`, `marker`, `startRecord` …), so that a cursor is never an upstream's URL. A number of a
page means nothing without its length, so that `limit` is always among them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from stacbridge import geometry, scalars
from stacbridge.dialects.stac_text import text
from stacbridge.errors import BadRequest
from stacbridge.mapping.passthrough import Habits
from stacbridge.model import Interval, Json, Query, Request, SortKey
from stacbridge.wire.refusals import full_url

RESERVE = 200
"""Characters of a URL that are kept for what continues a search, and for an id."""
ACCEPT = {"Accept": "application/geo+json, application/json;q=0.9"}


class Searching:
    """Writes the searches of one API at `url`. `page` items are asked for at once at most, and a URL has at
    most `length` characters."""

    def __init__(self, title: str, url: str, habits: Habits, page: int, length: int) -> None:
        self._title, self._url, self._habits = title, url, habits
        self.page, self._length = page, length

    def request(self, query: Query, filter: Json | None, following: Json | None = None) -> Request:
        """Return the request for a page. Raises `BadRequest` naming the parameter that is too long."""
        request = self._request({**self._members(query, filter), **_ids(query.ids), **(following or {})})
        if self._too_long(request):
            parameter = "intersects" if query.intersects else "ids" if query.ids else "collections"
            raise BadRequest(
                f"The search takes more than {self._length} characters of {self._title}'s URL.",
                parameter=parameter,
                advice="Name fewer collections, or simplify the geometry.",
            )
        return request

    def runs(self, query: Query, filter: Json | None) -> list[Query]:
        """Return searches for as many of the ids each as one request can hold."""
        if len(query.ids) > 1 and self._too_long(
            self._request({**self._members(query, filter), **_ids(query.ids)}), RESERVE
        ):
            half = len(query.ids) // 2
            parts = (query.ids[:half], query.ids[half:])
            return [run for part in parts for run in self.runs(replace(query, ids=part), filter)]
        return [query]

    def fits(self, query: Query, filter: Json | None) -> bool:
        """Tell whether a request can hold a search, but for its ids and what continues it."""
        return not self._too_long(self._request(self._members(query, filter)), 2 * RESERVE)

    def _too_long(self, request: Request, reserve: int = 0) -> bool:
        length = len(full_url(request.url, request.params)) + reserve
        return self._habits.method == "GET" and length > self._length

    def _request(self, members: Json) -> Request:
        if self._habits.method == "POST":
            headers = {**ACCEPT, "Content-Type": "application/json"}
            body = orjson.dumps(members)
            return Request("POST", self._url, self._habits.parameters, headers, body, safe=True)
        params = [(name, _in_url(value)) for name, value in members.items()]
        return Request("GET", self._url, (*params, *self._habits.parameters), ACCEPT)

    def _members(self, query: Query, filter: Json | None) -> Json:
        """Return the search as the members of a POST body, but for ids and the position."""
        members: Json = {"limit": min(query.limit, self.page)}
        if query.collections:
            members["collections"] = list(query.collections)
        if query.interval and (query.interval.start or query.interval.end):
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
        if self._habits.method == "POST":
            return {"field": key.name, "direction": "desc" if key.descending else "asc"}
        return f"-{key.name}" if key.descending else f"+{key.name}"


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
