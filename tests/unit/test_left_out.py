"""A collection that two catalogues list is one of them's, and no Item of the other's is ever shown as its."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stacbridge.aggregation import aggregate
from stacbridge.federation import Federation
from stacbridge.model import Json, Query
from stacbridge.settings import Settings
from tests.api.archive import collection, item
from tests.unit.discovered import Discovered

ROOT = "https://bridge.example"
ONE = [item("shared", number) for number in (1, 4, 7)]
OTHER = [item("own", number) for number in (2, 5, 8)]
FOREIGN = [item("shared", number) for number in (0, 3, 6, 9)]
"""What the second catalogue holds of the collection that is the first one's: the newest and the oldest."""
SHOWN = {"shared": ONE, "own": OTHER}
QUERIES = [Query(), Query(collections=("own", "shared")), Query(collections=("own",)), Query(("shared",))]


@contextmanager
def federated(*told: str) -> Iterator[tuple[Federation, Discovered]]:
    """Give a federation, and its second catalogue, whose service lists the collections `told`."""
    other = Discovered("other", *told, items=[*OTHER, *FOREIGN])
    federation = Federation([Discovered("one", "shared", items=ONE), other], Settings())
    try:
        yield federation, other
    finally:
        federation.close()


def walked(federation: Federation, query: Query) -> list[str]:
    """Return the ids of all Items that a search finds, page by page."""
    found, token = list[str](), None
    while True:
        page = federation.search(query, token, ROOT)
        found += (each["id"] for each in page.items)
        assert page.matched in (None, len(expected(query)))
        token = page.token
        if token is None:
            return found


def expected(query: Query) -> list[str]:
    items: list[Json] = [each for id in query.collections or SHOWN for each in SHOWN[id]]
    return [each["id"] for each in sorted(items, key=lambda each: each["properties"]["datetime"])][::-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize("query", QUERIES)
def test_no_item_is_shown_under_the_id_of_anothers_collection(query: Query, limit: int) -> None:
    query = Query(query.collections, limit=limit, count=True)
    with federated("shared", "own") as (federation, _):
        assert walked(federation, query) == expected(query)
        assert federation.search(query, None, ROOT).matched == len(expected(query))


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize("query", QUERIES)
def test_nor_before_the_bridge_has_heard_that_it_is_listed(query: Query, limit: int) -> None:
    query = Query(query.collections, limit=limit)
    with federated("own") as (federation, other):
        other.told.append(collection("shared"))
        assert walked(federation, query) == expected(query)


def test_who_has_nothing_left_is_not_asked() -> None:
    with federated("shared") as (federation, other):
        assert walked(federation, Query()) == expected(Query(collections=("shared",)))
        assert other.asked == 0


def test_numbers_are_those_of_what_is_shown() -> None:
    with federated("shared", "own") as (federation, _):
        found = aggregate(["collection_frequency"], Query(), None, federation, Settings(), ROOT)
    assert {each["key"]: each["frequency"] for each in found[0]["buckets"]} == {"shared": 3, "own": 3}
