"""What a client is answered below /assets/."""

import logging
from typing import Any

import orjson
import pytest

from stacbridge.errors import Misconfigured, NotFound, NotOrderable
from stacbridge.model import Pending, Ready, Request
from tests.unit.download_servers import FILE, PATH, TOKEN, Bridge, OneAsset, in_front_of
from tests.unit.scripted_upstream import Asked, Connection, Upstream, bridged

ZIP = b"PK\x03\x04" + bytes(range(256)) * 64


def whole(asked: Asked, connection: Connection) -> None:
    connection.answer(
        body=b"" if asked.method == "HEAD" else ZIP,
        Content_Length=str(len(ZIP)),
        Content_Type="application/octet-stream",
        ETag='"abc"',
        Last_Modified="Sat, 21 Nov 2026 00:00:00 GMT",
        Set_Cookie="session=1",
        WWW_Authenticate="Bearer",
        Server="Apache",
    )


def test_get_gives_the_upstreams_bytes_with_the_headers_that_a_client_needs() -> None:
    with bridged(whole) as (bridge, _):
        answer = bridge.ask()
    assert (answer.status, answer.body) == (200, ZIP)
    expected = {
        "content-length": str(len(ZIP)),
        "content-type": "application/zip",
        "content-disposition": f'attachment; filename="{FILE}"',
        "etag": '"abc"',
        "last-modified": "Sat, 21 Nov 2026 00:00:00 GMT",
        "accept-ranges": "bytes",
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "cache-control": "private",
    }
    assert expected.items() <= answer.headers.items()
    assert "Content-Range" in answer.headers["access-control-expose-headers"]


def test_headers_that_are_between_the_bridge_and_its_upstream_stay_there() -> None:
    with bridged(whole) as (bridge, upstream):
        answer = bridge.ask(headers={"Authorization": "Bearer of-the-client", "Cookie": "a=b"})
    assert not {"set-cookie", "www-authenticate"} & answer.headers.keys()
    heard = upstream.asked[0].headers
    assert heard["authorization"] == f"Bearer {TOKEN}"
    assert heard["accept-encoding"] == "identity"
    assert heard["user-agent"].startswith("stacbridge/")
    assert "cookie" not in heard


def test_head_gives_the_headers_of_get_and_no_body() -> None:
    with bridged(whole) as (bridge, upstream):
        head, get = bridge.ask("HEAD"), bridge.ask()
    varying = {"date"}
    assert (head.status, head.body) == (200, b"")
    assert {k: v for k, v in head.headers.items() if k not in varying} == {
        k: v for k, v in get.headers.items() if k not in varying
    }
    assert [asked.method for asked in upstream.asked] == ["HEAD", "GET"]


def test_head_is_answered_where_the_upstream_knows_only_get() -> None:
    def no_head(asked: Asked, connection: Connection) -> None:
        if asked.method == "HEAD":
            connection.answer("405 Method Not Allowed", Content_Length="0")
        else:
            connection.answer(Content_Length=str(1 << 30), body=ZIP)
            connection.stall()

    with bridged(no_head) as (bridge, upstream):
        head = bridge.ask("HEAD")
        assert upstream.wait(asked=2, busy=0, seconds=2), "the GET was not cut"
    assert (head.status, head.headers["content-length"], head.body) == (200, str(1 << 30), b"")


