"""Where the bytes of a catalogue's items are, and which servers are shown its account's token."""

from pathlib import Path

import orjson
import pytest

from stacbridge.errors import Misconfigured, NotFound, NotOrderable, UpstreamError
from stacbridge.loading import load
from stacbridge.model import Query, Request
from stacbridge.settings import Settings
from stacbridge.upstream import Upstream
from tests.places import ready
from tests.servers import Answer, Clock, Server
from tests.unit.toy_archive import ROOT, Toy, build, record


def test_the_bytes_of_an_item_are_found_by_its_id(server: Server, upstream: Upstream) -> None:
    place = ready(upstream, "toys", "TOY_1", "product")
    assert place.request == Request("GET", f"{server.url}/odata/v1/Products(id-1)/$value")
    assert (place.name, place.ranges, place.size) == ("TOY_1.SAFE.zip", False, None)


def test_an_item_is_not_found_by_a_part_of_its_id(toy: Toy, upstream: Upstream) -> None:
    toy.pages = [[record(11)]]
    with pytest.raises(NotFound, match="no item 'TOY_1'"):
        upstream.locate("toys", "TOY_1", "product")


@pytest.mark.parametrize(("collection", "asset"), [("dolls", "product"), ("toys", "B01")])
def test_unknown_collections_and_assets_are_not_found_without_asking(
    server: Server, upstream: Upstream, collection: str, asset: str
) -> None:
    with pytest.raises(NotFound):
        upstream.locate(collection, "TOY_1", asset)
    assert server.seen == []


def test_a_missing_quicklook_is_not_found(upstream: Upstream) -> None:
    with pytest.raises(NotFound, match="thumbnail"):
        upstream.locate("toys", "TOY_1", "thumbnail")


def test_a_place_is_remembered_for_a_while(folder: Path, server: Server) -> None:
    clock = Clock()
    upstream = build(folder, server, clock)
    for asset in ("image", "image", "product"):
        upstream.locate("toys", "TOY_1", asset)
    assert len(server.seen) == 2
    clock.now += 300
    place = ready(upstream, "toys", "TOY_1", "image")
    assert len(server.seen) == 4
    assert place.request.url.endswith("/Nodes(TOY_1.SAFE)/Nodes(measurement)/Nodes(a-b.tiff)/$value")
    assert (place.ranges, place.size) == (True, 42)


@pytest.mark.parametrize("asset", ["product", "image"])
def test_what_is_remembered_of_a_place_is_told_at_once_and_nobody_is_asked(
    asset: str, folder: Path, server: Server
) -> None:
    clock = Clock()
    upstream = build(folder, server, clock)
    assert upstream.located("toys", "TOY_1", asset) is None
    found = upstream.locate("toys", "TOY_1", asset)
    asked = len(server.seen)
    assert upstream.located("toys", "TOY_1", asset) == found
    clock.now += 300
    assert upstream.located("toys", "TOY_1", asset) is None
    assert len(server.seen) == asked


def test_a_place_whose_listing_is_not_known_has_to_be_asked_for(server: Server, upstream: Upstream) -> None:
    upstream.locate("toys", "TOY_1", "product")
    assert upstream.located("toys", "TOY_1", "image") is None
    assert len(server.seen) == 1


def test_what_is_not_there_is_not_found_at_once_either(toy: Toy, upstream: Upstream) -> None:
    with pytest.raises(NotFound):
        upstream.located("toys", "TOY_1", "B01")
    toy.pages = [[record(0, Online=False)]]
    for locate in (upstream.locate, upstream.located):
        with pytest.raises(NotOrderable):
            locate("toys", "TOY_0", "product")


def test_assets_in_one_folder_share_its_listing(toy: Toy, server: Server, upstream: Upstream) -> None:
    names = [{"Name": "a-b.tiff"}, {"Name": "a-mask.tif"}]
    toy.listing = Answer(body=orjson.dumps({"result": names}))
    upstream.locate("toys", "TOY_1", "image")
    upstream.locate("toys", "TOY_1", "mask")
    assert [seen.path.endswith("/Nodes") for seen in server.seen] == [False, True]


