"""Search of Collections by words, place, time and CQL2, decided here: all Collections are at hand.

q          words or phrases, with commas between: one of them is in title, description, keywords or id
bbox       touches a box of the extent;   datetime  overlaps the whole interval of the extent
filter     CQL2 over `FACTS`; of lists (several platforms), one has to satisfy it
limit      Collections on a page; all of them without it. token: where the page starts
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

from shapely.geometry import shape

from stacbridge import geometry
from stacbridge.api import parameters
from stacbridge.api.querystring import from_url
from stacbridge.cql import conditions
from stacbridge.cql.matching import condition
from stacbridge.errors import BadRequest
from stacbridge.model import Bbox, Interval, Json
from stacbridge.scalars import instant
from stacbridge.settings import Settings

Test = Callable[[Json], bool]

FACTS: dict[str, Callable[[Json], list[Any]]] = {
    "id": lambda stac: [stac["id"]],
    "title": lambda stac: [stac.get("title")],
    "description": lambda stac: [stac["description"]],
    "license": lambda stac: [stac["license"]],
    "keywords": lambda stac: stac.get("keywords") or [None],
    "platform": lambda stac: _summary(stac, "platform"),
    "instruments": lambda stac: _summary(stac, "instruments"),
    "organisationName": lambda stac: [entry.get("name") for entry in stac.get("providers") or [{}]],
}
"""What a filter may name, and how a Collection tells it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """One page of the Collections that match, how many match, and the token of the next page."""

    collections: list[Json]
    matched: int
    token: str | None = None


def select(collections: Iterable[Json], pairs: Iterable[tuple[str, str]], settings: Settings) -> Selection:
    """Return the Collections that a URL's parameters ask for. Raises `BadRequest` naming the parameter."""
    given = from_url(pairs)
    tests = _tests(given, settings)
    found = [stac for stac in collections if all(test(stac) for test in tests)]
    start = _start(given.get("token"))
    limit = parameters.search({"limit": given["limit"]}, settings).query.limit if given.get("limit") else None
    end = len(found) if limit is None else start + limit
    return Selection(found[start:end], len(found), str(end) if end < len(found) else None)


def _tests(given: Json, settings: Settings) -> list[Test]:
    asked: Json = {
        name: given[name] for name in ("bbox", "datetime", "filter", "filter-lang") if name in given
    }
    query = parameters.search(asked, settings).query
    tests: list[Test] = []
    if given.get("q"):
        tests.append(_saying(given["q"]))
    if query.bbox:
        tests.append(_touching(query.bbox))
    if query.interval:
        tests.append(_during(query.interval))
    if query.filter is not None:
        tests.append(_satisfying(query.filter))
    return tests


def _saying(words: str) -> Test:
    terms = [term.strip().strip('"').casefold() for term in words.split(",")]

    def test(stac: Json) -> bool:
        told = [stac["id"], stac.get("title"), stac["description"], *stac.get("keywords", ())]
        text = "\n".join(str(part) for part in told if part).casefold()
        return any(term in text for term in terms)

    return test


def _touching(bbox: Bbox) -> Test:
    area = shape(geometry.box(bbox))

    def test(stac: Json) -> bool:
        boxes = stac["extent"]["spatial"]["bbox"]
        return any(area.intersects(shape(geometry.box(geometry.parse_bbox(box)))) for box in boxes)

    return test


def _during(interval: Interval) -> Test:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    def test(stac: Json) -> bool:
        start, end = stac["extent"]["temporal"]["interval"][0]
        begins, ends = instant(start) or first, instant(end) or last
        return begins <= (interval.end or last) and ends >= (interval.start or first)

    return test


def _satisfying(filter: Json) -> Test:
    names = sorted(conditions.names(conditions.parse(filter)))
    if unknown := [name for name in names if name not in FACTS]:
        raise conditions.unsupported(f"Collections have no property {', '.join(map(repr, unknown))}.")
    holds = condition(filter)

    def test(stac: Json) -> bool:
        choices = product(*(FACTS[name](stac) for name in names))
        return any(holds(_facts(dict(zip(names, chosen, strict=True)))) for chosen in choices)

    return test


def _facts(told: Json) -> Json:
    """Return values as an Item has them, since that is what filters are matched against."""
    id = {"id": told["id"]} if "id" in told else {}
    return {**id, "properties": {name: value for name, value in told.items() if value is not None}}


def _summary(stac: Json, name: str) -> list[Any]:
    values = stac.get("summaries", {}).get(name)
    return values if isinstance(values, list) and values else [None]


def _start(token: str | None) -> int:
    if token is None:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise BadRequest("The token is not one of this list.", parameter="token")
    return int(token)
