"""Objects in a bucket: written, read, listed and removed, against a storage that checks every signature."""

import io
from collections.abc import Iterator
from hashlib import sha256

import pytest
import requests
from hypothesis import given
from hypothesis import settings as slow
from hypothesis import strategies as st

from stacbridge.download.outage import Outage
from stacbridge.download.s3 import UPSTREAM
from stacbridge.download.uploads import PART, Stopped, upload
from stacbridge.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable
from stacbridge.settings import Settings
from stacbridge.simulators.s3 import SECRET, S3Simulator
from stacbridge.simulators.s3_writing import SMALLEST
from tests.unit.bucket_kit import NOW, PREFIX, Clock, client, objects
from tests.unit.download_servers import PATIENCE

NOWHERE = "http://127.0.0.1:1"
LARGE = bytes(range(256)) * (2 * SMALLEST // 256) + b"the end"
HEADERS = {"content-type": "image/jp2", "content-disposition": 'attachment; filename="a b.jp2"'}


@pytest.fixture
def storage() -> Iterator[S3Simulator]:
    with S3Simulator({}, writable=True, clock=lambda: NOW) as simulator:
        yield simulator


def test_an_object_is_read_back_listed_and_removed(storage: S3Simulator) -> None:
    here = objects(storage)
    here.write("a.1", b"content", HEADERS)
    assert (here.read("a.1"), here.size("a.1")) == (b"content", 7)
    assert [(each.name, each.size, each.modified) for each in here.list("a.").found] == [("a.1", 7, NOW)]
    assert here.list("a.").now == NOW
    here.delete("a.1")
    assert (here.read("a.1"), here.size("a.1"), here.list().found) == (None, None, [])
    assert storage.refused == ["NoSuchKey"] * 2


def test_what_is_beside_the_prefix_is_neither_seen_nor_touched(storage: S3Simulator) -> None:
    storage.objects["/bucket/spooling/a"] = storage.objects["/other/spool/a"] = b"not ours"
    assert objects(storage).list().found == []


@slow(deadline=None, max_examples=20)
@given(count=st.integers(0, 9), page=st.integers(1, 4))
def test_all_pages_of_a_list_are_read(count: int, page: int) -> None:
    with S3Simulator({}, writable=True) as storage:
        storage.shelf.page = page
        storage.objects.update({f"{PREFIX}{number}": b"x" * number for number in range(count)})
        assert [each.size for each in objects(storage, wall=storage.clock).list().found] == list(range(count))


def test_a_small_file_is_written_at_once_and_a_large_one_in_parts(storage: S3Simulator) -> None:
    here = objects(storage)
    for name, content in (("small", b"abc"), ("large", LARGE)):
        told = upload(here, name, io.BytesIO(content), len(content), HEADERS, part=SMALLEST)
        assert told == f"1220{sha256(content).hexdigest()}"
        assert storage.objects[f"{PREFIX}{name}"] == content
        assert storage.shelf.headers[f"{PREFIX}{name}"] == HEADERS
    assert sum("partNumber" in path for _, path, _ in storage.asked) == 3
    assert PART >= SMALLEST


def test_an_upload_that_fails_in_the_middle_leaves_nothing(storage: S3Simulator) -> None:
    storage.fails = lambda method, target: (403, "QuotaExceeded") if "partNumber=2" in target else None
    with pytest.raises(UpstreamRefused, match="QuotaExceeded"):
        upload(objects(storage), "large", io.BytesIO(LARGE), len(LARGE), {}, part=SMALLEST)
    assert (storage.shelf.uploads, storage.objects) == ({}, {})


def test_an_upload_ends_between_two_parts_when_the_bridge_stops(storage: S3Simulator) -> None:
    going = iter([True, False])
    with pytest.raises(Stopped):
        upload(objects(storage), "large", io.BytesIO(LARGE), len(LARGE), {}, lambda: next(going), SMALLEST)
    assert (storage.shelf.uploads, storage.objects) == ({}, {})


def test_parts_that_could_not_be_put_together_are_a_failure_though_the_status_is_200(
    storage: S3Simulator,
) -> None:
    storage.fails = lambda method, target: (
        (200, "InternalError") if method == "POST" and "uploadId" in target else None
    )
    with pytest.raises(UpstreamError, match="HTTP 200 InternalError"):
        upload(objects(storage), "large", io.BytesIO(LARGE), len(LARGE), {}, part=SMALLEST)
    assert storage.shelf.uploads == {}


def test_a_file_that_is_shorter_than_it_was_is_not_taken_for_whole(storage: S3Simulator) -> None:
    with pytest.raises(UpstreamError, match="3 bytes instead of 4"):
        upload(objects(storage), "a", io.BytesIO(b"abc"), 4, {})


def test_uploads_that_have_not_ended_are_listed_on_all_pages_and_given_up(storage: S3Simulator) -> None:
    storage.shelf.page = 2
    here = objects(storage)
    for name in ("a", "a", "b", "c", "c"):
        here.begin(name, {})
    found = here.uploads().found
    assert [each.name for each in found] == ["a", "a", "b", "c", "c"]
    for each in found:
        here.abort(each.name, each.upload)
    assert storage.shelf.uploads == {}


def test_a_storage_that_has_404_for_no_uploads_has_none(storage: S3Simulator) -> None:
    storage.fails = lambda method, target: (404, "NoSuchUpload") if "uploads" in target else None
    assert objects(storage).uploads().found == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_asked_again_after_a_while(storage: S3Simulator, status: int) -> None:
    failures = iter([(status, "SlowDown")] * 2)
    storage.fails = lambda method, target: next(failures, None)
    waits: list[float] = []
    here = objects(storage, sleep=waits.append)
    here.write("a", b"content")
    assert (storage.objects[f"{PREFIX}a"], waits) == (b"content", [1, 2])


def test_a_bucket_that_is_not_there_is_not_asked_again_for_a_while() -> None:
    here = objects(NOWHERE)
    with pytest.raises(UpstreamUnavailable, match="cannot be reached"):
        here.read("a")
    with pytest.raises(UpstreamUnavailable, match="not asked for now"):
        here.read("a")


def test_a_bucket_that_cannot_be_written_to_is_read_all_the_same(storage: S3Simulator) -> None:
    outage = Outage(UPSTREAM, Settings())
    here = objects(storage, outage=outage)
    storage.writable = False
    with pytest.raises(UpstreamRefused, match="AccessDenied"):
        here.write("a", b"content")
    assert here.read("a") is None
    assert [trouble for trouble in outage.troubles if "PUT" in trouble] == outage.troubles != []
    storage.writable = True
    here.write("a", b"content")
    assert outage.troubles == []


def test_a_key_that_is_refused_is_named_by_no_more_than_the_storages_word(storage: S3Simulator) -> None:
    with pytest.raises(UpstreamRefused) as refused:
        objects(storage, secret="canary/wrong+secret").read("a")
    assert "SignatureDoesNotMatch" in str(refused.value)
    assert not any(word in str(refused.value.body()) for word in ("canary", SECRET))


def test_requests_are_signed_for_the_storage_and_for_nobody_else(storage: S3Simulator) -> None:
    s3 = client(storage)
    assert "Authorization" in s3.authorize(s3.url("a"))
    assert s3.authorize("https://elsewhere.example/bucket/a") == {}
    assert not s3.may_follow("https://elsewhere.example/bucket/a")


def test_a_body_that_is_changed_on_the_way_is_refused_by_the_storage(storage: S3Simulator) -> None:
    clock = Clock()
    s3 = client(storage, wall=clock)
    told = s3.authorize(s3.url("a"), "PUT")
    refused = requests.put(s3.url("a"), data=b"another", headers=told, timeout=PATIENCE)
    assert (refused.status_code, storage.refused) == (400, ["XAmzContentSHA256Mismatch"])
