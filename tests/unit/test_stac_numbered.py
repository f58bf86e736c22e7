"""A STAC API that sorts and numbers its pages: a number means another page where pages are shorter."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge import scalars
from stacbridge.access.flows import drive
from stacbridge.dialects.stac import StacApi
from stacbridge.errors import BadRequest
from stacbridge.model import Found, Json, Page, Query, Reply, Request
from stacbridge.sieve import Bounds, fill
from tests.unit.stac_apis import api

LONGEST = 20
TENTH = {"op": "=", "args": [{"property": "tenth"}, True]}


class Numbered:
    """Items in their order, in pages of `limit` by number. Keeps what it was asked."""

    def __init__(self, items: list[Json]) -> None:
        self.items = items
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: Request) -> Reply:
        asked = dict(request.params)
        self.asked.append(asked)
        length, number = int(asked["limit"]), int(asked.get("page", 1))
        end = number * length
        document: Json = {"type": "FeatureCollection", "features": self.items[end - length : end]}
        if end < len(self.items):
            href = f"{request.url}?{urlencode({**asked, 'page': number + 1})}"
            document["links"] = [{"rel": "next", "href": href}]
        return Reply(200, {}, orjson.dumps(document), request.url)


def item(number: int) -> Json:
    at = scalars.instant(f"2024-05-01T{number // 60:02}:{number % 60:02}:00Z")
    assert at is not None
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": f"i{number:04}",
        "collection": "c",
        "geometry": None,
        "properties": {"datetime": scalars.rfc3339(at), "tenth": number % 10 == 0},
        "links": [],
        "assets": {},
    }


def newest_first(count: int) -> list[Json]:
    return [item(number) for number in reversed(range(count))]


def ids(items: list[Json]) -> list[str]:
    return [each["id"] for each in items]


@pytest.fixture(scope="module")
def dialect(tmp_path_factory: pytest.TempPathFactory) -> StacApi:
    folder: Path = tmp_path_factory.mktemp("catalogues")
    return api(folder, 'filter = "none"', limits=f"page = {LONGEST}")


def page(dialect: StacApi, upstream: Numbered, query: Query) -> Page:
    return drive(dialect.walk(query), upstream)


def filled(dialect: StacApi, upstream: Numbered, query: Query) -> Found:
    return fill(
        query,
        lambda asked: page(dialect, upstream, asked),
        lambda records: dialect.translation.items(records, "http://bridge"),
        lambda item: bool(item["properties"]["tenth"]),
        Bounds(1000, 1.0, lambda: 0.0),
        "api",
    )


def walked(
    dialect: StacApi, upstream: Numbered, query: Query, limits: Iterator[int], takes: Iterator[int]
) -> list[str]:
    """The ids of a walk by pages of these lengths, each left behind so many of its items."""
    given: list[str] = []
    for _ in range(2000):
        found = filled(dialect, upstream, replace(query, limit=next(limits)))
        taken = min(next(takes), len(found.items))
        given += ids(found.items[:taken])
        position = found.places[taken - 1] if taken else found.position
        if position is None:
            return given
        query = replace(query, position=orjson.loads(orjson.dumps(position)))
    raise AssertionError("the walk does not end")


@given(st.integers(0, 130), st.booleans(), st.data())
def test_a_walk_gives_each_item_once_whatever_lengths_its_pages_are_asked_for_in(
    dialect: StacApi, count: int, checked: bool, data: st.DataObject
) -> None:
    limits = iter(lambda: data.draw(st.integers(1, 2 * LONGEST)), 0)
    takes = iter(lambda: data.draw(st.integers(1, 2 * LONGEST)), 0)
    upstream = Numbered(newest_first(count))
    query = Query(collections=("c",), filter=TENTH if checked else None)
    found = walked(dialect, upstream, query, limits, takes)
    assert found == [id for id in ids(upstream.items) if not checked or id.endswith("0")]
    assert len({asked["limit"] for asked in upstream.asked}) == 1


def test_a_page_that_is_checked_here_is_as_long_as_pages_can_be(dialect: StacApi) -> None:
    upstream = Numbered(newest_first(100))
    found = filled(dialect, upstream, Query(collections=("c",), filter=TENTH, limit=3))
    assert ids(found.items) == ["i0090", "i0080", "i0070"]
    assert [asked["limit"] for asked in upstream.asked] == [str(LONGEST)] * 2


@pytest.mark.parametrize("added", [0, 1, 2])
@pytest.mark.parametrize("gone", [(), (9,), (8,), (2,), (8, 2)])
def test_a_page_goes_on_behind_the_last_item_given_whatever_comes_and_goes_before(
    dialect: StacApi, added: int, gone: tuple[int, ...]
) -> None:
    query = Query(collections=("c",), limit=5)
    upstream = Numbered(newest_first(10))
    first = filled(dialect, upstream, query)
    new = [{**item(11 + number), "id": f"new-{number}"} for number in range(added)]
    kept = [each for each in upstream.items if each["id"] not in {f"i{number:04}" for number in gone}]
    upstream.items = [*new, *kept]
    second = filled(dialect, upstream, replace(query, position=first.places[1]))
    rest = [id for id in ids(upstream.items[:5]) if id < "i0008"]
    assert ids(first.items[:2]) == ["i0009", "i0008"]
    assert set(rest) <= set(ids(second.items))
    assert ids(second.items) == rest or (added and 8 in gone)


def test_a_token_that_does_not_say_how_long_its_pages_are_is_refused(dialect: StacApi) -> None:
    old = {"next": {"page": "2"}, "n": 100, "m": None}
    with pytest.raises(BadRequest, match="another version") as refused:
        page(dialect, Numbered(newest_first(10)), Query(position=old))
    assert refused.value.parameter == "token"


def test_a_token_within_a_first_page_of_before_is_read(dialect: StacApi) -> None:
    found = filled(dialect, Numbered(newest_first(30)), Query(limit=4, position={"k": 3}))
    assert ids(found.items) == ["i0026", "i0025", "i0024", "i0023"]
