"""Scenes that several catalogues hold: each once, whatever the page, or linked to each other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.errors import SearchTooWide
from stacbridge.federation import Federation
from stacbridge.model import Found, Json, Query, SortKey
from stacbridge.scenes import Linked, Once, scene
from stacbridge.settings import Settings
from tests.scenes import NAMES, ROOT, Holding, copy, holding, walked

ENDINGS = ["", ".SAFE", ".zip", ".SAFE.zip"]
HELD = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(NAMES),
        st.sampled_from(ENDINGS),
        st.sampled_from(["succeeded", "orderable", None]),
        st.sampled_from([5, 50]),
    ),
    unique_by=lambda held: held[:2],
    max_size=18,
)


@settings(max_examples=200, deadline=None)
@given(
    held=HELD,
    limit=st.integers(1, 5),
    clear=st.booleans(),
    asked=st.sets(st.sampled_from(["a", "b", "c"])),
    slow=st.sets(st.sampled_from(["a", "b", "c"])),
)
def test_each_scene_comes_once_in_its_best_copy(
    held: list[tuple[str, str, str, str | None, int]],
    limit: int,
    clear: bool,
    asked: set[str],
    slow: set[str],
) -> None:
    items: dict[str, list[Json]] = {"a": [], "b": [], "c": []}
    expected: dict[str, tuple[bool, str, str]] = {}
    for id, name, ending, status, cover in held:
        told = {"order:status": status} if status else {}
        items[id].append(copy(id, name, ending, **told, **{"eo:cloud_cover": cover}))
        if (not asked or id in asked) and not (clear and cover == 50):
            best = (status == "orderable", id, f"{name}{ending}")
            expected[name] = min(best, expected.get(name, best))
    bounds = Settings(max_ids=3, max_limit=2, max_upstream_pages=30)
    catalogues = [holding(id, each, slow=id in slow) for id, each in items.items()]
    federation = Federation(catalogues, bounds)
    query = Query(
        collections=tuple(f"{id}-scenes" for id in sorted(asked)),
        filter={"op": "<", "args": [{"property": "eo:cloud_cover"}, 20]} if clear else None,
        limit=limit,
    )
    found = walked(Once(federation, bounds), query)
    federation.close()
    assert sorted(found) == sorted((f"{id}-scenes", name) for _, id, name in expected.values())


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("S2A_X_20240501T103021.SAFE", "S2A_X_20240501T103021"),
        ("S2A_X_20240501T103021.SAFE.zip", "S2A_X_20240501T103021"),
        ("s2a_x_20240501", "s2a_x_20240501"),
        ("tile-0007", None),
        ("image.zip", None),
        ("run-20249999999", None),
    ],
)
def test_an_id_names_a_scene_where_a_date_is_in_it(id: str, name: str | None) -> None:
    assert scene(id) == name


@pytest.fixture(scope="module")
def api() -> Iterator[TestClient]:
    online = [copy("b", name, ".SAFE") for name in NAMES[:3]]
    offline = [copy("a", name, **{"order:status": "orderable"}) for name in NAMES]
    app = create_app(Settings(max_upstream_pages=2), [holding("a", offline), holding("b", online)])
    with TestClient(app) as client:
        yield client


def links(stac: Json, rel: str) -> list[tuple[str, str]]:
    return [
        (each["href"].rpartition("/collections/")[2], each["title"])
        for each in stac["links"]
        if each["rel"] == rel
    ]


def test_once_prefers_what_is_online_over_get_and_post(api: TestClient) -> None:
    got = api.get("/search?scenes=once&count=true").json()
    posted = api.post("/search", json={"scenes": "once"}).json()
    assert sorted(each["collection"] for each in got["features"]) == ["a-scenes"] * 4 + ["b-scenes"] * 3
    assert [each["id"] for each in posted["features"]] == [each["id"] for each in got["features"]]
    assert "numberMatched" not in got


def test_next_links_go_on_with_each_scene_once(api: TestClient) -> None:
    found, url = [], "/search?scenes=once&limit=3"
    while url:
        page = api.get(url).json()
        found += [each["id"].removesuffix(".SAFE") for each in page["features"]]
        url = next((each["href"] for each in page["links"] if each["rel"] == "next"), "")
    assert sorted(found) == NAMES


def test_linked_copies_name_each_other_and_the_best(api: TestClient) -> None:
    pages = [api.get("/search?scenes=linked").json(), api.post("/search", json={"scenes": "linked"}).json()]
    singles = [
        api.get(f"/collections/{each['collection']}/items/{each['id']}?scenes=linked").json()
        for each in pages[0]["features"]
    ]
    name = NAMES[0]
    for items in (pages[0]["features"], pages[1]["features"], singles):
        told = {(each["collection"], each["id"]): each for each in items}
        assert len(told) == 10
        first, second = told["a-scenes", name], told["b-scenes", f"{name}.SAFE"]
        assert links(first, "alternate") == [(f"b-scenes/items/{name}.SAFE", "B")]
        assert links(second, "alternate") == [(f"a-scenes/items/{name}", "A")]
        assert (
            links(first, "canonical") == links(second, "canonical") == [(f"b-scenes/items/{name}.SAFE", "B")]
        )
        alone = told["a-scenes", NAMES[6]]
        assert links(alone, "alternate") == links(alone, "canonical") == []


def test_items_as_they_are_have_no_such_links(api: TestClient) -> None:
    for each in api.get("/search").json()["features"]:
        assert links(each, "alternate") == links(each, "canonical") == []


def test_more_pages_of_copies_than_the_settings_allow_are_refused(api: TestClient) -> None:
    asked = {"scenes": "once", "limit": "1", "filter": f"id <= '{NAMES[2]}.SAFE'", "sortby": "collection"}
    reply = api.get("/search", params=asked)
    assert (reply.status_code, reply.json()["code"], reply.json()["parameter"]) == (
        400,
        "SearchTooWide",
        "scenes",
    )


def test_too_few_pages_for_one_scene_are_told_with_what_to_do() -> None:
    offline = [copy("a", name, **{"order:status": "orderable"}) for name in NAMES]
    bounds = Settings(max_upstream_pages=3)
    federation = Federation(
        [holding("a", offline), holding("b", [copy("b", name) for name in NAMES])], bounds
    )
    with pytest.raises(SearchTooWide, match="3 pages") as told:
        Once(federation, bounds).search(Query(limit=1, sortby=(SortKey("collection"),)), None, ROOT)
    federation.close()
    assert told.value.advice


def test_links_that_are_json_already_are_joined_with_those_to_copies() -> None:
    class Serialised(Holding):
        def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
            found = super().search(query, root, ready=ready)
            if not ready:
                return found
            items = [{**each, "links": orjson.Fragment(orjson.dumps(each["links"]))} for each in found.items]
            return replace(found, items=items)

    names, told = NAMES[:2], list[Any]()
    for kind in (Holding, Serialised):
        federation = Federation(
            [kind("a", [copy("a", name) for name in names]), kind("b", [copy("b", NAMES[0])])], Settings()
        )
        page = Linked(federation, Settings()).search(Query(), None, ROOT, ready=True)
        federation.close()
        told.append(orjson.loads(orjson.dumps([item["links"] for item in page.items])))
    assert told[0] == told[1]
    assert sorted(len([link for link in links if link["rel"] == "alternate"]) for links in told[1]) == [
        0,
        1,
        1,
    ]
