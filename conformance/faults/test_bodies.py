"""Section B, as far as bodies go: short, of two versions, from another place, flipped, or no product."""

from email.utils import formatdate

import orjson
import pytest

from conformance.faults.kit import CUT, HALF, MD5, PRODUCT, SHA3, SHA256, SILENCE, faced, ranges, whole
from stacbridge.simulators.chaos import EPOCH, Act, Ending

PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"


@pytest.mark.parametrize("stop", [0, 1, 4, 70_000, HALF, len(PRODUCT) - 1])
@pytest.mark.parametrize("ending", ["cut", "reset", "stall"])
def test_f13_a_short_body_is_gone_on_with_where_it_ended(stop: int, ending: Ending) -> None:
    settings = SILENCE if ending == "stall" else {}
    with faced(Act(stop_after=stop, ending=ending), Act(), settings=settings) as (bridge, chaos, _):
        assert whole(bridge.ask())
        assert len(chaos.asked) == 2
        assert chaos.wait(asked=2, busy=0)


def test_f13_a_part_that_is_cut_is_gone_on_with_as_a_part() -> None:
    with faced(Act(stop_after=5000), Act()) as (bridge, chaos, _):
        answer = bridge.ask(headers={"Range": "bytes=1000-20999"})
        assert (answer.status, answer.body) == (206, PRODUCT[1000:21000])
        assert ranges(chaos) == ["bytes=1000-20999", "bytes=6000-20999"]


def test_f13_many_cuts_in_one_download_are_one_body_to_the_client() -> None:
    acts = [Act(stop_after=100_000)] * 30
    with faced(*acts) as (bridge, chaos, _):
        assert whole(bridge.ask())
        assert len(chaos.asked) == 31


def test_f13_an_upstream_that_never_gets_further_is_given_up_and_the_client_cut() -> None:
    with faced(Act(stop_after=HALF), Act(stop_after=0)) as (bridge, chaos, _):
        with pytest.raises(CUT):
            bridge.ask()
        assert len(chaos.asked) <= 5


def test_f13_a_body_without_length_or_size_is_never_passed_on() -> None:
    act = Act(headers={"Content-Length": "", "Connection": "close"}, stop_after=HALF)
    with faced(act) as (bridge, _, _):
        assert bridge.ask().status == 502


def test_f13_a_file_of_another_size_than_the_catalogue_states_is_refused() -> None:
    with faced(Act(), size=len(PRODUCT) + 1) as (bridge, _, _):
        assert bridge.ask().status == 502


@pytest.mark.parametrize(
    "change",
    [
        {"ETag": '"two"'},
        {"ETag": "", "Last-Modified": formatdate(EPOCH + 1, usegmt=True)},
        {"ETag": "", "Last-Modified": ""},
        {"ETag": 'W/"one"', "Last-Modified": ""},
    ],
    ids=["etag", "date", "nothing", "weak etag"],
)
def test_f14_two_versions_are_never_spliced(change: dict[str, str]) -> None:
    with faced(Act(stop_after=HALF), Act(headers=change)) as (bridge, chaos, _):
        with pytest.raises(CUT):
            bridge.ask()
        assert len(chaos.asked) == 2


@pytest.mark.parametrize("tag", ["", 'W/"two"', '"two"'], ids=["no etag", "weak etag", "etag"])
def test_f14_a_client_that_began_with_another_version_by_its_date_gets_all_of_this_one(tag: str) -> None:
    second = Act(headers={"ETag": tag, "Last-Modified": formatdate(EPOCH + 1, usegmt=True)})
    with faced(second, second) as (bridge, chaos, _):
        first = {"Range": "bytes=1000-1999", "If-Range": formatdate(EPOCH, usegmt=True)}
        assert whole(bridge.ask(headers=first))
        assert ranges(chaos) == ["bytes=1000-1999", None]


def test_f14_without_any_validator_nothing_is_gone_on_with() -> None:
    bare = {"ETag": "", "Last-Modified": ""}
    with faced(Act(stop_after=HALF, headers=bare), Act(headers=bare)) as (bridge, chaos, _):
        with pytest.raises(CUT):
            bridge.ask()
        assert len(chaos.asked) == 1


def test_f14_date_and_length_are_a_validator_where_there_is_no_etag() -> None:
    bare = {"ETag": ""}
    with faced(Act(stop_after=HALF, headers=bare), Act(headers=bare)) as (bridge, _, _):
        assert whole(bridge.ask())


def test_f15_a_whole_file_in_answer_to_a_range_loses_the_bytes_that_were_sent() -> None:
    with faced(Act(stop_after=HALF), Act(ignore_range=True)) as (bridge, chaos, _):
        assert whole(bridge.ask())
        assert ranges(chaos) == [None, f"bytes={HALF}-{len(PRODUCT) - 1}"]


