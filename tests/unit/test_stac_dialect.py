"""The dialect of STAC APIs on answers that no simulator gives."""

from pathlib import Path
from typing import Any

import cql2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.access.flows import drive
from stacbridge.dialects import stac_pages
from stacbridge.dialects.stac import StacApi
from stacbridge.dialects.stac_text import text
from stacbridge.errors import BadRequest, UpstreamError
from stacbridge.model import Json, Page, Query, Reply, Request
from tests.unit.stac_apis import api

ROOT = "https://stac.example"


class Upstream:
    """Answers each path with what is given for it, and keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        name = request.url.rpartition("/")[2]
        answer = self.answers[name]
        document = answer.pop(0) if isinstance(answer, list) else answer
        return Reply(200, {}, orjson.dumps(document), request.url)


def item(id: str) -> Json:
    return {"type": "Feature", "id": id}


def page(*ids: str, **more: Any) -> Json:
    return {"type": "FeatureCollection", "features": [item(id) for id in ids], **more}


def link(href: str, **more: Any) -> Json:
    return {"rel": "next", "href": href, **more}


def search(dialect: StacApi, upstream: Upstream, **query: Any) -> Page:
    return drive(dialect.walk(Query(**query)), upstream)


def test_a_cursor_holds_what_the_next_link_adds_and_never_its_address(tmp_path: Path) -> None:
    next_page = link("https://elsewhere.example/steal?limit=2&marker=abc&token=x")
    upstream = Upstream(search=[page("a", "b", links=[next_page]), page("c")])
    dialect = api(tmp_path)
    first = search(dialect, upstream, limit=2)
    assert first.position is not None
    assert first.position["next"] == {"limit": "2", "marker": "abc", "token": "x"}
    second = search(dialect, upstream, limit=2, position=first.position)
    assert (second.position, [record["id"] for record in second.records]) == (None, ["c"])
    assert {request.url for request in upstream.asked} == {f"{ROOT}/v1/search"}
    assert dict(upstream.asked[1].params)["marker"] == "abc"


def test_the_body_of_a_next_link_goes_on_by_post(tmp_path: Path) -> None:
    following = link(f"{ROOT}/v1/search", method="POST", body={"limit": 2, "token": "next:2"})
    upstream = Upstream(search=[page("a", "b", links=[following]), page("c")])
    dialect = api(tmp_path, 'method = "POST"')
    position = search(dialect, upstream, limit=2).position
    search(dialect, upstream, limit=2, position=position)
    newest_first = [{"field": "datetime", "direction": "desc"}]
    body = orjson.loads(upstream.asked[1].body or b"")
    assert body == {"limit": 2, "token": "next:2", "sortby": newest_first}


@pytest.mark.parametrize(
    "names", ["ids=a,b&ids=c", "ids=a&ids=b&ids=c", "ids%5B%5D=a&ids%5B%5D=b&ids%5B%5D=c"]
)
def test_a_list_that_a_next_link_spells_otherwise_stays_whole(tmp_path: Path, names: str) -> None:
    first = page("a", "b", links=[link(f"{ROOT}/v1/search?limit=2&{names}&marker=m")])
    upstream = Upstream(search=[first, page("c")])
    dialect, query = api(tmp_path), Query(ids=("a", "b", "c"), limit=2)
    found = drive(dialect.walk(query), upstream)
    assert sorted(record["id"] for record in found.records) == ["a", "b"]
    asked = [dict(request.params) for request in upstream.asked]
    assert [(each["ids"], each.get("ids[]"), each.get("marker")) for each in asked] == [
        ("a,b,c", None, None),
        ("a,b,c", None, "m"),
    ]


def test_a_next_link_that_leads_back_is_an_error_and_no_endless_walk(tmp_path: Path) -> None:
    looping = page("a", links=[link(f"{ROOT}/v1/search?limit=1")])
    with pytest.raises(UpstreamError, match="whose next page is itself"):
        search(api(tmp_path), Upstream(search=looping), limit=1)


def test_an_answer_that_ends_before_its_count_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="ended its answer after 2 of 5 items"):
        search(api(tmp_path), Upstream(search=page("a", "b", numberMatched=5)))


def test_items_that_come_in_during_a_walk_are_no_loss(tmp_path: Path) -> None:
    first = page("a", "b", numberMatched=3, links=[link("?marker=2")])
    upstream = Upstream(search=[first, page("c", numberMatched=4)])
    dialect = api(tmp_path)
    position = search(dialect, upstream, limit=2).position
    assert search(dialect, upstream, limit=2, position=position).position is None


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({"numberMatched": 3}, 3),
        ({"context": {"matched": 4}}, 4),
        ({"numberMatched": "many"}, None),
        ({"numberMatched": -1}, None),
        ({"numberMatched": True}, None),
        ({"context": None}, None),
        ({}, None),
    ],
)
def test_a_count_is_known_where_it_is_told_as_a_number(document: Json, count: int | None) -> None:
    assert stac_pages.matched(document) == count


def test_an_area_that_no_url_can_hold_is_asked_for_as_a_box_and_checked(tmp_path: Path) -> None:
    ring = [[float(x) / 7, 0.0] for x in range(60)]
    area = {"type": "Polygon", "coordinates": [[*ring, [9.0, 9.0], ring[0]]]}
    inside, beside = ({"type": "Point", "coordinates": [x, 4.0]} for x in (5.0, 1.0))
    found = page("in", "out", numberMatched=2)
    found["features"][0]["geometry"], found["features"][1]["geometry"] = inside, beside
    upstream = Upstream(search=found)
    answer = search(api(tmp_path), upstream, intersects=area, count=True)
    assert [record["id"] for record in answer.records] == ["in"]
    assert (dict(upstream.asked[0].params)["bbox"], answer.matched) == ("0.0,0.0,9.0,9.0", None)


def test_collections_that_no_url_can_hold_are_refused_by_their_parameter(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="more than 500 characters") as refused:
        search(api(tmp_path), Upstream(), collections=tuple(f"collection-{n}" for n in range(60)))
    assert refused.value.parameter == "collections"


def test_a_filter_that_no_url_can_hold_is_checked(tmp_path: Path) -> None:
    names = [f"name-{number}" for number in range(60)]
    filter = {"op": "in", "args": [{"property": "a"}, names]}
    queryables = {"properties": {"a": {"type": "string"}}}
    upstream = Upstream(search=page("x"), queryables=queryables)
    answer = search(api(tmp_path), upstream, collections=("c",), filter=filter)
    assert answer.checked == (" or ".join(["'a' ="] * 60),)
    assert "filter" not in dict(upstream.asked[-1].params)


def test_an_api_without_filters_has_them_checked(tmp_path: Path) -> None:
    filter = {"op": "=", "args": [{"property": "a"}, 1]}
    dialect = api(tmp_path, 'filter = "none"')
    upstream = Upstream(search=page("x", numberMatched=1))
    answer = search(dialect, upstream, collections=("c",), filter=filter, count=True)
    assert (answer.checked, answer.matched, len(upstream.asked)) == (("'a' =",), None, 1)


def test_datetime_is_sortable_whatever_the_api_sorts_by(tmp_path: Path) -> None:
    assert api(tmp_path, sortables="[]").translation.sortables()["properties"].keys() == {"datetime"}


def collection(id: str, *links: Json) -> Json:
    return {"type": "Collection", "id": id, "links": [{"rel": "items", "href": f"/{id}/items"}, *links]}


def test_queryables_on_another_server_are_not_asked_there(tmp_path: Path) -> None:
    astray = {"rel": "queryables", "href": "https://elsewhere.example/queryables"}
    upstream = Upstream(
        collections={"collections": [collection("c:1", astray)]}, queryables={"properties": {}}
    )
    dialect = api(tmp_path)
    drive(dialect.discover(), upstream)
    drive(dialect.queryables("c:1"), upstream)
    assert upstream.asked[-1].url == f"{ROOT}/v1/collections/c%3A1/queryables"


def test_a_list_of_collections_that_never_ends_is_an_error(tmp_path: Path) -> None:
    endless = [
        {"collections": [collection("a")], "links": [link("?startRecord=2")]},
        {"collections": [], "links": [link("?startRecord=3")]},
    ]
    with pytest.raises(UpstreamError, match="lists collections without end"):
        drive(api(tmp_path).discover(), Upstream(collections=endless))


def test_a_collection_that_is_listed_twice_is_there_once(tmp_path: Path) -> None:
    twice = {"collections": [collection("a"), collection("a")]}
    assert len(drive(api(tmp_path).discover(), Upstream(collections=twice))) == 1


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
COMPARISONS = st.builds(
    lambda op, name, value: {"op": op, "args": [{"property": name}, value]},
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    st.sampled_from(["a", "eo:cloud_cover", "odd name", 'quo"ted']),
    st.one_of(TEXTS, st.integers(-(2**40), 2**40), st.booleans()),
)
EXPRESSIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(
            lambda op, args: {"op": op, "args": args},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
        st.builds(lambda arg: {"op": "not", "args": [arg]}, inner),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS)
def test_the_text_of_an_expression_is_read_back_as_what_it_says(expression: Json) -> None:
    written = cql2.parse_text(text(expression)).to_json()
    assert _plain(written) == _plain(expression), text(expression)


def _plain(node: Any) -> Any:
    """Return an expression with nested ands and ors of one kind flattened, and numbers alike."""
    if isinstance(node, dict) and "op" in node:
        args = [_plain(arg) for arg in node["args"]]
        if node["op"] in ("and", "or"):
            flat: list[Any] = []
            for arg in args:
                flat += arg["args"] if isinstance(arg, dict) and arg.get("op") == node["op"] else [arg]
            args = flat
        return {"op": node["op"], "args": args}
    return float(node) if isinstance(node, int) and not isinstance(node, bool) else node


def test_a_filter_on_the_collection_finds_out_first_which_there_are(tmp_path: Path) -> None:
    upstream = Upstream(
        collections={"collections": [collection("a"), collection("b")]},
        queryables={"properties": {}},
        search=page("x"),
    )
    filter = {"op": "=", "args": [{"property": "collection"}, "b"]}
    assert len(search(api(tmp_path), upstream, filter=filter).records) == 1
    assert dict(upstream.asked[-1].params)["collections"] == "b"
