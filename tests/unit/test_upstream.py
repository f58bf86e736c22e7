"""A catalogue from TOML, over a small dialect of its own: its searches, and nonsense in its files."""

from pathlib import Path

import pytest

from stacbridge.catalogue import Catalogue
from stacbridge.errors import Misconfigured, UpstreamError
from stacbridge.loading import load
from stacbridge.model import Query
from stacbridge.settings import Settings
from stacbridge.upstream import Upstream
from tests.servers import Server
from tests.unit.toy_archive import ROOT, Toy, build, record


def test_it_is_a_catalogue(upstream: Upstream) -> None:
    catalogue: Catalogue = upstream
    assert (catalogue.id, catalogue.title, catalogue.connections) == ("toy", "Toy archive", 4)
    assert [collection["id"] for collection in catalogue.collections()] == ["toys"]
    assert "id" in catalogue.queryables("toys")["properties"]
    assert catalogue.sortables(None)["type"] == "object"


def test_a_search_gives_items_under_the_root(upstream: Upstream) -> None:
    found = upstream.search(Query(count=True), ROOT)
    assert [item["id"] for item in found.items] == ["TOY_0", "TOY_1", "TOY_2"]
    assert (
        found.items[0]["assets"]["product"]["href"] == f"{ROOT}/assets/toy/toys/TOY_0/product/TOY_0.SAFE.zip"
    )
    assert (found.matched, found.position, found.skipped) == (7, None, ())


def test_records_that_cannot_be_items_are_reported(toy: Toy, upstream: Upstream) -> None:
    toy.pages = [[record(0), record(1, Name=None), record(2, Attributes={})]]
    found = upstream.search(Query(), ROOT)
    assert [item["id"] for item in found.items] == ["TOY_0"]
    assert [skip.record for skip in found.skipped] == ["id-1", "TOY_2.SAFE"]


def test_a_page_of_nothing_but_unfit_records_is_passed_over(
    toy: Toy, server: Server, upstream: Upstream
) -> None:
    toy.pages = [[record(0, Name=None)], [record(1, Name=None)], [record(2)], [record(3)]]
    found = upstream.search(Query(count=True), ROOT)
    assert [item["id"] for item in found.items] == ["TOY_2"]
    assert (found.position, found.matched, len(found.skipped)) == ({"p": {"start": 3}}, 7, 2)
    assert ["count=True" in seen.path for seen in server.seen] == [True, False, False]


def test_passing_over_is_bounded_and_says_why(toy: Toy, folder: Path, server: Server) -> None:
    toy.pages = [[record(n, Name=None)] for n in range(9)]
    with pytest.raises(UpstreamError, match=r"without one record .* 3 records.* no Id or no Name"):
        build(folder, server, max_upstream_pages=3).search(Query(), ROOT)
    assert len(server.seen) == 3


def test_an_empty_answer_is_an_empty_page(toy: Toy, upstream: Upstream) -> None:
    toy.pages = [[]]
    assert upstream.search(Query(), ROOT).items == []


def test_where_nothing_can_match_nobody_is_asked(server: Server, upstream: Upstream) -> None:
    found = upstream.search(Query(collections=("dolls",), count=True), ROOT)
    assert (found.items, found.position, found.matched, server.seen) == ([], None, 0, [])


@pytest.mark.parametrize(
    ("found", "wrong", "named"),
    [
        ('dialect = "odata"', 'dialect = "klingon"', "'klingon' is none of odata, opensearch"),
        ('flow = "oidc-password"', 'flow = "magic"', "access.flow"),
        ('flow = "oidc-password"', "", "access.flow"),
        ('client_id = "toy-public"', "client_id = 7", "access.client_id"),
        ('endpoints = ["download", "catalogue"]', 'endpoints = ["upload"]', "upload"),
        ("connections = 4", "offset = 4", "limits.connections: is missing"),
        ("connections = 4", "connections = 4\npages = 4", "limits.pages: is none of connections"),
        ('offline = "', 'ofline = "', "access.ofline"),
    ],
)
def test_nonsense_is_refused_naming_file_and_key(folder: Path, found: str, wrong: str, named: str) -> None:
    file = folder / "toy.toml"
    file.write_text(file.read_text().replace(found, wrong))
    with pytest.raises(Misconfigured, match=f"toy.toml.*{named}"):
        load("toy", Settings(catalogue_folder=folder))