def test_f15_a_whole_file_of_another_version_is_not_appended() -> None:
    with (
        faced(Act(stop_after=HALF), Act(ignore_range=True, headers={"ETag": '"two"'})) as (bridge, _, _),
        pytest.raises(CUT),
    ):
        bridge.ask()


def test_f16_a_part_that_begins_earlier_is_used_from_where_it_is_needed() -> None:
    with faced(Act(stop_after=HALF), Act(shift=-1000)) as (bridge, _, _):
        assert whole(bridge.ask())


@pytest.mark.parametrize(
    "act",
    [
        Act(shift=1000),
        Act(headers={"Content-Range": f"bytes {HALF}-{len(PRODUCT) - 1}/{len(PRODUCT) + 7}"}),
        Act(headers={"Content-Range": "bytes x-y/z"}),
        Act(headers={"Content-Range": ""}),
        Act(status=416),
    ],
    ids=["later", "other total", "garbage", "none", "416"],
)
def test_f16_a_part_that_does_not_cover_the_place_is_not_used(act: Act) -> None:
    with faced(Act(stop_after=HALF), act) as (bridge, _, _), pytest.raises(CUT):
        bridge.ask()


@pytest.mark.parametrize("checksum", [MD5, SHA256, SHA3], ids=["md5", "sha256", "sha3-256"])
@pytest.mark.parametrize("flip", [4, HALF, len(PRODUCT) - 1])
def test_f17_a_flipped_byte_never_reaches_a_client_as_a_finished_file(flip: int, checksum: str) -> None:
    with faced(Act(flip=flip), checksum=checksum) as (bridge, _, _), pytest.raises(CUT):
        bridge.ask()


def test_f17_a_flipped_byte_in_a_file_of_one_piece_never_does_either() -> None:
    with faced(Act(flip=100), file=PRODUCT[:1000], checksum=MD5) as (bridge, _, _), pytest.raises(CUT):
        bridge.ask()


@pytest.mark.parametrize(
    "checksum", [MD5, SHA256, SHA3, "ffff00"], ids=["md5", "sha256", "sha3-256", "unknown"]
)
def test_f17_a_right_file_arrives_over_two_connections_too(checksum: str) -> None:
    with faced(Act(stop_after=HALF), Act(), checksum=checksum) as (bridge, _, _):
        assert whole(bridge.ask())


def test_f17_a_catalogue_known_for_wrong_checksums_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with faced(Act(flip=HALF), checksum=MD5, settings={"unchecked": ["one"]}) as (bridge, _, _):
        assert len(bridge.ask().body) == len(PRODUCT)
    assert "has not the checksum" in caplog.text


@pytest.mark.parametrize("media", ["text/html", "application/octet-stream", "application/zip"])
def test_f18_a_login_page_with_200_is_502_after_one_fresh_token(media: str) -> None:
    with faced(Act(body=PAGE, headers={"Content-Type": media})) as (bridge, chaos, catalogue):
        answer = bridge.ask()
        assert (answer.status, catalogue.renewals, len(chaos.asked)) == (502, 1, 2)
    assert b"Sign in" not in answer.body


def test_f18_a_login_page_mid_way_is_not_appended() -> None:
    with faced(Act(stop_after=HALF), Act(body=PAGE), Act()) as (bridge, _, _), pytest.raises(CUT):
        bridge.ask()


def test_f18_a_login_page_that_a_fresh_token_ends_is_never_seen() -> None:
    page = Act(body=PAGE, headers={"Content-Type": "text/html"})
    with faced(Act(stop_after=HALF), page, Act()) as (bridge, _, catalogue):
        assert whole(bridge.ask())
        assert catalogue.renewals == 1


@pytest.mark.parametrize(
    "start, media",
    [(b"II*\x00", "application/zip"), (b"PK\x03\x04", "image/tiff"), (b"{", "application/xml")],
)
def test_f18_bytes_of_another_format_are_502(start: bytes, media: str) -> None:
    with faced(Act(body=start * 1000), media_type=media) as (bridge, _, _):
        assert bridge.ask().status == 502


def test_f19_an_empty_file_is_502() -> None:
    with faced(Act(body=b"")) as (bridge, _, _):
        assert bridge.ask().status == 502


def test_f19_accepted_is_not_ready_and_its_body_no_product() -> None:
    with faced(Act(status=202, body=b'{"status": "staging"}')) as (bridge, _, _):
        answer = bridge.ask()
    assert (answer.status, orjson.loads(answer.body)["code"]) == (503, "NotStaged")
    assert int(answer.headers["retry-after"]) > 0