def test_a_refused_listing_is_not_remembered(toy: Toy, upstream: Upstream) -> None:
    good, toy.listing = toy.listing, Answer(500)
    with pytest.raises(UpstreamError):
        upstream.locate("toys", "TOY_1", "image")
    toy.listing = good
    assert ready(upstream, "toys", "TOY_1", "image").size == 42


def test_an_offline_product_says_where_to_order_it(toy: Toy, upstream: Upstream) -> None:
    toy.pages = [[record(0, Online=False)]]
    with pytest.raises(NotOrderable, match=r"Order it at the Toy Workspace\."):
        upstream.locate("toys", "TOY_0", "product")


def test_a_record_cannot_send_the_bridge_into_its_own_network(toy: Toy, upstream: Upstream) -> None:
    link = "http://169.254.169.254/Assets(1)/$value"
    toy.pages = [[record(0, Assets=[{"Type": "QUICKLOOK", "DownloadLink": link}])]]
    with pytest.raises(UpstreamError, match="may not go to"):
        upstream.locate("toys", "TOY_0", "thumbnail")


def test_the_token_goes_to_listed_servers_only(toy: Toy, server: Server, upstream: Upstream) -> None:
    token = {"Authorization": "Bearer canary-token-1"}
    assert upstream.authorize("https://evil.example.org/Products(1)/$value") == {}
    assert upstream.authorize(f"{server.url}/odata/v1/Assets(1)/$value") == {}
    assert toy.tokens == 0
    assert upstream.authorize(f"{server.url}/odata/v1/Products(1)/$value") == token
    assert upstream.authorize("https://zipper.example.eu/odata/v1/Products(1)/$value") == token
    assert toy.tokens == 1


def test_headers_are_told_at_once_unless_a_token_has_to_be_got(
    folder: Path, toy: Toy, server: Server
) -> None:
    clock = Clock()
    upstream = build(folder, server, clock)
    url = f"{server.url}/odata/v1/Products(1)/$value"
    assert upstream.authorized("https://evil.example.org/Products(1)/$value") == {}
    assert upstream.authorized(url) is None
    assert toy.tokens == 0
    got = upstream.authorize(url)
    assert upstream.authorized(url) == got == {"Authorization": "Bearer canary-token-1"}
    clock.now += 599
    assert upstream.authorized(url) is None
    assert toy.tokens == 1


def test_a_refused_token_is_replaced_once(toy: Toy, server: Server, upstream: Upstream) -> None:
    url = f"{server.url}/odata/v1/Products(1)/$value"
    refused = upstream.authorize(url)
    fresh = upstream.reauthorize(url, refused)
    assert fresh == {"Authorization": "Bearer canary-token-2"}
    assert upstream.reauthorize(url, refused) == fresh == upstream.authorize(url)
    assert upstream.reauthorize("https://evil.example.org/", fresh) == {}
    assert toy.tokens == 2


def test_without_an_account_search_works_and_a_download_names_the_settings(
    folder: Path, server: Server
) -> None:
    upstream = build(folder, server, credentials={})
    assert upstream.search(Query(), ROOT).items
    assert upstream.locate("toys", "TOY_0", "product")
    with pytest.raises(Misconfigured, match="STACBRIDGE_CREDENTIALS__TOY__USERNAME"):
        upstream.authorize(f"{server.url}/odata/v1/Products(1)/$value")


def test_the_settings_that_an_error_names_are_those_that_are_read(
    folder: Path, toy: Toy, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACBRIDGE_CREDENTIALS__TOY__USERNAME", "ada")
    monkeypatch.setenv("STACBRIDGE_CREDENTIALS__TOY__PASSWORD", "canary-password")
    upstream = load("toy", Settings(catalogue_folder=folder))
    assert upstream.authorize(f"{server.url}/odata/v1/Products(1)/$value")


def test_redirects_may_lead_to_listed_and_public_servers(server: Server, upstream: Upstream) -> None:
    assert upstream.may_follow(f"{server.url}/x")
    assert upstream.may_follow("https://store.example.org/x")
    assert not upstream.may_follow("http://127.0.0.1:1/x")


def test_no_secret_shows(upstream: Upstream, server: Server) -> None:
    headers = upstream.authorize(f"{server.url}/odata/v1/Products(1)/$value")
    assert "canary" in str(headers)
    assert "canary" not in repr(upstream) + repr(vars(upstream))
