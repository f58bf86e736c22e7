"""Files that an upstream makes on demand, asked for by POST."""

from typing import Any

import pytest

from stacbridge.model import Ready, Request
from tests.unit.download_servers import TOKEN, Bridge, OneAsset
from tests.unit.scripted_upstream import Asked, Connection, Script, Upstream

ZIP = b"PK\x03\x04 a burst"


def processed(upstream: Upstream, **ready: Any) -> OneAsset:
    """Return a catalogue whose only asset is made on demand."""
    place = Ready(Request("POST", f"{upstream.url}/Bursts(1)/$value"), "S2A.zip", "application/zip", **ready)
    return OneAsset(place, trusted={upstream.url.removeprefix("http://")})


def redirected(status: str) -> Script:
    def script(asked: Asked, connection: Connection) -> None:
        if asked.path.startswith("/Bursts"):
            connection.answer(status, Location="/processing/Bursts(1)/$value")
        else:
            connection.answer(body=ZIP)

    return script


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_a_get_becomes_a_post_and_so_does_every_redirect_with_the_token(status: str) -> None:
    with Upstream(redirected(status)) as upstream, Bridge(processed(upstream)) as bridge:
        answer = bridge.ask()
    assert (answer.status, answer.body, answer.headers["accept-ranges"]) == (200, ZIP, "none")
    assert [asked.method for asked in upstream.asked] == ["POST", "POST"]
    assert {asked.headers["authorization"] for asked in upstream.asked} == {f"Bearer {TOKEN}"}


def test_head_starts_no_processing_and_tells_what_is_known() -> None:
    with Upstream(redirected("302 Found")) as upstream, Bridge(processed(upstream)) as bridge:
        answer = bridge.ask("HEAD")
    assert upstream.asked == []
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    assert (answer.headers["accept-ranges"], "content-length" in answer.headers) == ("none", False)


def test_a_range_is_not_asked_of_a_file_that_is_made_anew_each_time() -> None:
    with Upstream(redirected("302 Found")) as upstream, Bridge(processed(upstream)) as bridge:
        answer = bridge.ask(headers={"Range": "bytes=0-1"})
    assert (answer.status, answer.body) == (200, ZIP)
    assert not any("range" in asked.headers for asked in upstream.asked)


def test_processing_may_take_longer_than_a_download_may_stall() -> None:
    with Upstream(redirected("302 Found")) as upstream:
        slow = upstream.script

        def script(asked: Asked, connection: Connection) -> None:
            # Longer than the idle timeout below; the next request of the test waits for it, too.
            upstream.wait(asked=99, busy=0, seconds=0.5)
            slow(asked, connection)

        upstream.script = script
        with Bridge(processed(upstream), download_idle_timeout=0.3, processing_timeout=10) as bridge:
            assert bridge.ask().body == ZIP
        with Bridge(processed(upstream), download_idle_timeout=10, processing_timeout=0.3) as bridge:
            assert bridge.ask().status == 504


def test_a_refusal_that_means_an_expired_token_is_asked_again_once_with_a_fresh_one() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        if asked.headers["authorization"] == "Bearer fresh":
            connection.answer(body=ZIP)
        else:
            connection.answer("400 Bad Request", b'"User token does not exist"')

    with Upstream(script) as upstream:
        catalogue = processed(upstream)
        catalogue.tokens = [TOKEN, "fresh"]
        with Bridge(catalogue) as bridge:
            assert bridge.ask().body == ZIP
    assert catalogue.renewals == 1


def test_a_refusal_that_means_something_else_keeps_its_words_and_the_token() -> None:
    def script(asked: Asked, connection: Connection) -> None:
        connection.answer("400 Bad Request", b'{"message": "No such burst"}')

    with Upstream(script) as upstream:
        catalogue = processed(upstream)
        with Bridge(catalogue) as bridge:
            answer = bridge.ask()
    assert (answer.status, b"No such burst" in answer.body, catalogue.renewals) == (502, True, 0)
