"""Places of files inside products, with a real listing server that knows a tree of names."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.access import nodes
from stacbridge.access.flows import drive
from stacbridge.errors import NotFound, UpstreamError
from stacbridge.model import Json, Reply
from stacbridge.settings import Settings
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts
from tests.servers import Answer, Clock, Seen, Server, serving

NAME = "S2A_MSIL1C_20200808T010311.SAFE"
Tree = dict[str, "Tree | int"]
TREE: Tree = {
    NAME: {
        "manifest.safe": 700,
        "GRANULE": {"L1C_T54PXA_A026783": {"IMG_DATA": {"T54PXA_B02.jp2": 1000, "T54PXA_B03.jp2": 1100}}},
        "odd (name) & 100%.xml": 5,
        "empty": 0,
    }
}


class Archive:
    """Answers Nodes listings of one product as CDSE's download host does."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def __call__(self, seen: Seen) -> Answer:
        found: Tree | int = self.tree
        for name in re.findall(r"Nodes\(([^()]*)\)", seen.path):
            if not isinstance(found, dict) or unquote(name) not in found:
                return Answer(404, b'{"detail":"Not Found"}')
            found = found[unquote(name)]
        children = found if isinstance(found, dict) else {}
        result = [
            {"Id": name, "Name": name, "ContentLength": child if isinstance(child, int) else 0}
            for name, child in children.items()
        ]
        return Answer(body=orjson.dumps({"result": result}))


@pytest.fixture(scope="module")
def archive() -> Iterator[Server]:
    with serving(Archive(TREE)) as server:
        yield server


def find(server: Server, path: str) -> nodes.Node:
    wire = Wire("cdse", Settings(), Hosts.listed([server.url]), clock=Clock())
    server.seen.clear()
    return drive(
        nodes.find("cdse", f"{server.url}/odata/v1/Products(7)", NAME, path.split("/")), wire.exchange
    )


def test_a_path_without_wildcards_is_not_looked_up(archive: Server) -> None:
    found = find(archive, "GRANULE/x/IMG_DATA/b.jp2")
    base = f"{archive.url}/odata/v1/Products(7)/Nodes({NAME})"
    assert found.url == f"{base}/Nodes(GRANULE)/Nodes(x)/Nodes(IMG_DATA)/Nodes(b.jp2)"
    assert (found.name, found.size, archive.seen) == ("b.jp2", None, [])


def test_each_wildcard_costs_one_listing(archive: Server) -> None:
    found = find(archive, "GRANULE/*/IMG_DATA/*_B02.jp2")
    assert (found.name, found.size) == ("T54PXA_B02.jp2", 1000)
    assert found.url.endswith("/Nodes(L1C_T54PXA_A026783)/Nodes(IMG_DATA)/Nodes(T54PXA_B02.jp2)")
    base = f"/odata/v1/Products(7)/Nodes({NAME})/Nodes(GRANULE)"
    assert [seen.path for seen in archive.seen] == [
        f"{base}/Nodes",
        f"{base}/Nodes(L1C_T54PXA_A026783)/Nodes(IMG_DATA)/Nodes",
    ]


def test_names_are_not_quoted_and_odd_characters_are_escaped(archive: Server) -> None:
    found = find(archive, "odd*.xml")
    assert found.url.endswith("/Nodes(odd%20%28name%29%20%26%20100%25.xml)")


def test_a_size_of_nought_is_not_a_size(archive: Server) -> None:
    assert find(archive, "emp*").size is None


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("GRANULE/*/IMG_DATA/*_B99.jp2", "no files match *_B99.jp2 of GRANULE/*/IMG_DATA/*_B99.jp2"),
        ("GRANULE/*/IMG_DATA/*.jp2", "2 files match *.jp2"),
        ("HTML/*", "no files match * of HTML/*"),
        ("manifest.s?fe/*", "no files match"),
    ],
)
def test_a_path_that_is_not_one_file_is_not_found_and_named(archive: Server, path: str, told: str) -> None:
    with pytest.raises(NotFound, match=re.escape(told)) as caught:
        find(archive, path)
    assert NAME in caught.value.description


def listed(names: list[str], path: str, status: int = 200) -> nodes.Node:
    body = orjson.dumps({"result": [{"Name": name, "ContentLength": 1} for name in names]})
    flow = nodes.find("cdse", "https://a.eu/Products(7)", NAME, path.split("/"))
    return drive(flow, lambda request: Reply(status, {}, body, request.url))


@given(st.text("ab?[].^$", max_size=3), st.text("ab?[].^$", max_size=3), st.text("ab/", max_size=3))
def test_only_the_star_is_a_wildcard(start: str, end: str, middle: str) -> None:
    name = f"_{start}{middle.replace('/', '-')}{end}_"
    assert listed([name, f"x{name}", f"{name}x"], f"_{start}*{end}_").name == name


@pytest.mark.parametrize("name", ["..", ".", "", "a/b"])
def test_a_listing_cannot_lead_out_of_the_product(name: str) -> None:
    with pytest.raises(NotFound):
        listed([name], "*")


@pytest.mark.parametrize(
    "answer",
    [
        {"value": []},
        [],
        {"result": 7},
    ],
)
def test_an_answer_that_is_no_listing_is_an_upstream_error(answer: Json) -> None:
    flow = nodes.find("cdse", "https://a.eu/Products(7)", NAME, "*")
    with pytest.raises(UpstreamError):
        drive(flow, lambda request: Reply(200, {}, orjson.dumps(answer), request.url))


def test_a_refused_listing_tells_the_upstreams_words() -> None:
    body = b'{"code":"DAT-ZIP-104","message":"Malformed OData request path"}'
    flow = nodes.find("cdse", "https://a.eu/Products(7)", NAME, "*")
    with pytest.raises(UpstreamError, match="DAT-ZIP-104 Malformed"):
        drive(flow, lambda request: Reply(400, {}, body, request.url))
