"""A catalogue from TOML, with a small dialect of its own, against real servers on loopback."""

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from stacbridge.catalogue import Catalogue
from stacbridge.errors import Misconfigured, NotFound, NotOrderable, UpstreamError
from stacbridge.loading import load
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Json, Page, Query, Reply, Request
from stacbridge.settings import Credentials, Settings
from stacbridge.upstream import Upstream
from stacbridge.wire.answers import read_json
from tests.places import ready
from tests.servers import Answer, Clock, Seen, Server, serving

TOML = """
id = "toy"
title = "Toy archive"
dialect = "odata"

[endpoints]
catalogue = "{url}/odata/v1"
download = "{url}/odata/v1"
token = "{url}/token"

[access]
flow = "oidc-password"
client_id = "toy-public"
endpoints = ["download", "catalogue"]
hosts = ["zipper.example.eu"]
public = ["/Assets("]
offline = "Order it at the Toy Workspace."

[limits]
connections = 4

[names]
strip = [".SAFE"]

[[field]]
stac = "datetime"
from = "ContentDate/Start"
type = "DateTimeOffset"
"""

FAMILY = """
[family]
name = "TOY"
license = "other"

[[collection]]
id = "toys"
title = "Toys"
description = "Toys."
match = { productType = ["TOY"] }

[[collection.asset]]
key = "product"
type = "application/zip"
roles = ["data"]
of = "product"

[[collection.asset]]
key = "thumbnail"
type = "image/jpeg"
roles = ["thumbnail"]
of = "quicklook"

[[collection.asset]]
key = "image"
type = "image/tiff"
roles = ["data"]
of = "node"
path = "measurement/*.tiff"

[[collection.asset]]
key = "mask"
type = "image/tiff"
roles = ["data"]
of = "node"
path = "measurement/*-mask.tif"
"""

CREDENTIALS = {"toy": Credentials(username="ada", password=SecretStr("canary-password"))}
ROOT = "http://bridge"


class Numbers:
    """A dialect whose pages are numbered; the record it is asked for by id is `ids`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: Query) -> Request | None:
        if query.collections == ("dolls",):
            return None
        start = str((query.position or {}).get("start", 0))
        params = (
            ("start", start),
            ("limit", str(query.limit)),
            ("count", str(query.count)),
            ("id", "".join(query.ids)),
        )
        return Request("GET", f"{self.url}/odata/v1/Products", params)

    def read(self, reply: Reply, query: Query) -> Page:
        answer = read_json(reply, "toy")
        return Page(answer["value"], answer.get("next"), answer.get("matched"))


def record(number: int, **members: object) -> Json:
    return {
        "Id": f"id-{number}",
        "Name": f"TOY_{number}.SAFE",
        "Online": True,
        "ContentDate": {"Start": "2026-01-01T00:00:00.000000Z", "End": "2026-01-01T00:00:01.000000Z"},
        "Attributes": {"productType": "TOY"},
        **members,
    }


class Toy:
    """The archive's server: pages of records, a listing, tokens."""

    def __init__(self) -> None:
        self.pages: list[list[Json]] = [[record(n) for n in range(3)]]
        self.tokens = 0
        self.listing = Answer(body=orjson.dumps({"result": [{"Name": "a-b.tiff", "ContentLength": 42}]}))

    def __call__(self, seen: Seen) -> Answer:
        if seen.path == "/token":
            self.tokens += 1
            token = {"access_token": f"canary-token-{self.tokens}", "expires_in": 600}
            return Answer(body=orjson.dumps(token))
        if seen.path.endswith("/Nodes"):
            return self.listing
        if match := re.search(r"&id=([^&]+)$", seen.path):
            found = [entry for page in self.pages for entry in page if match[1] in entry["Name"]]
            return Answer(body=orjson.dumps({"value": found}))
        page = int(re.findall(r"start=(\d+)", seen.path)[0])
        more = {"next": {"start": page + 1}} if page + 1 < len(self.pages) else {}
        matched = {"matched": 7} if "count=True" in seen.path else {}
        return Answer(body=orjson.dumps({"value": self.pages[page], **more, **matched}))


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def server(toy: Toy) -> Iterator[Server]:
    with serving(toy) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: Server) -> Path:
    (tmp_path / "toy.toml").write_text(TOML.replace("{url}", server.url))
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "toys.toml").write_text(FAMILY)
    return tmp_path


def build(folder: Path, server: Server, clock: Clock | None = None, **settings: object) -> Upstream:
    configured = Settings.model_validate({"catalogue_folder": folder, "credentials": CREDENTIALS, **settings})
    time = clock or Clock()
    mapping = load_mapping("toy", configured)
    return Upstream(mapping, Numbers(server.url), configured, clock=time, wall=time, sleep=time.sleep)


@pytest.fixture
def upstream(folder: Path, server: Server) -> Upstream:
    return build(folder, server)


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


@pytest.mark.parametrize(
    ("found", "wrong", "named"),
    [
        ('dialect = "odata"', 'dialect = "klingon"', "klingon"),
        ('flow = "oidc-password"', 'flow = "magic"', "access.flow"),
        ('flow = "oidc-password"', "", "access.flow"),
        ('client_id = "toy-public"', "client_id = 7", "access.client_id"),
        ('endpoints = ["download", "catalogue"]', 'endpoints = ["upload"]', "upload"),
        ("connections = 4", "offset = 4", "connections"),
        ('offline = "', 'ofline = "', "access.ofline"),
    ],
)
def test_nonsense_is_refused_naming_file_and_key(folder: Path, found: str, wrong: str, named: str) -> None:
    file = folder / "toy.toml"
    file.write_text(file.read_text().replace(found, wrong))
    with pytest.raises(Misconfigured, match=f"toy.toml.*{named}"):
        load("toy", Settings(catalogue_folder=folder))


def test_no_secret_shows(upstream: Upstream, server: Server) -> None:
    headers = upstream.authorize(f"{server.url}/odata/v1/Products(1)/$value")
    assert "canary" in str(headers)
    assert "canary" not in repr(upstream) + repr(vars(upstream))
