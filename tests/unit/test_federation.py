"""Many catalogues as one: routing, pages across catalogues, counts, bounds."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.errors import BadRequest, NotFound
from stacbridge.federation import Federation
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Query
from stacbridge.settings import Settings
from tests.api.archive import alpha, beta, collection, item

ROOT = "http://bridge.example"


class Recording(MemoryCatalogue):
    """A catalogue that keeps the searches it was asked."""

    def __init__(self, id: str, collections: Sequence[str], items: int = 0) -> None:
        super().__init__(
            id,
            [collection(each) for each in collections],
            [item(each, number) for each in collections for number in range(items)],
        )
        self.asked: list[Query] = []

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        self.asked.append(query)
        return super().search(query, root, ready=ready)


class Countless(Recording):
    """A catalogue that does not tell how many items match."""

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        return replace(super().search(query, root, ready=ready), matched=None)


def federation(*catalogues: MemoryCatalogue) -> Federation:
    return Federation(catalogues, Settings(search_threads=1))


def walk(served: Federation, query: Query) -> list[list[str]]:
    """Return the ids on each page."""
    pages = []
    token: str | None = None
    while True:
        results = served.search(query, token, ROOT)
        pages.append([found["id"] for found in results.items])
        token = results.token
        if token is None:
            return pages


@given(sizes=st.lists(st.integers(0, 7), min_size=1, max_size=4), limit=st.integers(1, 9))
def test_pages_are_full_but_the_last_and_hold_each_item_once(sizes: list[int], limit: int) -> None:
    served = federation(*(Recording(f"c{n}", [f"set-{n}"], size) for n, size in enumerate(sizes)))
    pages = walk(served, Query(limit=limit))
    assert all(len(page) == limit for page in pages[:-1])
    found = [id for page in pages for id in page]
    assert len(found) == len(set(found)) == sum(sizes)
    assert [id.rpartition("-")[2] for id in found] == sorted(
        (f"{number:04}" for size in sizes for number in range(size)), reverse=True
    )


def test_a_search_goes_only_to_the_owners_of_its_collections() -> None:
    one, two = Recording("one", ["a", "b"], 1), Recording("two", ["c"], 1)
    served = federation(one, two)
    served.search(Query(collections=("b", "nobody")), None, ROOT)
    assert [query.collections for query in one.asked] == [("b",)]
    assert two.asked == []


def test_all_collections_of_a_catalogue_are_no_condition_on_it() -> None:
    one, two = Recording("one", ["a", "b"], 1), Recording("two", ["c", "d"], 1)
    served = federation(one, two)
    served.search(Query(collections=("a", "b", "c")), None, ROOT)
    assert one.asked[0].collections == ()
    assert two.asked[0].collections == ("c",)


def test_collections_that_nobody_has_match_nothing_and_ask_nobody() -> None:
    one = Recording("one", ["a"], 1)
    results = federation(one).search(Query(collections=("x",), count=True), None, ROOT)
    assert (results.items, results.token, results.matched, one.asked) == ([], None, 0, [])


def test_a_catalogue_that_has_ended_is_not_asked_again() -> None:
    one, two = Recording("one", ["a"], 1), Recording("two", ["b"], 5)
    served = federation(one, two)
    first = served.search(Query(limit=5), None, ROOT)
    assert [found["id"] for found in first.items] == ["b-0004", "b-0003", "b-0002", "b-0001", "a-0000"]
    one.asked.clear()
    second = served.search(Query(limit=5), first.token, ROOT)
    assert ([found["id"] for found in second.items], second.token) == (["b-0000"], None)
    assert one.asked == []


def test_counts_are_summed_over_catalogues_and_asked_once_each() -> None:
    one, two = Recording("one", ["a"], 5), Recording("two", ["b"], 7)
    served = federation(one, two)
    results = served.search(Query(limit=2, count=True), None, ROOT)
    assert results.matched == 12
    assert [query.count for query in one.asked] == [query.count for query in two.asked] == [True]
    assert served.search(Query(limit=2, count=True), results.token, ROOT).matched is None


def test_a_count_that_one_catalogue_cannot_tell_is_not_told() -> None:
    served = federation(Recording("one", ["b"], 5), Countless("two", ["a"], 1))
    assert served.search(Query(count=True), None, ROOT).matched is None


def test_a_token_that_names_a_catalogue_no_longer_served_is_refused() -> None:
    settings = Settings(secret="shared")  # type: ignore[arg-type]
    both = Federation([Recording("one", ["a"], 1), Recording("two", ["b"], 5)], settings)
    token = both.search(Query(limit=2), both.search(Query(limit=1), None, ROOT).token, ROOT).token
    with pytest.raises(BadRequest) as refused:
        Federation([Recording("one", ["a"], 1)], settings).search(Query(limit=1), token, ROOT)
    assert refused.value.parameter == "token"


def test_an_item_is_asked_of_its_owner_by_exact_id() -> None:
    one, two = Recording("one", ["a"], 3), Recording("two", ["b"], 3)
    served = federation(one, two)
    assert served.item("b", "b-0001", ROOT)["id"] == "b-0001"
    assert one.asked == []
    for wanted in (("b", "b-0009"), ("b", "a-0001"), ("x", "b-0001")):
        with pytest.raises(NotFound):
            served.item(*wanted, ROOT)


def test_queryables_of_all_are_the_union_and_of_an_unknown_collection_a_404() -> None:
    served = federation(alpha(), beta())
    whole = served.queryables(None, f"{ROOT}/queryables")
    assert whole["$id"] == f"{ROOT}/queryables"
    assert set(whole["properties"]) >= set(served.queryables("thermal-l2", "x")["properties"])
    with pytest.raises(NotFound):
        served.queryables("nothing", "x")
    with pytest.raises(NotFound):
        served.sortables("nothing", "x")


def test_conditions_reach_every_catalogue_unchanged() -> None:
    one, two = Recording("one", ["a"]), Recording("two", ["b"])
    query = Query(ids=("x",), bbox=(0, 0, 1, 1), filter={"op": "isNull", "args": [{"property": "gsd"}]})
    federation(one, two).search(query, None, ROOT)
    assert one.asked == two.asked == [replace(query, limit=100)]