def test_a_preflight_is_told_what_a_browser_may_send() -> None:
    with bridged(whole) as (bridge, upstream):
        answer = bridge.ask("OPTIONS", headers={"Origin": "https://a.example"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "Range" in answer.headers["access-control-allow-headers"]
    assert upstream.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_an_asset_cannot_be_written(method: str) -> None:
    with bridged(whole) as (bridge, _):
        answer = bridge.ask(method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert orjson.loads(answer.body)["code"] == "MethodNotAllowed"


@pytest.mark.parametrize(
    "path",
    [
        PATH + ".aux.xml",
        PATH + ".AUX",
        PATH + ".ovr",
        PATH + ".msk",
        PATH.rpartition("/")[0] + "/",
        PATH.rpartition("/")[0],
        PATH + "/more",
        "/assets/",
        "/assets/one//S2A/Product/" + FILE,
        "/assets/one/c/S2A/Product/%ff",
        "/assets/one/c/S2A/Product/a%0d%0ab",
        f"/assets/one/c/{'S' * 256}/Product/{FILE}",
        "/assets/two/c/S2A/Product/" + FILE,
    ],
)
def test_paths_that_no_item_has_are_404_without_asking_anyone(path: str) -> None:
    with Upstream(whole) as upstream:
        catalogue = in_front_of(upstream)
        with Bridge(catalogue) as bridge:
            answer = bridge.ask(path=path)
    assert (answer.status, orjson.loads(answer.body)["code"]) == (404, "NotFound")
    assert (catalogue.located, upstream.asked) == ([], [])


def test_another_file_name_than_the_assets_own_is_404_without_asking_the_upstream() -> None:
    with bridged(whole) as (bridge, upstream):
        answer = bridge.ask(path=PATH.replace(FILE, "MTL.txt"))
    assert (answer.status, upstream.asked) == (404, [])


def test_escaped_characters_in_a_path_reach_the_catalogue_as_they_are() -> None:
    with Upstream(whole) as upstream:
        catalogue = in_front_of(upstream, name="ü b.zip")
        with Bridge(catalogue) as bridge:
            answer = bridge.ask(path="/assets/one/c/a%2Fb/key%20%25/%C3%BC%20b.zip")
    assert answer.status == 200
    assert catalogue.located == [("c", "a/b", "key %")]
    assert (
        answer.headers["content-disposition"]
        == "attachment; filename=\"_ b.zip\"; filename*=UTF-8''%C3%BC%20b.zip"
    )


@pytest.mark.parametrize(
    "place, status, retry_after",
    [
        (NotFound("There is no such item."), 404, None),
        (NotOrderable("The product is offline.", advice="Order it in the Data Workspace."), 409, None),
        (Misconfigured("Set STACBRIDGE_CREDENTIALS__CDSE__USERNAME."), 503, None),
        (Pending("The product is offline.", 600), 503, None),
    ],
)
def test_what_cannot_be_had_is_an_error_that_says_why(
    place: Any, status: int, retry_after: str | None
) -> None:
    with Bridge(OneAsset(place)) as bridge:
        get, head = bridge.ask(), bridge.ask("HEAD")
    told = orjson.loads(get.body)
    assert (get.status, get.headers.get("retry-after")) == (status, retry_after)
    assert getattr(place, "description", None) or place.reason in told["description"]
    assert get.headers["cache-control"] == "no-store"
    assert get.headers["access-control-allow-origin"] == "*"
    assert get.headers["content-type"] == "application/json"
    assert (head.status, head.body, head.headers["content-length"]) == (status, b"", str(len(get.body)))


def test_a_failure_of_the_bridge_itself_is_logged_and_shows_nothing_of_its_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "stacbridge"), Bridge(OneAsset(KeyError("inside"))) as bridge:
        answer = bridge.ask()
    assert answer.status == 500
    assert b"inside" not in answer.body
    assert "inside" in caplog.text


def ranged(asked: Asked, connection: Connection) -> None:
    first, last = asked.headers["range"].removeprefix("bytes=").split("-")
    start = int(first) if first else len(ZIP) - int(last)
    stop = int(last) + 1 if first and last else len(ZIP)
    part = ZIP[start:stop]
    content_range = f"bytes {start}-{start + len(part) - 1}/{len(ZIP)}"
    connection.answer("206 Partial Content", part, Content_Range=content_range)


@pytest.mark.parametrize(
    "header, part",
    [
        ("bytes=0-15", ZIP[:16]),
        ("bytes=16000-", ZIP[16000:]),
        ("bytes=-7", ZIP[-7:]),
        ("bytes=5-99999", ZIP[5:]),
    ],
)
def test_a_range_is_passed_on_and_its_part_comes_back_as_206(header: str, part: bytes) -> None:
    with bridged(ranged) as (bridge, upstream):
        answer = bridge.ask(headers={"Range": header, "If-Range": '"abc"'})
    assert (answer.status, answer.body) == (206, part)
    assert answer.headers["content-range"].endswith(f"/{len(ZIP)}")
    assert answer.headers["content-length"] == str(len(part))
    assert upstream.asked[0].headers["range"] == header
    assert upstream.asked[0].headers["if-range"] == '"abc"'


@pytest.mark.parametrize(
    "header", ["bytes=0-1,5-6", "bytes=9-5", "bytes=-", "items=0-1", "bytes=" + "0" * 80 + "-1"]
)
def test_ranges_that_are_several_or_none_are_ignored(header: str) -> None:
    with bridged(whole) as (bridge, upstream):
        answer = bridge.ask(headers={"Range": header, "If-Range": '"abc"'})
    assert (answer.status, answer.body) == (200, ZIP)
    assert not {"range", "if-range"} & upstream.asked[0].headers.keys()


def test_a_range_is_not_passed_on_where_the_upstream_has_none_and_the_client_is_told() -> None:
    with bridged(whole, ranges=False) as (bridge, upstream):
        answer = bridge.ask(headers={"Range": "bytes=0-1"})
    assert (answer.status, answer.body, answer.headers["accept-ranges"]) == (200, ZIP, "none")
    assert "range" not in upstream.asked[0].headers


def test_head_asks_for_the_whole_file_whatever_range_it_names() -> None:
    with bridged(whole) as (bridge, upstream):
        answer = bridge.ask("HEAD", headers={"Range": "bytes=0-1"})
    assert (answer.status, answer.headers["content-length"]) == (200, str(len(ZIP)))
    assert "range" not in upstream.asked[0].headers


def test_a_whole_file_in_answer_to_a_range_is_passed_on_as_whole() -> None:
    with bridged(whole) as (bridge, _):
        answer = bridge.ask(headers={"Range": "bytes=0-1"})
    assert (answer.status, answer.body) == (200, ZIP)


def test_a_range_outside_the_file_is_416_with_the_files_length() -> None:
    def outside(asked: Asked, connection: Connection) -> None:
        connection.answer("416 Range Not Satisfiable", b"no", Content_Range=f"bytes */{len(ZIP)}")

    with bridged(outside) as (bridge, _):
        answer = bridge.ask(headers={"Range": "bytes=999999-"})
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(ZIP)}")
    assert orjson.loads(answer.body)["parameter"] == "Range"


def test_a_file_without_a_content_type_or_name_of_its_own_gets_the_catalogues() -> None:
    def bare(asked: Asked, connection: Connection) -> None:
        connection.answer(body=b"{}", Content_Type="", Content_Disposition='attachment; filename="../../x"')

    with bridged(bare, media_type="application/json") as (bridge, _):
        answer = bridge.ask()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == f'attachment; filename="{FILE}"'


def test_parameters_of_the_place_are_escaped_once() -> None:
    with Upstream(whole) as upstream:
        catalogue = in_front_of(upstream)
        request = Request("GET", f"{upstream.url}/a%20b", (("path", "x y/ü&"),))
        catalogue.place = Ready(request, FILE, "application/zip")
        with Bridge(catalogue) as bridge:
            assert bridge.ask().status == 200
    assert upstream.asked[0].path == "/a%20b?path=x%20y%2F%C3%BC%26"
