"""Dialects that need more than one request, list their own collections, or want the account for searches."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from stacbridge.dialects.dialect import Conversation
from stacbridge.errors import NotFound, UpstreamError, UpstreamUnavailable
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Json, Page, Query, Request
from stacbridge.settings import Credentials, Settings
from stacbridge.upstream import Upstream
from stacbridge.wire.answers import read_json
from tests.servers import Answer, Clock, Seen, Server, serving
from tests.unit.toy_archive import FAMILY, TOML, record

ROOT = "http://bridge"
ACCOUNT = {"toy": Credentials(username="ada", password=SecretStr("canary-password"))}


class Walker:
    """A dialect whose page is two requests, whose collections and queryables are the service's."""

    def __init__(self, mapping: Mapping, url: str) -> None:
        self.url = url

    def walk(self, query: Query) -> Conversation[Page]:
        records: list[Json] = []
        for half in ("early", "late"):
            try:
                reply = yield Request("GET", f"{self.url}/{half}")
            except UpstreamError:
                continue
            records += read_json(reply, "toy")
        return Page(records)

    def discover(self) -> Conversation[list[Json]]:
        reply = yield Request("GET", f"{self.url}/collections")
        return [{"id": name} for name in read_json(reply, "toy")]

    def queryables(self, collection: str | None) -> Conversation[Json]:
        if collection == "nowhere":
            raise NotFound("There is none.")
        reply = yield Request("GET", f"{self.url}/queryables/{collection}")
        return dict(read_json(reply, "toy"))


class Service:
    """The server: answers by path, tokens that it may refuse."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {
            "/early": Answer(body=orjson.dumps([record(1)])),
            "/late": Answer(body=orjson.dumps([record(2)])),
            "/collections": Answer(body=b'["found"]'),
            "/queryables/toys": Answer(body=b'{"properties": {"frame": {}}}'),
        }
        self.good = ["token-1", "token-2"]
        self.tokens = 0

    def __call__(self, seen: Seen) -> Answer:
        if seen.path == "/token":
            self.tokens += 1
            token = {"access_token": f"token-{self.tokens}", "expires_in": 600}
            return Answer(body=orjson.dumps(token))
        given = seen.headers.get("authorization")
        if given and given.removeprefix("Bearer ") not in self.good:
            return Answer(401)
        return self.answers[seen.path]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[Server]:
    with serving(service) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


def build(folder: Path, server: Server, clock: Clock, searches: str = "") -> Upstream:
    text = TOML.replace("{url}", server.url).replace("[limits]", f"{searches}\n[limits]")
    (folder / "toy.toml").write_text(text)
    (folder / "toy").mkdir()
    (folder / "toy" / "toys.toml").write_text(FAMILY)
    settings = Settings.model_validate({"catalogue_folder": folder, "credentials": ACCOUNT, "retries": 0})
    mapping = load_mapping("toy", settings)
    return Upstream(
        mapping, Walker(mapping, server.url), settings, clock=clock, wall=clock, sleep=clock.sleep
    )


@pytest.fixture
def upstream(tmp_path: Path, server: Server, clock: Clock) -> Upstream:
    return build(tmp_path, server, clock)


def test_a_page_may_take_several_requests(upstream: Upstream) -> None:
    assert [item["id"] for item in upstream.search(Query(), ROOT).items] == ["TOY_1", "TOY_2"]


def test_a_dialect_may_go_on_after_a_request_that_failed(service: Service, upstream: Upstream) -> None:
    service.answers["/early"] = Answer(500)
    assert [item["id"] for item in upstream.search(Query(), ROOT).items] == ["TOY_2"]


def test_collections_of_the_service_follow_those_of_the_files_and_are_asked_once(
    server: Server, upstream: Upstream
) -> None:
    for _ in range(3):
        assert [collection["id"] for collection in upstream.collections()] == ["toys", "found"]
    assert [seen.path for seen in server.seen] == ["/collections"]


def test_collections_stay_known_while_the_service_is_down(
    service: Service, upstream: Upstream, clock: Clock
) -> None:
    upstream.collections()
    service.answers["/collections"] = Answer(503)
    clock.now += 3600
    assert [collection["id"] for collection in upstream.collections()] == ["toys", "found"]


def test_a_search_hears_of_the_collections_first_and_says_so_where_it_cannot(
    service: Service, server: Server, upstream: Upstream
) -> None:
    service.answers["/collections"] = Answer(503)
    with pytest.raises(UpstreamUnavailable):
        upstream.search(Query(), ROOT)
    assert [seen.path for seen in server.seen] == ["/collections"]


def test_queryables_of_the_service_are_remembered(
    service: Service, server: Server, upstream: Upstream
) -> None:
    assert "frame" in upstream.queryables("toys")["properties"]
    service.answers["/queryables/toys"] = Answer(503)
    assert "frame" in upstream.queryables("toys")["properties"]
    with pytest.raises(NotFound):
        upstream.queryables("nowhere")


def test_searches_go_without_the_token_unless_the_catalogue_wants_it(
    server: Server, upstream: Upstream
) -> None:
    upstream.search(Query(), ROOT)
    assert not any("authorization" in seen.headers for seen in server.seen)


def test_searches_carry_the_token_where_the_catalogue_wants_it(
    tmp_path: Path, server: Server, clock: Clock
) -> None:
    upstream = build(tmp_path, server, clock, "searches = true")
    upstream.search(Query(), ROOT)
    asked = [seen for seen in server.seen if seen.path != "/token"]
    assert {seen.headers.get("authorization") for seen in asked} == {"Bearer token-1"}


def test_a_search_is_asked_again_once_with_a_fresh_token(
    tmp_path: Path, service: Service, server: Server, clock: Clock
) -> None:
    upstream = build(tmp_path, server, clock, "searches = true")
    service.good = ["token-2"]
    assert upstream.search(Query(), ROOT).items
    assert service.tokens == 2


def test_a_search_whose_fresh_token_is_refused_too_says_so(
    tmp_path: Path, service: Service, server: Server, clock: Clock
) -> None:
    upstream = build(tmp_path, server, clock, "searches = true")
    service.good = []
    with pytest.raises(UpstreamError, match="valid credential") as failure:
        upstream.collections()
    assert service.tokens == 2
    assert "token-" not in str(failure.value)
