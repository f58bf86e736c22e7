"""How catalogues are asked for copies of a page's scenes, and what a page is where one does not answer."""

from threading import Event
from typing import Any

import pytest

from stacbridge.errors import UpstreamUnavailable
from stacbridge.federation import Federation
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query, SortKey
from stacbridge.scenes import Once, scene
from stacbridge.settings import Settings
from tests.api.archive import collection
from tests.scenes import NAMES, ROOT, Holding, copy, holding, walked

EVERYTHING = Query()


def once(*catalogues: Holding, query: Query = EVERYTHING, **bounds: Any) -> list[str]:
    """Return the ids on the first page of a search that gives each scene once."""
    federation = Federation(catalogues, Settings.model_validate(bounds))
    found = Once(federation, Settings.model_validate(bounds)).search(query, None, ROOT).items
    federation.close()
    return sorted(each["id"] for each in found)


def test_a_page_asks_each_catalogue_once_for_what_may_be_preferred() -> None:
    offline = {"order:status": "orderable"}
    first = Holding("a", [copy("a", NAMES[0]), copy("a", NAMES[1], **offline)])
    second = Holding("b", [copy("b", name, ".SAFE") for name in NAMES[:3]])
    third = Holding("c", [copy("c", NAMES[3])], slow_by_id=True)
    assert once(first, second, third) == [NAMES[0], f"{NAMES[1]}.SAFE", f"{NAMES[2]}.SAFE", NAMES[3]]
    (_, first_names), (_, second_names), (_, third_names) = (each.asked for each in (first, second, third))
    assert {scene(id) for id in first_names.ids} == {*NAMES[:4]}
    assert {scene(id) for id in second_names.ids} == {NAMES[1], NAMES[3]}
    assert third_names.ids == ()
    assert third_names.interval is not None


def test_copies_on_the_page_itself_need_no_asking_twice() -> None:
    only = Holding("b", [copy("b", name) for name in NAMES])
    assert once(only) == NAMES
    assert len(only.asked) == 1


@pytest.mark.parametrize("slow", [True, False])
def test_a_copy_that_the_search_does_not_name_surpasses_none(slow: bool) -> None:
    first = Holding("a", [copy("a", name) for name in NAMES], slow_by_id=slow)
    second = Holding("b", [copy("b", name, ".SAFE") for name in NAMES])
    ids = (f"{NAMES[0]}.SAFE", f"{NAMES[1]}.SAFE", NAMES[1])
    assert once(first, second, query=Query(ids=ids)) == [f"{NAMES[0]}.SAFE", NAMES[1]]


@pytest.mark.parametrize(("most", "asked"), [(100, 2), (17, 6), (3, 14)])
def test_a_time_that_is_too_long_is_asked_in_halves(most: int, asked: int) -> None:
    first = Holding("a", [copy("a", name) for name in NAMES[::2]], slow_by_id=True, most=most)
    second = Holding("b", [copy("b", name, ".SAFE") for name in NAMES])
    query = Query(limit=7, sortby=(SortKey("collection", descending=True),))
    assert once(first, second, query=query) == [f"{name}.SAFE" for name in NAMES if name not in NAMES[::2]]
    assert len(first.asked) == asked


@pytest.mark.parametrize("slow", [True, False])
def test_a_scene_that_lasts_to_the_edges_of_time_has_copies_too(slow: bool) -> None:
    always = {"start_datetime": "0001-01-01T00:00:00Z", "end_datetime": "9999-12-31T23:59:59.999999Z"}
    first = Holding("a", [copy("a", NAMES[0], **always)])
    second = Holding("b", [copy("b", name, ".SAFE", **always) for name in NAMES[:2]], slow_by_id=slow)
    assert once(first, second) == [NAMES[0], f"{NAMES[1]}.SAFE"]


class Late(Holding):
    """A catalogue that answers nothing about ids before it is told to."""

    def __init__(self, id: str, items: list[Json]) -> None:
        super().__init__(id, items)
        self.there = Event()

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        if query.ids:
            self.there.wait(10)
        return super().search(query, root, ready=ready)


def test_a_catalogue_that_is_late_tells_no_copies_and_holds_up_nobody() -> None:
    late = Late("a", [copy("a", name) for name in NAMES])
    query = Query(limit=1, sortby=(SortKey("collection", descending=True),))
    try:
        found = once(late, Holding("b", [copy("b", NAMES[0], ".zip")]), query=query, catalogue_deadline=0.2)
    finally:
        late.there.set()
    assert found == [f"{NAMES[0]}.zip"]


class Down(MemoryCatalogue):
    """A catalogue that answers nothing but the ids search of the first page."""

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        if query.ids:
            raise UpstreamUnavailable("The catalogue is down.", upstream=self.id)
        return super().search(query, root, ready=ready)


def test_while_copies_are_not_known_no_scene_is_lost() -> None:
    items = [copy("b", name) for name in NAMES[:2]]
    down = Down("b", [collection("b-scenes")], items)
    federation = Federation([holding("a", [copy("a", name) for name in NAMES[1:3]]), down], Settings())
    found = walked(Once(federation, Settings()), Query())
    federation.close()
    assert {id for _, id in found} == set(NAMES[:3])
