"""The merge alone: order, ties, and that it stops where it would have to guess."""

from hypothesis import given
from hypothesis import strategies as st

from stacbridge.merge import Strand, merge
from stacbridge.model import Found, Json, SortKey

BY_GSD = (SortKey("gsd"),)


def page(values: list[int], start: int = 0, more: bool = False) -> Found:
    items = [{"id": str(value), "properties": {"gsd": value}} for value in values]
    places: list[Json | None] = [{"n": start + number + 1} for number in range(len(values))]
    if places and not more:
        places[-1] = None
    return Found(items, places[-1] if places else None, places=places)


def strand(values: list[int], more: bool = False) -> Strand:
    made = Strand()
    made.read(page(values, more=more), BY_GSD)
    return made


def values(items: list[Json]) -> list[int]:
    return [item["properties"]["gsd"] for item in items]


@given(
    runs=st.lists(st.lists(st.integers(0, 9), max_size=8).map(sorted), max_size=4), wanted=st.integers(1, 40)
)
def test_runs_that_are_known_to_their_ends_become_one(runs: list[list[int]], wanted: int) -> None:
    strands = [strand(run) for run in runs]
    found = values(list(merge(strands, wanted)))
    assert found == sorted(value for run in runs for value in run)[:wanted]
    taken = [
        len(run) if each.ended else (each.position or {"n": 0})["n"]
        for run, each in zip(runs, strands, strict=True)
    ]
    assert sum(taken) == len(found)


def test_nothing_is_taken_past_a_run_whose_next_item_is_unknown() -> None:
    short, long = strand([1, 3], more=True), strand([2, 4, 5])
    assert values(list(merge([short, long], 9))) == [1, 2, 3]
    assert (short.position, long.position, short.hungry) == ({"n": 2}, {"n": 1}, True)
    short.read(page([6], start=2), BY_GSD)
    assert values(list(merge([short, long], 9))) == [4, 5, 6]
    assert short.ended and long.ended


def test_a_run_that_is_missing_is_passed_over_and_stays_where_it_was() -> None:
    gone, there = Strand({"n": 7}), strand([2, 4])
    assert values(list(merge([gone, there], 9))) == []
    gone.missing = True
    assert values(list(merge([gone, there], 9))) == [2, 4]
    assert (gone.position, gone.ended) == ({"n": 7}, False)


def test_of_items_in_the_same_place_the_first_runs_come_first() -> None:
    one, two = strand([1, 1]), strand([1, 2])
    for number, each in enumerate((one, two)):
        for item in each._read:
            item["run"] = number
    assert [item["run"] for item in merge([one, two], 9)] == [0, 0, 1, 1]


def test_a_page_without_items_moves_its_run_to_where_it_says() -> None:
    empty = Strand({"n": 7})
    empty.read(page([]), BY_GSD)
    assert empty.ended and empty.begun and not empty.hungry
