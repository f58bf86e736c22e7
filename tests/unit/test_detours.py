"""Files that their storage refuses: had elsewhere, before the first byte and never after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from conformance.faults.kit import CUT, MD5, NIGHT, PRODUCT, whole
from stacbridge.download.detours import Detours
from stacbridge.errors import Forbidden, Misconfigured
from stacbridge.model import Ready, Request
from stacbridge.simulators.chaos import Act, Chaos
from tests.unit.download_servers import FILE, Bridge, OneAsset

OTHER = PRODUCT[:4] + b"another" + PRODUCT[11:]
HALF = len(PRODUCT) // 2
REFUSED = Act(status=403, body=b"<Error><Code>InvalidAccessKeyId</Code></Error>")
ITS = Act(status=403, body=b"<Error><Code>AccessDenied</Code></Error>")


class KeysOnly(OneAsset):
    """A catalogue with a key to the storage, and without an account for anything else."""

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        if url.endswith("/node"):
            raise Misconfigured("Downloads need an account.")
        return super().authorize(url, method)


@contextmanager
def between(
    *storage: Act, node: Act | None = None, file: bytes = PRODUCT, keys_only: bool = False, **given: Any
) -> Iterator[tuple[Bridge, Chaos, Chaos]]:
    """Run a bridge between a storage and the archive itself, which has `file` at the same place."""
    with Chaos(PRODUCT, *storage) as one, Chaos(file, node or Act()) as other:
        other.etag = '"two"'
        told = {"name": FILE, "media_type": "application/zip", "ranges": True, **given}
        elsewhere = Ready(Request("GET", f"{other.url}/node"), **told)
        place = Ready(Request("GET", f"{one.url}/object"), **told, otherwise=elsewhere)
        hosts = {urlsplit(each.url).netloc for each in (one, other)}
        settings: dict[str, Any] = {**NIGHT}
        kind = KeysOnly if keys_only else OneAsset
        with Bridge(kind(place, trusted=hosts), **settings) as bridge:
            yield bridge, one, other


@pytest.mark.parametrize("act", [REFUSED, ITS, Act(status=401, body=b""), Act(status=404, body=b"")])
def test_a_refused_file_comes_from_elsewhere(act: Act) -> None:
    with between(act) as (bridge, _, node):
        assert whole(bridge.ask())
        assert bridge.ask(headers={"Range": "bytes=7-9"}).body == PRODUCT[7:10]
        assert bridge.ask("HEAD").headers["content-length"] == str(len(PRODUCT))
        assert [asked.path for asked in node.asked] == ["/node"] * 3


def test_a_storage_that_knows_the_key_is_asked_for_the_next_file_and_one_that_does_not_is_left_alone() -> (
    None
):
    for act, asked in ((ITS, 3), (REFUSED, 1)):
        with between(act) as (bridge, storage, _):
            assert [whole(bridge.ask()) for _ in range(3)] == [True] * 3
            assert len(storage.asked) == asked


def test_a_storage_that_is_down_is_not_gone_around() -> None:
    with between(Act(status=503, body=b"", headers={"Retry-After": "60"})) as (bridge, _, node):
        assert (bridge.ask().status, node.asked) == (503, [])


def test_a_file_that_was_begun_is_never_gone_on_with_from_elsewhere() -> None:
    with between(Act(stop_after=HALF), REFUSED) as (bridge, _, node):
        with pytest.raises(CUT):
            bridge.ask()
        assert node.asked == []


def test_a_client_that_began_with_the_storages_copy_gets_all_of_the_other() -> None:
    with between(Act(), REFUSED, file=OTHER) as (bridge, _, _):
        begun = bridge.ask(headers={"Range": "bytes=0-9"})
        rest = bridge.ask(headers={"Range": "bytes=10-", "If-Range": begun.headers["etag"]})
        assert (begun.status, rest.status, rest.body) == (206, 200, OTHER)
        mine = bridge.ask(headers={"Range": "bytes=10-", "If-Range": rest.headers["etag"]})
        assert (mine.status, mine.body) == (206, OTHER[10:])


@pytest.mark.parametrize("given", [{"size": len(PRODUCT) + 1}, {"checksum": MD5}])
def test_what_comes_from_elsewhere_is_held_against_what_is_stated(given: dict[str, Any]) -> None:
    with between(REFUSED, file=OTHER, **given) as (bridge, _, _):
        if "size" in given:
            assert bridge.ask().status == 502
        else:
            with pytest.raises(CUT):
                bridge.ask()


def test_a_file_that_is_refused_at_both_places_is_refused() -> None:
    with between(REFUSED, node=Act(status=404, body=b"")) as (bridge, _, _):
        assert bridge.ask().status == 404


def test_without_an_account_for_the_other_place_the_refusal_of_the_storage_is_told() -> None:
    with between(REFUSED, keys_only=True) as (bridge, _, node):
        answer = bridge.ask()
        assert (answer.status, orjson.loads(answer.body)["code"], node.asked) == (403, "Forbidden", [])


def test_a_key_is_tried_again_after_a_while_and_its_holder_warned_meanwhile() -> None:
    now = [0.0]
    detours = Detours("toy", 900, lambda: now[0])
    node = Ready(Request("GET", "https://a.eu/node"), FILE, "application/zip")
    place = Ready(Request("GET", "https://s3.eu/a"), FILE, "application/zip", advice="Ask.", otherwise=node)
    assert detours.place(place) is place
    other = detours.refused(place, Forbidden("No.", answered="HTTP 403: <Code>ExpiredToken</Code>"))
    assert other is not None and (other.request, other.advice) == (node.request, "Ask.")
    assert detours.place(place) == other
    assert "ExpiredToken" in detours.warnings()[0]
    now[0] = 900.0
    assert (detours.place(place), detours.warnings()) == (place, [])


def test_a_file_that_is_nowhere_else_is_refused() -> None:
    alone = Ready(Request("GET", "https://s3.eu/a"), FILE, "application/zip")
    assert Detours("toy", 900).refused(alone, Forbidden("No.")) is None
